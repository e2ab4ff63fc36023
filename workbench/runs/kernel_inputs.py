"""What a run read: size and SHA-256 of files and folders where the kernel is. Its text is sent to the kernel.

Standard library only, no relative import. Called by ``survey`` for parameters that are paths, and by ``run.input``.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
from pathlib import Path
from typing import Any

#: Bytes beyond which content is not read for its checksum; a data set of this size takes minutes.
MOST = 20 * 2**30
#: Files of a folder beyond which it is not read either.
MANY = 20_000


def describe(path: str) -> dict[str, Any] | None:
    """Return size [B], SHA-256 and time of a file, or of a folder with all that is in it; None where there is none.

    The SHA-256 of a folder is that of one line for each file, ``<sha256>  <path>``, in the order of the paths, as
    ``sha256sum`` prints them.
    """
    place = Path(path).expanduser()
    if place.is_file():
        size = place.stat().st_size
        return {"kind": "file", "size": size, **({"sha256": _sha256(place)} if size <= MOST else _unread())}
    if not place.is_dir():
        return None
    files = sorted(itertools.islice((p for p in place.rglob("*") if p.is_file()), MANY + 1))
    if len(files) > MANY:
        return {"kind": "folder", "size": None, "sha256": None, "why": f"more than {MANY:,} files"}
    size = sum(p.stat().st_size for p in files)
    about = {"kind": "folder", "files": len(files), "size": size}
    if size > MOST:
        return {**about, **_unread()}
    lines = "".join(f"{_sha256(p)}  {p.relative_to(place).as_posix()}\n" for p in files)
    return {**about, "sha256": hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()}


def _unread() -> dict[str, Any]:
    return {"sha256": None, "why": f"larger than {MOST / 2**30:.0f} GiB"}


def _sha256(path: Path) -> str:
    """Return the digest of a file; of a large one, from the last time, where it has not changed since."""
    about = path.stat()
    if about.st_size < 2**26:
        return _digest(path)
    mark = f"{path.resolve()} {about.st_size} {about.st_mtime_ns} {about.st_ino}"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genai4eu" / "digests"
    kept = cache / hashlib.sha256(mark.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    with contextlib.suppress(OSError):
        return kept.read_text(encoding="ascii")
    digest = _digest(path)
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}")
        part.write_text(digest, encoding="ascii")
        part.replace(kept)
    return digest


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def note(folder: str, paths: dict[str, str]) -> str:
    """Add to ``inputs.json`` in the run's folder what there is of the paths; return all of it as JSON.

    Parameters
    ----------
    paths : dict
        Which parameter holds the path, by path; the name is empty where it is none.
    """
    kept = Path(folder) / "inputs.json"
    inputs: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for path, name in paths.items():
        if (about := describe(path)) is not None:
            inputs[path] = {**about, **({"parameter": name} if name else {})}
    if inputs:
        part = kept.with_name(".inputs.json.part")
        part.write_text(json.dumps(inputs, indent=2, ensure_ascii=False), encoding="utf-8")
        part.replace(kept)
    return json.dumps(inputs)
