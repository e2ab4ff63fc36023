"""Take a bundle of another centre apart: all of it is verified before anything is unpacked. For ``genai4eu serve``.

Nothing that a zip says of itself is believed: names, sizes and digests are held against what is read, byte by byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import jinja2

from ...errors import WorkbenchError
from ...runs.files import write_json
from ..bundle import Bundle
from ..dashboard import SITE, SLUG, Dashboard
from ..pages import frozen
from ..pages.entry import entry
from ..pages.language import LANGUAGES
from ..publishing.archive import FORMAT, MANIFEST, VERSION
from ..publishing.markup import harmless

#: Most files, bytes of all of them, bytes of the manifest, and times that the whole may be larger than the zip.
FILES, BYTES, LIST, RATIO = 20_000, 4 * 2**30, 16 * 2**20, 200
#: Below this many bytes nothing is a bomb.
_HARMLESS = 64 * 2**20
_PART = re.compile(r"[^\x00-\x1f\x7f/\\:]{1,240}")
_PICTURE = re.compile(r"media/[0-9a-f]{16}\.(?:png|jpg|svg|gif|webp)")
#: What runs: in a kernel, or in a visitor's browser.
_CODE = re.compile(r"live\.ipynb|media/[^/]*\.js")


def unpack(path: Path, root: Path, *, trusted: bool = False) -> Dashboard:
    """Verify a bundle and unpack it below ``root``.

    Parameters
    ----------
    trusted : bool
        Whether its code may run: the live part in kernels of this computer, scripts of its widgets in visitors'
        browsers. Without, it is shown as it was recorded.

    Raises
    ------
    WorkbenchError
        If it is no bundle, or not what its manifest says, or too large, or its address is taken.
    """
    with _opened(path) as archive:
        manifest = _manifest(path, archive)
        for name, about in manifest["files"].items():
            _read(path, archive, name, about, None)
        folder = root / manifest["slug"] / "versions" / str(manifest["number"])
        if folder.parent.parent.exists():
            raise WorkbenchError(f"{path}: another dashboard is called {manifest['slug']}: serve one of them")
        if shutil.disk_usage(root).free < sum(about["size"] for about in manifest["files"].values()):
            raise WorkbenchError(f"{path}: too little space in {root}: free some, or set TMPDIR")
        for name, about in manifest["files"].items():
            if trusted or not _CODE.fullmatch(name):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                with (folder / name).open("wb") as copy:
                    _read(path, archive, name, about, copy)
    guest = "trusted" if trusted else "recorded"
    dashboard = Dashboard(root / manifest["slug"])
    write_json(dashboard.folder / SITE, {"current": manifest["number"], "guest": guest})
    try:
        if not trusted:
            _disarm(Bundle(folder))
        _try_out(dashboard)
    except (jinja2.TemplateError, WorkbenchError, LookupError, TypeError, ValueError, AttributeError):
        shutil.rmtree(dashboard.folder)
        raise _damaged(path, "its pages cannot be shown") from None
    return dashboard


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip; whatever is wrong with its inside is one clear error."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise WorkbenchError(f"there is no {path}: check the name") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError):
        raise _damaged(path, "it is no zip, or a part of it is missing") from None
    except OSError as error:
        raise WorkbenchError(f"{path} cannot be unpacked ({error.strerror or error})") from None


def _manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return the manifest, held against what is in the zip."""
    entries = archive.infolist()
    if len(entries) > FILES:
        raise _damaged(path, f"it has {len(entries):,} files, more than {FILES:,}")
    names = [_checked(path, entry) for entry in entries]
    if len({name.casefold() for name in names}) < len(names):
        raise _damaged(path, "it has two files of one name")
    manifest = _parsed(path, archive) if MANIFEST in names else None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _damaged(path, f"it has no {MANIFEST} of a dashboard; make one with genai4eu publish RUN --bundle x.zip")
    if manifest.get("version") != VERSION:
        raise WorkbenchError(
            f"{path} has format {manifest.get('version')!r}, here {VERSION} is read: update the workbench"
        )
    if not _sound(manifest):
        raise _damaged(path, f"its {MANIFEST} is damaged")
    if manifest["files"].keys() != set(names) - {MANIFEST}:
        raise _damaged(path, f"its files are not those of its {MANIFEST}")
    total = sum(about["size"] for about in manifest["files"].values())
    if total > BYTES or total > max(_HARMLESS, RATIO * path.stat().st_size):
        raise _damaged(path, f"it would unpack to {total / 1e6:,.0f} MB")
    return manifest


def _checked(path: Path, entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry that is a plain file at a plain place."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or entry.is_dir():
        raise _damaged(path, f"{entry.filename[:80]!r} in it is no plain file")
    if entry.flag_bits & 0x1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _damaged(path, f"{entry.filename[:80]!r} in it is encrypted, or packed in another way than bundles are")
    parts = entry.orig_filename.split("/")
    if entry.orig_filename != entry.filename or not all(_PART.fullmatch(p) and p not in (".", "..") for p in parts):
        raise _damaged(path, f"{entry.orig_filename[:80]!r} in it is no name for a file of a dashboard")
    return entry.filename


def _parsed(path: Path, archive: zipfile.ZipFile) -> object:
    with archive.open(MANIFEST) as stream:
        text = stream.read(LIST + 1)
    if len(text) > LIST:
        raise _damaged(path, f"its {MANIFEST} is too long")
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found


def _sound(manifest: dict[str, Any]) -> bool:
    """Tell whether a manifest says all that is needed, in the right kinds."""
    slug, number, files = (manifest.get(name) for name in ("slug", "number", "files"))
    return (
        isinstance(slug, str) and bool(SLUG.fullmatch(slug))
        and type(number) is int and 0 < number < 10**6
        and isinstance(files, dict)
        and all(
            isinstance(a, dict) and type(a.get("size")) is int and a["size"] >= 0 and isinstance(a.get("sha256"), str)
            for a in files.values()
        )
    )  # fmt: skip


def _read(path: Path, archive: zipfile.ZipFile, name: str, about: dict[str, Any], copy: IO[bytes] | None) -> None:
    """Read a file to its end, never further than it is said to reach, and hold it against its digest."""
    digest, left = hashlib.sha256(), about["size"]
    with archive.open(name) as stream:
        while chunk := stream.read(min(2**20, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            if copy is not None:
                copy.write(chunk)
    if left or digest.hexdigest() != about["sha256"]:
        raise _damaged(path, f"{name} in it is not what its {MANIFEST} says")


def _disarm(bundle: Bundle) -> None:
    """Leave nothing in a page that could run; pages of our own making lose nothing but their live part."""
    content = bundle.read("page.json")
    blocks = [{**b, "html": harmless(str(b["html"])), "model": None} for b in bundle.blocks]
    write_json(bundle.folder / "page.json", {**content, "blocks": blocks, "part": None})


def _try_out(dashboard: Dashboard) -> None:
    """Put together all that a visitor may ask for, in every language, before the first one comes; it may fail."""
    bundle = dashboard.current
    figure = bundle.info["figure"]
    if figure is not None and not _PICTURE.fullmatch(figure["src"]):
        raise ValueError("a picture outside the bundle")
    found = entry(dashboard)
    _ = found.headline, found.sector, found.factory, found.rank  # what its card shows
    for language in LANGUAGES:
        for name in ("index", "evidence"):
            frozen.html(bundle, name, language, "../../")


def _damaged(path: Path, why: str) -> WorkbenchError:
    return WorkbenchError(f"{path} is no bundle that can be served: {why}. Ask who made it for another copy")
