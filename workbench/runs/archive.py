"""A record as one zip file: out, and in again with every checksum verified. Called by ``genai4eu runs export|import``.

A zip from elsewhere is taken for hostile until it is verified: its names must be those that its own seal lists, below
one folder; nothing is unpacked that is larger than the seal says, and nothing is overwritten.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..errors import WorkbenchError
from ..verify.verdict import Verdict, keep, seal_of
from ..verify.verdict import folder as verdicts_of
from .record import CRATE, Record
from .seal import check, described, files

#: Bytes that an imported record may have, unless its reader allows more.
MOST = 50 * 10**9
#: Bytes of a seal, and files of a record, beyond which something is wrong.
_CRATE_MOST = 64 * 2**20
_FILES_MOST = 200_000
#: Bytes of a verdict.
_VERDICT_MOST = 16 * 2**20
_ID = re.compile(r"[A-Za-z0-9][\w.\- ]{0,199}", re.UNICODE)
_PIECE = 1 << 20
#: What reading a damaged or foreign zip may raise.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError, ValueError)


def export(record: Record, path: Path | None = None) -> Path:
    """Write a sealed record into one zip file, whole or not at all.

    Parameters
    ----------
    path : Path, optional
        The file; ``<id>.zip`` in this folder by default.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    WorkbenchError
        If the run still runs, its record was changed since it was sealed, or the file is there already.
    """
    if record.running:
        raise WorkbenchError(f"run {record.id} still runs: export it when it is done")
    found = check(record)
    if not found.whole:
        raise WorkbenchError(f"record {record.id} cannot be exported: {found.sentence()}")
    path = Path(f"{record.id}.zip") if path is None else path / f"{record.id}.zip" if path.is_dir() else path
    if path.exists():
        raise WorkbenchError(f"{path} is there already: choose another name")
    try:
        _write(record, path)
    except OSError as error:
        raise WorkbenchError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def _write(record: Record, path: Path) -> None:
    """Write the zip beside its place, then give it its name, unless another has taken that meanwhile."""
    handle, part = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in [CRATE, *files(record.folder)]:
                archive.write(record.folder / name, f"{record.id}/{name}")
            for verdict in sorted(verdicts_of(record.folder).glob("*.json")):
                archive.write(verdict, f"{record.id}.verdicts/{verdict.name}")
        Path(part).chmod(0o644)
        _name(Path(part), path)
    except FileExistsError:
        raise WorkbenchError(f"{path} is there already: choose another name") from None
    finally:
        Path(part).unlink(missing_ok=True)


def _name(part: Path, path: Path) -> None:
    """Give the whole file its name; what has the name already is kept, also where files have one name only."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(path) from None
        part.rename(path)


