"""One folder that holds a course and everything it runs on, for a room without a network.

Called by ``genai4eu course bundle``. The folder is whole or not there; what is in it stands in ``MANIFEST.json`` with
size and SHA-256, which ``start.py`` holds the files against before it installs anything.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from tqdm import tqdm

from ....dashboards.publishing.aside import aside
from ....errors import WorkbenchError
from ....runs.files import reason, write_json, write_text
from ...course import Course
from ..pack import digest
from ..pages import TEMPLATES
from . import wheels
from .needs import NODE, Needed, least_python, needed

FORMAT, MANIFEST = "genai4eu-course-bundle", "MANIFEST.json"
_PROXY = "configurable-http-proxy"
#: Bytes beside the packages: node, the proxy.
_BESIDE = 140 * 2**20
_WRITTEN = ("start.py", "start.sh", "README.md")
_REMEDY = "name another folder with --out"


def bundle(course: Course, out: Path, told: Callable[[str], None]) -> int:
    """Write the bundle of a course, and return how many bytes it has.

    Parameters
    ----------
    out : Path
        The folder; must not be there, or be empty.
    told : callable
        Is told what is done, and at first how large it will be.

    Raises
    ------
    WorkbenchError
        If a package is missing here or cannot be fetched, the disk is too small, or the folder is in use.
    """
    out = out.absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WorkbenchError(f"{out} is there already: {_REMEDY}")
    packages = needed(course.about.requires)
    _room_for(packages, course, out, told)
    npm = _npm()
    with aside(out.parent, _REMEDY) as folder:
        made = folder / "bundle"
        try:
            about = _fill(made, course, packages, npm, told)
            _seal(made, about)
            if out.exists():
                out.rmdir()
            made.rename(out)
        except OSError as error:
            raise WorkbenchError(f"{out} cannot be written ({reason(error)}): {_REMEDY}") from None
    return sum(file["size"] for file in about["files"].values())


def _fill(
    made: Path, course: Course, packages: list[Needed], npm: list[str], told: Callable[[str], None]
) -> dict[str, Any]:
    """Write everything but the manifest, and return what that says."""
    shutil.copytree(course.folder, made / "course" / course.name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    with tqdm(total=len(packages), desc="wheels", unit=" packages", leave=False, disable=None) as bar:
        wheels.fetch(packages, made / "wheels", lambda many: bar.update(many - bar.n))
    told("fetching node and the proxy")
    node = wheels.one(NODE, made / "wheels")
    _proxy(made / "proxy", npm)
    pinned = {package.name: package.version for package in packages} | {NODE: node}
    lines = sorted(f"{name}=={version}\n" for name, version in pinned.items())
    write_text(made / "wheels" / "requirements.txt", "".join(lines), durable=False)
    about = {
        "format": FORMAT, "version": 1, "course": course.name, "title": course.about.title[course.language],
        "course_version": course.about.version, "extras": course.about.requires, "packages": pinned,
        "python": least_python(packages), "system": platform.system(), "machine": platform.machine(),
        "libc": wheels.libc(made / "wheels"),
    }  # fmt: skip
    loader = jinja2.FileSystemLoader(TEMPLATES / "course" / "home" / "offline")
    templates = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    for name in _WRITTEN:
        write_text(made / name, templates.get_template(f"{name}.j2").render(about=about), durable=False)
    (made / "start.sh").chmod(0o755)
    return about


def _seal(made: Path, about: dict[str, Any]) -> None:
    """Write the manifest: what is in the bundle, with size and digest."""
    paths = sorted(path for path in made.rglob("*") if path.is_file())
    with tqdm(paths, desc="checksums", unit=" files", leave=False, disable=None) as bar:
        about["files"] = {
            path.relative_to(made).as_posix(): {"size": path.stat().st_size, "sha256": digest(path)} for path in bar
        }
    write_json(made / MANIFEST, about)


def _room_for(packages: list[Needed], course: Course, out: Path, told: Callable[[str], None]) -> None:
    """Say how large the bundle becomes, and refuse where the disk is too small for it."""
    own = sum(path.stat().st_size for path in course.folder.rglob("*") if path.is_file())
    most = sum(package.size for package in packages) + own + _BESIDE
    there = next(parent for parent in out.parents if parent.exists())
    free = shutil.disk_usage(there).free
    extras = f" with {', '.join(course.about.requires)}" if course.about.requires else ""
    told(f"{len(packages)} packages{extras}: at most {most / 1e9:.1f} GB, usually less than half of that; "
         f"{free / 1e9:.0f} GB are free")  # fmt: skip
    if most > free:
        raise WorkbenchError(f"{there} has {free / 1e9:.1f} GB left, the bundle may need {most / 1e9:.1f}: {_REMEDY}")


def _npm() -> list[str]:
    """Return npm's command, which brings the proxy."""
    found = shutil.which("npm")
    if found is None:
        raise WorkbenchError(f"npm is not here, and brings {_PROXY}: install Node.js, which has it")
    options = ("package-lock", "save", "audit", "fund")
    return [found, "install", "--ignore-scripts", "--silent", *(f"--no-{option}" for option in options)]


def _proxy(folder: Path, npm: list[str]) -> None:
    """Put JupyterHub's proxy and what it needs into a folder; without links, which not every stick has."""
    folder.mkdir()
    write_json(folder / "package.json", {"private": True}, durable=False)  # else npm looks for one further up
    done = subprocess.run([*npm, f"{_PROXY}@5"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise WorkbenchError(f"npm cannot get {_PROXY}: {last}")
    for links in folder.rglob(".bin"):
        shutil.rmtree(links)


def read(folder: Path) -> dict[str, Any]:
    """Return what a bundle's manifest says."""
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return content
