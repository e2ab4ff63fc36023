"""The metadata that makes a run folder an RO-Crate: Process Run Crate 0.5 of the Workflow Run RO-Crate profiles.

Source: RO-Crate 1.1, https://w3id.org/ro/crate/1.1; profile https://w3id.org/ro/wfrun/process/0.5.
Written by hand: the library for it takes as long to import as a light run takes to run. Called once, by ``seal``.
"""

from __future__ import annotations

import getpass
import json
import mimetypes
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .energy import energy
from .files import write_text
from .record import CRATE, Record, now
from .seal import LATE, files, sha256

_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_LICENSE = "https://spdx.org/licenses/CC-BY-4.0"
#: What each of the record's own files is.
_ABOUT = {
    "notebook.ipynb": "The executed notebook, with its outputs",
    "input.ipynb": "The notebook as it was given",
    "run.json": "How the run went: status, times, target, cells",
    "parameters.json": "Parameter values",
    "sizes.json": "Sizes that the profile and the parameters came to",
    "metrics.json": "Metrics of the result, with units",
    "environment.json": "Computer, hardware, interpreter and packages of the kernel",
    "requirements.txt": "Packages of the kernel, exact, for pip",
    "project.json": "Commit and state of the project that the notebook belongs to",
    "inputs.json": "What the run read, with sizes and checksums",
    "card.json": "What the use case says of itself: data, model, intended use, limits",
    "energy.json": "Energy of the run, and how it was found",
    "log.txt": "What the kernel's process printed outside the notebook",
}
#: What the files of its folders are.
_KINDS = {
    "outputs/": "Output",
    "wheels/": "Package that no index has,",
    "notebook_files/": "Large output of the notebook,",
    "attempts/": "Left by an earlier attempt,",
    "checkpoints/": "Checkpoint",
    "cells/": "Outputs of one cell,",
}
_STATUS = {"completed": "CompletedActionStatus"}


def seal(record: Record, late: bool = False) -> None:
    """Describe every file of the record and rename the description into place: from then on the record is final.

    Parameters
    ----------
    late : bool
        Whether the run had written its end before, and its seal is missing: nobody knows then what happened meanwhile.
    """
    for name, content in {"metrics.json": {}, "energy.json": energy(None)}.items():
        if not (record.folder / name).exists():
            record.write(name, content)
    info = record.info
    described = {path: _file(record.folder, path) for path in files(record.folder)}
    values = [_value(f"#parameter-{quote(k)}", k, v) for k, v in record.parameters.items()]
    metrics = [_value(f"#metric-{quote(k)}", k, m["value"], m["unit"]) for k, m in record.metrics.items()]
    inputs = [_input(number, about) for number, about in enumerate(_inputs(record))]
    action = _action(record, info, described, [*inputs, *values], metrics)
    context: list[dict[str, Any]] = [
        {"@id": _LICENSE, "@type": "CreativeWork", "name": "Creative Commons Attribution 4.0 International"},
        {"@id": "#agent", "@type": "Person", "name": getpass.getuser()},
        {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        _instrument(info, described),
        action,
    ]
    root, about = _root(record, info, described, action)
    root |= {LATE: f"Sealed on {now()} by a later command: the seal of the run itself was missing"} if late else {}
    graph = [root, about, *described.values(), *context, *values, *metrics, *inputs]
    content = {"@context": f"{_SPECIFICATION}/context", "@graph": graph}
    write_text(record.folder / CRATE, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _root(
    record: Record, info: dict[str, Any], described: dict[str, Any], action: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the crate's two fixed entities: itself and its description."""
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Run {record.id}",
        "description": f"{info['title']} ({info['template']}, {info['status']} on {info['target']})",
        "datePublished": now(),
        "license": _link(_LICENSE),
        "author": _link("#agent"),
        "conformsTo": _link(_PROFILE),
        "hasPart": [_link(e["@id"]) for e in described.values()],
        "mentions": _link(action["@id"]),
    }
    about = {"@id": CRATE, "@type": "CreativeWork", "conformsTo": _link(_SPECIFICATION), "about": _link("./")}
    return [root, about]


def _link(identifier: str) -> dict[str, str]:
    return {"@id": identifier}


def _file(folder: Path, path: str) -> dict[str, Any]:
    content = folder / path
    kind = "application/x-ipynb+json" if path.endswith(".ipynb") else mimetypes.guess_type(path)[0]
    place = next((k for k in _KINDS if path.startswith(k)), "")
    return {
        "@id": quote(path),
        "@type": "File",
        "name": _ABOUT.get(path) or f"{_KINDS.get(place, 'File')} {path.removeprefix(place)}",
        "contentSize": str(content.stat().st_size),
        "encodingFormat": kind or "application/octet-stream",
        "sha256": sha256(content),
    }


def _action(
    record: Record,
    info: dict[str, Any],
    described: dict[str, Any],
    read: list[dict[str, Any]],
    metrics: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the execution itself: who ran what, when, with which values, and what came of it."""
    made = [e for p, e in described.items() if p == "notebook.ipynb" or p.startswith(("outputs/", "notebook_files/"))]
    given = [described[p] for p in ("input.ipynb",) if p in described]
    about = {
        "@id": f"#run-{quote(record.id)}",
        "@type": "CreateAction",
        "name": f"{info['template']} on {info['target']}",
        "description": f"One execution of the notebook input.ipynb with the given parameters, {info['status']}",
        "startTime": info["started"],
        "endTime": info["ended"],
        "actionStatus": f"http://schema.org/{_STATUS.get(info['status'], 'FailedActionStatus')}",
        "agent": _link("#agent"),
        "instrument": _link("#template"),
        "object": [_link(e["@id"]) for e in [*given, *read]],
        "result": [_link(e["@id"]) for e in [*made, *metrics]],
    }
    return {**about, "error": info["error"]} if info["error"] else about


def _instrument(info: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    digest = described["input.ipynb"]["sha256"] if "input.ipynb" in described else "unknown"
    return {
        "@id": "#template",
        "@type": "SoftwareApplication",
        "name": info["usecase"] or info["template"],
        "softwareVersion": info["usecase_version"] or f"sha256:{digest}",  # a notebook of one's own has no other
        "url": "https://jupyter.org",
    }


def _inputs(record: Record) -> list[dict[str, Any]]:
    """Return what the run read from outside its folder."""
    if not (record.folder / "inputs.json").exists():
        return []
    return [{"path": path, **about} for path, about in record.read("inputs.json").items()]


def _input(number: int, about: dict[str, Any]) -> dict[str, Any]:
    """Describe a file that lies outside the record; it is known by its checksum."""
    made = {"@id": f"#input-{number}", "@type": "CreativeWork", "name": about["path"]}
    if about.get("sha256"):
        made["identifier"] = f"sha256:{about['sha256']}"
    return {**made, "size": str(about.get("size", "unknown"))}


def _value(identifier: str, name: str, value: Any, unit: str | None = None) -> dict[str, Any]:
    shown = "none" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
    about = {"@id": identifier, "@type": "PropertyValue", "name": name, "value": shown}
    return {**about, "unitText": unit} if unit and unit != "1" else about
