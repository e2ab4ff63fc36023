"""The packages of the kernel, and wheels of those that no index has. Its text is sent to the kernel by ``survey``.

Standard library only, no relative import. A wheel is made of the very files that the kernel imports, so that neither
a build tool nor a network is needed, and nothing is written into anybody's checkout.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import re
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

_SKIPPED = ("__pycache__", ".ipynb_checkpoints", "node_modules")
#: Of an installation, not of the package.
_INSTALLED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def listing() -> str:
    """Return ``packages``, versions by name, and ``local``, those that no index has, as JSON."""
    return json.dumps(_listing())


def _listing() -> dict[str, Any]:
    """Return name and version of every package, and which of them no index has.

    Reading hundreds of small files is saved where no folder of packages changed since it was done last.
    """
    folders = [Path(p) for p in dict.fromkeys(sys.path) if p and Path(p).is_dir()]
    marks = [(str(f), f.stat().st_mtime_ns) for f in folders]
    kept = _cache() / f"{hashlib.sha256(repr((sys.version, marks)).encode()).hexdigest()[:24]}.json"
    try:
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = _read(folders)
        _keep(kept, found)
    for about in found["local"].values():
        about["key"] = _key(about)
    return found


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genai4eu" / "kernel"


def _keep(path: Path, found: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(json.dumps(found), encoding="utf-8")
        part.replace(path)
    except OSError:
        pass  # read anew next time


def _read(folders: list[Path]) -> dict[str, Any]:
    """Read what is installed; of two installations of a package the first counts, as in an import."""
    packages: dict[str, str] = {}
    local: dict[str, dict[str, str]] = {}
    seen = set()
    for pattern in ("*.dist-info", "*.egg-info"):
        for about in (p for folder in folders for p in sorted(folder.glob(pattern))):
            name, version = _name(about)
            normal = re.sub(r"[-_.]+", "-", name).lower()
            if not name or normal in seen:
                continue
            seen.add(normal)
            packages[name] = version
            if (origin := _origin(about)) is not None:
                local[name] = {"version": version, "about": str(about), **origin}
    return {"packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())), "local": local}


def _name(about: Path) -> tuple[str, str]:
    """Return name and version, which stand in the first lines of the metadata."""
    names = [about] if about.is_file() else [about / "METADATA", about / "PKG-INFO"]
    for path in names:
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as stream:
                head = dict(line.strip().split(": ", 1) for line in _header(stream))
            return head.get("Name", ""), head.get("Version", "")
    return "", ""


def _header(stream: Any) -> Any:
    for line in stream:
        if not line.strip():
            return
        if line.startswith(("Name: ", "Version: ")):
            yield line


def _origin(about: Path) -> dict[str, str] | None:
    """Return where a package came from that was not taken from an index."""
    try:
        url = json.loads((about / "direct_url.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if "archive_info" in url and url["url"].startswith("https:"):
        return {"url": url["url"]}
    return {"editable": "yes"} if url.get("dir_info", {}).get("editable") else {"installed": "yes"}


def _key(about: dict[str, str]) -> str | None:
    """Return what changes with every change of the package's files, as ``stat`` sees them; None where it has a URL."""
    if "url" in about:
        return None
    digest = hashlib.sha256(repr(sorted(about.items())).encode())
    for name, path in sorted(_files(about).items()):
        status = os.stat(path)  # noqa: PTH116  # a checkout has hundreds
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