def bring(path: Path, root: Path, most: int = MOST) -> Record:
    """Unpack an exported record below ``root`` and verify every file of it; whole or not at all.

    Parameters
    ----------
    most : int
        Bytes that it may have.

    Raises
    ------
    WorkbenchError
        If the file is no exported record, is damaged, was changed, is too large, or names what is outside its folder;
        if there is a run of that id already.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _bring(archive, path, root, most)
    except FileNotFoundError:
        raise WorkbenchError(f"there is no file {path}: check the path") from None
    except _DAMAGED as error:
        why = " ".join(str(error).split()) or "unreadable"
        raise WorkbenchError(f"{path} is damaged, or no zip file: {why}") from None
    except OSError as error:
        raise WorkbenchError(f"cannot import {path} into {root}: {error.strerror or error}") from None


def _bring(archive: zipfile.ZipFile, path: Path, root: Path, most: int) -> Record:
    entries = _entries(archive, path)
    name = next(iter(entries)).partition("/")[0]
    if (root / name).exists():
        raise WorkbenchError(f"there is a run {name} in {root} already: remove that first, or import elsewhere")
    spoken = _verdicts(archive, path, entries, name)
    root.mkdir(parents=True, exist_ok=True)
    with _building(root) as building:
        crate = entries.pop(f"{name}/{CRATE}", None)
        if crate is None:
            raise WorkbenchError(f"{path} is no exported record: it has no {CRATE}")
        _unpack(archive, crate, building / CRATE, min(crate.file_size, _CRATE_MOST))
        sealed = {f"{name}/{p}": _size(about.get("contentSize")) for p, about in described(building).items()}
        if other := sorted(sealed.keys() ^ entries.keys()):
            raise WorkbenchError(f"{path} was changed: {other[0]} is not in both the zip and its seal")
        _afford(sum(sealed.values()), root, path, most)
        for entry, about in entries.items():
            _unpack(archive, about, building / entry.partition("/")[2], sealed[entry])
        _verify(building, name, path)
        building.chmod(0o755)
        building.rename(root / name)
    for said in spoken:
        if said.run == name and said.seal == seal_of(root / name):
            keep(root / name, said)
    return Record(root / name)


def _verdicts(archive: zipfile.ZipFile, path: Path, entries: dict[str, zipfile.ZipInfo], name: str) -> list[Verdict]:
    """Take the verdicts that came along out of the entries, and read them."""
    found = []
    for entry in [e for e in entries if e.startswith(f"{name}.verdicts/")]:
        about = entries.pop(entry)
        try:
            if about.file_size > _VERDICT_MOST:
                raise ValueError(f"{about.file_size} bytes")
            found.append(Verdict.model_validate_json(archive.read(about)))
        except ValueError:
            raise WorkbenchError(f"{path} is no exported record: {entry} is no verdict") from None
    return found


def _entries(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the files in a zip by name; refuse names that lead out of one folder, links, and doubles."""
    found: dict[str, zipfile.ZipInfo] = {}
    listed = [about for about in archive.infolist() if not about.is_dir()]
    for about in listed:
        name, parts = about.filename, PurePosixPath(about.filename).parts
        kind = stat.S_IFMT(about.external_attr >> 16)
        odd = "/".join(parts) != name or "\\" in name or "\0" in about.orig_filename
        outside = odd or len(parts) < 2 or ".." in parts
        top = listed[0].filename.partition("/")[0]
        if outside or parts[0] not in (top, f"{top}.verdicts") or not _ID.fullmatch(parts[0]):
            raise WorkbenchError(f"{path} is no exported record: it names {name!r}")
        if kind not in (0, stat.S_IFREG) or about.flag_bits & 1:
            raise WorkbenchError(f"{path} is no exported record: {name!r} is a link, or encrypted")
        if name in found:
            raise WorkbenchError(f"{path} is no exported record: {name!r} is in it twice")
        found[name] = about
    if not found or len(found) > _FILES_MOST:
        raise WorkbenchError(f"{path} is no exported record: it has {len(found):,} files")
    return found


def _size(text: object) -> int:
    """Return the size that a seal says; one that it does not say is that of an empty file."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19 else 0


def _afford(size: int, root: Path, path: Path, most: int) -> None:
    """Refuse what is larger than allowed, or than the disk."""
    if size > most:
        raise WorkbenchError(f"{path} unpacks to {size / 1e9:.1f} GB: allow that with --max-gb")
    free = shutil.disk_usage(root).free
    if size > free * 0.95:
        raise WorkbenchError(f"{path} unpacks to {size / 1e9:.1f} GB, and {root} has room for {free / 1e9:.1f}")


@contextmanager
def _building(root: Path) -> Iterator[Path]:
    """Give a folder beside the records, which is gone afterwards unless it was renamed."""
    building = Path(tempfile.mkdtemp(dir=root, prefix=".import-"))
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _unpack(archive: zipfile.ZipFile, about: zipfile.ZipInfo, place: Path, size: int) -> None:
    """Unpack a file of exactly ``size`` bytes."""
    place.parent.mkdir(parents=True, exist_ok=True)
    left = size
    with archive.open(about) as source, place.open("xb") as stream:
        while piece := source.read(min(_PIECE, left + 1)):
            left -= len(piece)
            if left < 0:
                break
            stream.write(piece)
    if left:
        raise WorkbenchError(f"{archive.filename} was changed: {about.filename} has another size than its seal says")


def _verify(building: Path, name: str, path: Path) -> None:
    """Hold every file to its seal, and the record to its name."""
    record = Record(building)
    found = check(record)
    if not found.whole:
        raise WorkbenchError(f"{path} was changed since it was sealed: {found.sentence()}")
    own = record.info["id"]
    if own != name:
        raise WorkbenchError(f"{path} is no exported record: it is called {name}, and the run in it {own}")
