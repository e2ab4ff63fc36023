"""A participant's bundle taken apart at home, whole or not at all. Called by ``genai4eu course continue``.

The zip may have come by any way: names that lead out of its one folder, links and sizes that it lies about are refused.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ...errors import WorkbenchError
from ...runs.files import reason
from ..desk import ABOUT, ASIDE
from .collect import REPORT
from .tree import MOST, MOST_FILES

#: Bytes and files that a bundle may have: a seat's work, the room's copies of it, and the course.
BYTES, FILES = 4 * MOST, 4 * MOST_FILES
_PIECE = 2**20
#: What reading a damaged or foreign zip may raise.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError, ValueError)


def unpack(path: Path, into: Path) -> Path:
    """Unpack a bundle into a folder, and return the lessons' folder in it.

    Raises
    ------
    WorkbenchError
        If it is no bundle, is damaged or too large, or the lessons' folder is there already.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive, path)
            top = into / PurePosixPath(entries[0].filename).parts[0]
            if top.exists():
                raise WorkbenchError(f"{top} is there already: 'genai4eu course continue {top.name}' opens it")
            with tempfile.TemporaryDirectory(dir=into, prefix=".unpacking-") as aside:
                for entry in entries:
                    _write(archive, entry, Path(aside) / entry.filename)
                (Path(aside) / top.name).rename(top)
    except _DAMAGED as error:
        why = " ".join(str(error).split()) or "unreadable"
        raise WorkbenchError(f"{path} is damaged, or no zip file ({why}): ask your trainer for it again") from None
    except OSError as error:
        raise WorkbenchError(f"{path} cannot be unpacked in {into} ({reason(error)}): go to another folder") from None
    return top


def _entries(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """Return the files of a bundle, all below one folder."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    names = [entry.filename for entry in entries]
    if REPORT in names:
        raise WorkbenchError(f"{path} holds everybody's work: unpack it, and continue with one of its seats/*.zip")
    top = names[0].partition("/")[0] if names else ""
    if f"{top}/{ASIDE}/{ABOUT}" not in names:
        raise WorkbenchError(f"{path} is no participant's bundle: it has no {ASIDE}/{ABOUT}")
    if odd := next((entry.filename for entry in entries if _odd(entry, top)), None):
        raise WorkbenchError(f"{path} is no participant's bundle: it names {odd!r}")
    if len(entries) > FILES or sum(entry.file_size for entry in entries) > BYTES or len(set(names)) < len(names):
        raise WorkbenchError(f"{path} is no participant's bundle: it has more files or bytes than one")
    return entries


def _odd(entry: zipfile.ZipInfo, top: str) -> bool:
    name, parts = entry.filename, PurePosixPath(entry.filename).parts
    kind = stat.S_IFMT(entry.external_attr >> 16)
    plain = kind in (0, stat.S_IFREG) and not entry.flag_bits & 1
    inside = "/".join(parts) == name and parts[0] == top not in ("", ".", "..") and ".." not in parts
    return not plain or not inside or "\\" in name or len(parts) < 2 or not name.isprintable()


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Unpack a file of exactly the size that the zip says: ``zipfile`` itself stops there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("xb") as out:
        shutil.copyfileobj(source, out, _PIECE)
