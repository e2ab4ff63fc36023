"""The published part of a record as an RO-Crate: one zip file, made while it is sent. Called by the server.

A bundle holds of its run's record what a reader needs to check and to go on: notebook, parameters, metrics,
environment, energy, outputs. The description is that of the record's own seal, less what is not published.
"""

from __future__ import annotations

import functools
import json
import mimetypes
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...runs.record import CRATE, Record
from ...runs.seal import described_by, fingerprint, sha256
from ..bundle import Bundle
from .citation import Citation

#: What a bundle holds of its record's seal.
SEAL = "seal.json"
#: Files of a bundle that are its record's, and folders of such.
FILES = ("notebook.ipynb", "parameters.json", "sizes.json", "metrics.json", "environment.json", "energy.json")
FOLDERS = ("outputs", "notebook_files")
#: Files that publishing made of the record.
_MADE = {
    "card.json": "What the use case says of itself, with what this run found",
    "card.md": "The same as text",
    "CITATION.cff": "How to cite",
}
_PIECE = 1 << 18
_CONTEXT = "https://w3id.org/ro/crate/1.1/context"


@dataclass
class _Sink:
    """Takes what a zip file is made of, until it is sent."""

    pieces: list[bytes] = field(default_factory=list)

    def write(self, piece: bytes) -> int:
        self.pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Hold nothing."""

    def taken(self) -> bytes:
        """Return what came since the last time."""
        found = b"".join(self.pieces)
        self.pieces.clear()
        return found


def sealed(record: Record) -> dict[str, Any]:
    """Return what a bundle keeps of its record's seal: the graph, but for the login name of who ran it."""
    graph = [e for e in record.read(CRATE).get("@graph", []) if isinstance(e, dict) and e.get("@id") != "#agent"]
    return {"fingerprint": fingerprint(record), "@graph": graph}


def zipped(bundle: Bundle, citation: Citation) -> Iterator[bytes]:
    """Yield the zip file piece by piece; no piece is much larger than a quarter of a megabyte."""
    when = datetime.fromisoformat(bundle.info["published"]).timetuple()[:6]
    sink, top = _Sink(), f"{bundle.slug}-v{bundle.number}"
    made = {CRATE: description(bundle, citation)}
    if citation.cff:
        made["CITATION.cff"] = citation.cff
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in made.items():
            archive.writestr(_entry(f"{top}/{name}", when), text)
        for name, path in files(bundle).items():
            with archive.open(_entry(f"{top}/{name}", when, path), "w") as target, path.open("rb") as source:
                while piece := source.read(_PIECE):
                    target.write(piece)
                    yield sink.taken()
    yield sink.taken()


def files(bundle: Bundle) -> dict[str, Path]:
    """Return the files of the crate by their names in it."""
    names = [n for n in (*FILES, "card.json", "card.md") if (bundle.folder / n).is_file()]
    kept = [p for f in FOLDERS for p in sorted((bundle.folder / f).rglob("*")) if p.is_file() and not p.is_symlink()]
    return {name: bundle.folder / name for name in names} | {
        p.relative_to(bundle.folder).as_posix(): p for p in kept
    }  # fmt: skip


def lacking(bundle: Bundle) -> list[str] | None:
    """Return which files of the record were not published; None where the bundle does not hold its seal."""
    graph = _graph(bundle)
    if graph is None:
        return None
    return sorted(described_by(graph).keys() - {n for n in files(bundle) if n not in _MADE})


def mark(bundle: Bundle) -> str | None:
    """Return the fingerprint of the record, which stands for the whole of it; None where the bundle does not say it."""
    return bundle.read(SEAL).get("fingerprint") if (bundle.folder / SEAL).is_file() else None


def description(bundle: Bundle, citation: Citation) -> str:
    """Return ``ro-crate-metadata.json``."""
    about = bundle.info
    kept = {e["@id"]: e for e in _graph(bundle) or [] if isinstance(e.get("@id"), str)}
    gone = {quote(name) for name in lacking(bundle) or []} | {"./", CRATE, "#agent"}
    people = [{"@id": f"#author-{n}", "@type": "Person", "name": a} for n, a in enumerate(citation.authors, 1)]
    parts = {
        quote(name): _file(name, path, kept.get(quote(name)))
        for name, path in _digested(bundle, _made_at(bundle)).items()
    }
    if citation.cff:
        parts["CITATION.cff"] = _made("CITATION.cff", "text/yaml")
    others = [_without(e, gone, people) for i, e in kept.items() if i not in gone and i not in parts]
    root = {**kept.get("./", {}), "@id": "./", "@type": "Dataset", "name": about["question"]}
    root |= {
        "description": about["answer"] or about["question"],
        "datePublished": about["published"],
        "license": {"@id": "https://spdx.org/licenses/CC-BY-4.0"},
        "url": citation.address,
        "hasPart": [{"@id": name} for name in parts],
    }
    root = _without(root, {"#agent"}, people) | ({"author": [_link(p) for p in people]} if people else {})
    own = {"@id": CRATE, "@type": "CreativeWork", "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}}
    graph = [root, {**own, "about": {"@id": "./"}}, *parts.values(), *people, *others]
    return json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=2, ensure_ascii=False) + "\n"


def _graph(bundle: Bundle) -> list[dict[str, Any]] | None:
    if not (bundle.folder / SEAL).is_file():
        return None
    found = bundle.read(SEAL).get("@graph")
    return [e for e in found if isinstance(e, dict)] if isinstance(found, list) else None


def _without(entity: dict[str, Any], gone: set[str], people: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an entity that names nothing that is not in the crate; who ran it is who is cited, by no login name."""
    made = {}
    for key, value in entity.items():
        if key in ("author", "agent"):
            value = [_link(p) for p in people]
        elif isinstance(value, list):
            value = [v for v in value if not (isinstance(v, dict) and v.get("@id") in gone)]
        elif isinstance(value, dict) and value.get("@id") in gone:
            continue
        if value != []:
            made[key] = value
    return made


def _link(entity: dict[str, Any]) -> dict[str, Any]:
    return {"@id": entity["@id"]}


def _file(name: str, about: tuple[int, str], sealed: dict[str, Any] | None) -> dict[str, Any]:
    """Describe a file of the crate: as the record's seal does, unless publishing made it anew."""
    size, digest = about
    if sealed and sealed.get("sha256") == digest:
        return sealed
    kind = "application/x-ipynb+json" if name.endswith(".ipynb") else mimetypes.guess_type(name)[0]
    made = _made(name, kind or "application/octet-stream")
    return {**made, "contentSize": str(size), "sha256": digest}


def _made(name: str, kind: str) -> dict[str, Any]:
    return {"@id": quote(name), "@type": "File", "name": _MADE.get(name, name), "encodingFormat": kind}


@functools.lru_cache(maxsize=64)
def _digested(bundle: Bundle, _made: int) -> dict[str, tuple[int, str]]:
    """Return size and digest of every file; a bundle never changes, but another may come to stand in its place."""
    return {name: (path.stat().st_size, sha256(path)) for name, path in files(bundle).items()}


def _made_at(bundle: Bundle) -> int:
    return (bundle.folder / "dashboard.json").stat().st_mtime_ns


def _entry(name: str, when: tuple[int, ...], path: Path | None = None) -> zipfile.ZipInfo:
    about = zipfile.ZipInfo(name, date_time=when)  # type: ignore[arg-type]
    about.external_attr = 0o644 << 16
    about.compress_type = zipfile.ZIP_DEFLATED
    about.file_size = path.stat().st_size if path else 0
    return about
