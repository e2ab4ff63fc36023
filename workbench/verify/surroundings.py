"""What is not the same around two runs: packages, Python, computer, inputs, the use case. It explains a difference.

Called by ``verify``; nothing here decides on the verdict.
"""

from __future__ import annotations

from typing import Any

from ..runs.record import Record


def differences(ours: Record, theirs: Record) -> dict[str, list[str]]:
    """Return in words what differs, by what it belongs to; ``theirs`` is the record that is verified."""
    a, b = _environment(ours), _environment(theirs)
    names = ("python", "platform", "processor", "host")
    found = {
        "packages": _changes(a.get("packages") or {}, b.get("packages") or {}),
        "computer": _changes({n: a.get(n) for n in names}, {n: b.get(n) for n in names}),
        "inputs": _changes(_inputs(ours), _inputs(theirs)),
        "use case": _changes(_usecase(ours), _usecase(theirs)),
    }
    return {kind: changes for kind, changes in found.items() if changes}


def _environment(record: Record) -> dict[str, Any]:
    return record.read("environment.json") if (record.folder / "environment.json").exists() else {}


def _inputs(record: Record) -> dict[str, Any]:
    """Return the first letters of every input's digest by its path."""
    if not (record.folder / "inputs.json").exists():
        return {}
    return {path: str(about.get("sha256"))[:12] for path, about in record.read("inputs.json").items()}


def _usecase(record: Record) -> dict[str, Any]:
    info = record.info
    return {info["usecase"]: info["usecase_version"]} if info["usecase"] else {}


def _changes(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    names = sorted(a.keys() | b.keys(), key=str)
    return [f"{n} {a.get(n) or 'none'} instead of {b.get(n) or 'none'}" for n in names if a.get(n) != b.get(n)]
