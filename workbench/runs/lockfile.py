"""The lock file: every package of the kernel as pip can install it, with wheels of those that no index has.

``pip install --no-deps -r requirements.txt``, typed in the record's folder, makes the environment anew. Wheels are
made once for the same files and linked into every record that needs them. Called by ``survey``.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

from ..errors import WorkbenchError
from .files import write_bytes, write_text

NAME = "requirements.txt"
FOLDER = "wheels"
#: Bytes of a wheel beyond which it is not kept in every record.
MOST = 200 * 2**20
_CHUNK = 4 * 2**20
#: Not a part of what ran.
_TOOLS = frozenset({"pip"})
_WHEEL = re.compile(r"[A-Za-z0-9_.]+-[A-Za-z0-9_.+!]+-[A-Za-z0-9_]+-[A-Za-z0-9_]+-[A-Za-z0-9_]+\.whl")

Make = Callable[[str], dict[str, Any]]


def keep(record: Path, found: dict[str, Any], make: Make, ask: Callable[..., str]) -> None:
    """Write ``requirements.txt`` and ``wheels/`` into a record.

    Parameters
    ----------
    found : dict
        ``packages`` and ``local``, as the kernel's side lists them.
    make : callable
        Makes a wheel of a package on the kernel's side, and returns its ``file``, ``size`` and ``sha256``.
    ask : callable
        Reads it there.
    """
    lines = []
    for name, version in found["packages"].items():
        if name.lower() in _TOOLS:
            continue
        about = found["local"].get(name)
        lines.append(_exact(name, version) if about is None else _local(record, name, about, make, ask))
    write_text(record / NAME, "\n".join([*_HEAD, *lines, ""]), durable=False)


_HEAD = (
    "# Every package of the kernel that ran this. In this folder: pip install --no-deps -r requirements.txt",
    "# (nothing is missing: with --no-deps pip need not look for more)",
)


def _exact(name: str, version: str) -> str:
    """Return the line of a package that an index has. A build's own label (1.0+cpu) is known to few of them."""
    public = version.partition("+")[0]
    return f"{name}=={public}" + ("" if public == version else f"  # here {version}; any build of {public} will do")


def _local(record: Path, name: str, about: dict[str, Any], make: Make, ask: Callable[..., str]) -> str:
    """Return the line of a package that no index has; where no wheel can be kept, one that says why."""
    if "url" in about:
        return f"{name} @ {about['url']}"
    try:
        wheel = _known(about["key"]) or _fetch(name, about["key"], make, ask)
        _place(wheel, record / FOLDER / wheel.name)
    except (WorkbenchError, OSError) as error:
        return f"# {name} {about['version']}: in no index, and no wheel could be kept: {_line(error)}"
    return f"./{FOLDER}/{wheel.name}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _cache(key: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{8,64}", key):
        raise WorkbenchError(f"the kernel names a wheel strangely: {key!r}")
    return platformdirs.user_cache_path("genai4eu") / "wheels" / key


def _known(key: str) -> Path | None:
    """Return the wheel that was made of the same files before."""
    return next(iter(sorted(_cache(key).glob("*.whl"))), None)


def _fetch(name: str, key: str, make: Make, ask: Callable[..., str]) -> Path:
    """Let the kernel's side make a wheel, and bring it here."""
    about = make(name)
    if about["size"] > MOST:
        raise WorkbenchError(f"it has {about['size'] / 2**20:.0f} MB")
    if not _WHEEL.fullmatch(about["file"]):
        raise WorkbenchError(f"the kernel names a wheel strangely: {about['file']!r}")
    content = b"".join(base64.b64decode(ask("read", about["file"], o, _CHUNK)) for o in range(0, about["size"], _CHUNK))
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise WorkbenchError("it changed on its way from the kernel")
    place = _cache(key) / str(about["file"])
    place.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(place, content)
    place.chmod(0o444)  # records share it
    return place


def _place(wheel: Path, place: Path) -> None:
    """Link a wheel into a record, or copy it where that cannot be done."""
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.link(wheel, place)
    if not place.exists():
        shutil.copyfile(wheel, place)
