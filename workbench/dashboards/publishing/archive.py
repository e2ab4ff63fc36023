"""One file that holds a dashboard: a zip that another centre serves, and the list of what is in it. By publishing.

The same dashboard gives the same bytes. ``manifest.json`` comes first: format, address, size and SHA-256 of each file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ..bundle import Bundle

FORMAT = "genai4eu-dashboard"
#: Raised with every change that an earlier reader would not understand.
VERSION = 1
MANIFEST = "manifest.json"
#: The first time that a zip can tell: what matters is in the files.
_TIME = (1980, 1, 1, 0, 0, 0)


def pack(bundle: Bundle, target: Path) -> Path:
    """Write a version of a dashboard into one file, whole or not at all.

    Parameters
    ----------
    target : Path
        A name that ends with ``.zip``; an earlier bundle of that name is replaced, nothing else is.

    Raises
    ------
    WorkbenchError
        If the dashboard is damaged, or the file cannot be written.
    """
    target = target.absolute()
    if target.suffix != ".zip":
        raise WorkbenchError(f"{target.name} is no name for a bundle: let it end with .zip")
    if target.exists() and not zipfile.is_zipfile(target):
        raise WorkbenchError(f"{target} is something else than a bundle: choose another name, or move it away")
    bundle.info, bundle.blocks  # noqa: B018 - what is damaged is not given away
    paths = sorted(p.relative_to(bundle.folder).as_posix() for p in bundle.folder.rglob("*") if p.is_file())
    about = {path: _about(bundle.folder / path) for path in paths}
    manifest = {"format": FORMAT, "version": VERSION, "slug": bundle.slug, "number": bundle.number, "files": about}
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as building:
            made = Path(building) / target.name
            _write(made, bundle, manifest)
            made.replace(target)
    except OSError as error:
        raise WorkbenchError(f"cannot write {target} ({error.strerror or error}): choose another folder") from None
    return target


def _write(made: Path, bundle: Bundle, manifest: dict[str, Any]) -> None:
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(_entry(MANIFEST), json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        for path in manifest["files"]:
            with (bundle.folder / path).open("rb") as source, archive.open(_entry(path), "w") as copy:
                shutil.copyfileobj(source, copy, 2**20)


def _about(path: Path) -> dict[str, Any]:
    """Return what the manifest says of a file."""
    with path.open("rb") as stream:
        return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest(), "size": path.stat().st_size}


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    return entry