def _files(about: dict[str, str]) -> dict[str, Path]:
    """Return the package's files by the name that they have in a wheel."""
    info = Path(about["about"])
    rows = [line.rsplit(",", 2)[0] for line in _lines(info / "RECORD")]
    names = {f"{info.name}/{p.relative_to(info).as_posix()}": p for p in info.rglob("*")
             if p.is_file() and p.name not in _INSTALLED}  # fmt: skip
    if "editable" not in about:
        kept = [r for r in rows if not r.startswith(("..", "/", info.name)) and "__pycache__" not in r]
        return {**names, **{r: info.parent / r for r in kept if (info.parent / r).is_file()}}
    for row in rows:
        if row.endswith("finder.py") and row.startswith("__editable__"):
            for package, place in _mapping(info.parent / row).items():
                names.update(_tree(package.replace(".", "/"), Path(place)))
        elif row.endswith(".pth"):
            for line in _lines(info.parent / row):
                if Path(line).is_dir():
                    names.update(_importable(Path(line), info))
    return names


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _mapping(finder: Path) -> dict[str, str]:
    """Return where an editable installation finds each package: setuptools writes it down as a literal."""
    for node in ast.parse(finder.read_text(encoding="utf-8")).body:
        names = [t.id for t in getattr(node, "targets", [getattr(node, "target", None)]) if isinstance(t, ast.Name)]
        if names == ["MAPPING"] and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
            found: dict[str, str] = ast.literal_eval(node.value)
            return found
    return {}


def _importable(folder: Path, info: Path) -> dict[str, Path]:
    """Return the packages in a folder on the path that are those of this installation."""
    named = _lines(info / "top_level.txt") or [re.sub(r"[-.]+", "_", info.name.split("-")[0]).lower()]
    found: dict[str, Path] = {}
    for name in named:
        place = folder / name
        found.update(_tree(name, place if place.is_dir() else folder / f"{name}.py"))
    return found


def _tree(name: str, place: Path) -> dict[str, Path]:
    if place.is_file():
        return {f"{name}{place.suffix}" if not name.endswith(place.suffix) else name: place}
    found = {}
    for folder, folders, files in os.walk(place):
        folders[:] = [f for f in folders if f not in _SKIPPED and not f.startswith(".")]
        for file in files:
            path = Path(folder) / file
            if path.suffix != ".pyc" and not file.startswith(".") and path.is_file():
                found[f"{name}/{path.relative_to(place).as_posix()}"] = path
    return found


def wheel(name: str, folder: str) -> str:
    """Make a wheel of an installed package in ``folder``; return its name, size and SHA-256 as JSON.

    The same files make the same wheel, byte by byte.
    """
    about = _listing()["local"][name]
    files = _files(about)
    if not [path for path in files if ".dist-info/" not in path and ".egg-info/" not in path]:
        raise ValueError(f"cannot tell which files belong to {name}")
    info = f"{re.sub(r'[-_.]+', '_', name)}-{about['version']}.dist-info"
    old = Path(about["about"]).name
    files = {path.replace(old, info, 1) if path.startswith(f"{old}/") else path: p for path, p in files.items()}
    files.pop(f"{info}/WHEEL", None)
    tag = _tag(files)
    pure = "true" if tag.endswith("none-any") else "false"
    made = Path(folder) / f"{info.removesuffix('.dist-info')}-{tag}.whl"
    rows = []
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files):
            rows.append(_add(archive, path, files[path].read_bytes()))
        said = f"Wheel-Version: 1.0\nGenerator: genai4eu\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"
        rows.append(_add(archive, f"{info}/WHEEL", said.encode()))
        _add(archive, f"{info}/RECORD", "".join([*rows, f"{info}/RECORD,,\n"]).encode())
    with made.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return json.dumps({"file": made.name, "size": made.stat().st_size, "sha256": digest})


def _tag(files: dict[str, Path]) -> str:
    """Return for which interpreters and systems the files are."""
    if not any(path.endswith((".so", ".pyd", ".dylib")) for path in files):
        return "py3-none-any"
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{version}-{version}-{re.sub(r'[-.]', '_', sysconfig.get_platform())}"


def _add(archive: zipfile.ZipFile, path: str, content: bytes) -> str:
    """Add a file without a date; return its line for the record of the wheel."""
    entry = zipfile.ZipInfo(path)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(entry, content)
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    quoted = f'"{path}"' if "," in path else path
    return f"{quoted},sha256={digest},{len(content)}\n"
