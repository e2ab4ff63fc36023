"""The seal: whether a record is still what it was when it was sealed. Called by ``runs check``, export and import.

The seal is the crate's list of every file with its size and SHA-256. It finds any accident and any change that leaves
the crate alone. Whoever may write the folder can also write a new crate with new digests; that is found only by the
crate's own digest, the *fingerprint*, noted elsewhere: a paper, a dashboard, another person's copy.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..errors import WorkbenchError
from .record import CRATE, Record

#: Beginnings of names that are no part of a record: its lock, the crate being written, what NFS keeps for a reader.
_PASSING = (".lock", f".{CRATE}.", ".nfs")
#: The property of a crate that says that it was not made by its own run.
LATE = "disambiguatingDescription"


@dataclass(frozen=True)
class Check:
    """What a look at every file of a record found.

    Attributes
    ----------
    changed, missing, added : list of str
        Paths in the record, in the order of the alphabet.
    fingerprint : str or None
        SHA-256 of the crate; None where the record is not sealed.
    late : str or None
        What the crate says where another command sealed the run than its own.
    """

    run: str
    sealed: bool
    fingerprint: str | None
    late: str | None = None
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether the record is sealed and nothing was changed since."""
        return self.sealed and not (self.changed or self.missing or self.added)

    def about(self) -> dict[str, Any]:
        """Return all of it, for scripts."""
        return {**asdict(self), "whole": self.whole}

    def sentence(self) -> str:
        """Say in one line what was found."""
        if not self.sealed:
            return "not sealed: nothing to compare with"
        kinds = {"changed": self.changed, "missing": self.missing, "added": self.added}
        found = [f"{kind} {', '.join(paths)}" for kind, paths in kinds.items() if paths]
        said = "; ".join(found) or "unchanged"
        return f"{said}. {self.late}" if self.late else said


def check(record: Record, noted: str | None = None) -> Check:
    """Compare every file of a record with its seal.

    Parameters
    ----------
    noted : str, optional
        The fingerprint as it was noted when the run ended; a crate with another one counts as changed.

    Raises
    ------
    WorkbenchError
        If there is no such record.
    """
    if not record.folder.is_dir():
        raise WorkbenchError(f"unknown run {record.id!r}: 'genai4eu runs list' shows those that there are")
    if not record.sealed:
        return Check(record.id, False, None)
    sealed = digests(record)
    mark = fingerprint(record)
    other = noted is not None and noted.strip().lower() != mark
    if other or not sealed.keys() >= {"run.json"}:
        return Check(record.id, True, mark, changed=[CRATE])
    present = set(files(record.folder))
    changed = [p for p in sorted(present & sealed.keys()) if not _same(record.folder / p, sealed[p])]
    missing, added = sorted(sealed.keys() - present), sorted(present - sealed.keys())
    return Check(record.id, True, mark, _late(record.folder), changed, missing, added)


def _late(folder: Path) -> str | None:
    """Return what the crate says of a seal that its run did not make."""
    graph = json.loads((folder / CRATE).read_text(encoding="utf-8"))["@graph"]
    found = next((e for e in graph if isinstance(e, dict) and e.get("@id") == "./"), {}).get(LATE)
    return found if isinstance(found, str) else None


def _same(path: Path, digest: str) -> bool:
    """Tell whether a file has this digest; a link is never what was sealed, one that cannot be read neither."""
    try:
        return not path.is_symlink() and sha256(path) == digest
    except OSError:
        return False


def fingerprint(record: Record) -> str:
    """Return the SHA-256 of the crate: one line to note elsewhere, that stands for the whole record."""
    return sha256(record.folder / CRATE)


def digests(record: Record) -> dict[str, str]:
    """Return the SHA-256 that every file had when the record was sealed, by path; empty where the crate is damaged."""
    return {path: about["sha256"] for path, about in described(record.folder).items()}


def described(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the crate in ``folder`` says of each file, by path."""
    try:
        return described_by(json.loads((folder / CRATE).read_text(encoding="utf-8"))["@graph"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def described_by(graph: list[Any]) -> dict[str, dict[str, Any]]:
    """Return what the graph of a crate says of each file, by path."""
    entities = [e for e in graph if isinstance(e, dict) and isinstance(e.get("sha256"), str)]
    return {unquote(str(e["@id"])): e for e in entities}  # names are written as in addresses


def files(folder: Path) -> list[str]:
    """Return the record's files in a fixed order, without the crate's own."""
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() or p.is_symlink())
    return sorted(f for f in found if f != CRATE and not Path(f).name.startswith(_PASSING))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
