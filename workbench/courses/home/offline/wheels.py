"""Wheels of exactly what is installed here, fetched or built by pip. Called by bundling, which needs the network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from ....errors import WorkbenchError
from .needs import Needed

#: Packages that pip is asked for at once: it tells nothing while it works.
_AT_ONCE = 12
#: What of a source folder is no source.
_NO_SOURCE = (".*", "build", "dist", "*.egg-info", "__pycache__", "node_modules")


def fetch(needed: Sequence[Needed], folder: Path, told: Callable[[int], None]) -> None:
    """Put a wheel of each package into a folder.

    Parameters
    ----------
    told : callable
        Is told of how many packages there are wheels now.

    Raises
    ------
    WorkbenchError
        If pip cannot get or build one; the message says what pip said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = [package for package in needed if package.source is None]
    for at in range(0, len(plain), _AT_ONCE):
        _pip(folder, *(package.pinned for package in plain[at : at + _AT_ONCE]))
        told(at + len(plain[at : at + _AT_ONCE]))
    for package in needed:
        if package.source is not None:
            _own(package.source, folder)
    told(len(needed))
    _compare(needed, folder)


def one(wanted: str, folder: Path) -> str:
    """Put a wheel into the folder of something that is not installed here, and return its version."""
    before = set(folder.glob("*.whl"))
    _pip(folder, wanted)
    (made,) = set(folder.glob("*.whl")) - before
    return str(parse_wheel_filename(made.name)[1])


def _pip(folder: Path, *wanted: str) -> None:
    command = [sys.executable, "-P", "-m", "pip", "wheel", "--no-deps", "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), *wanted], capture_output=True, text=True, check=False, cwd=folder
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if re.search("error", line, re.I)] or [done.stderr.strip()]
        raise WorkbenchError(f"pip cannot get {', '.join(wanted)}: {lines[-1].strip() or 'it said nothing'}")


def _own(source: Path, folder: Path) -> None:
    """Build a package that was installed from a folder, from a copy: building leaves things behind."""
    if not (source / "pyproject.toml").is_file():
        raise WorkbenchError(f"{source} is no source of a package any more: install it again, then make the bundle")
    with tempfile.TemporaryDirectory(prefix="genai4eu-wheel-") as aside:
        copied = shutil.copytree(source, Path(aside) / "source", ignore=shutil.ignore_patterns(*_NO_SOURCE))
        _pip(folder, str(copied))


def _compare(needed: Sequence[Needed], folder: Path) -> None:
    """Hold what pip brought against what was asked for."""
    there = {_named(wheel) for wheel in folder.glob("*.whl")}
    absent = [package.pinned for package in needed if package.source is None and not _in(package, there)]
    if absent:
        raise WorkbenchError(
            f"pip brought other versions than are installed here, and none of {', '.join(absent)}: try again"
        )


def _in(package: Needed, there: set[tuple[str, Version]]) -> bool:
    return (package.name, Version(package.version)) in there


def _named(wheel: Path) -> tuple[str, Version]:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return str(name), version


def libc(folder: Path) -> list[int]:
    """Return the oldest glibc that all wheels of a folder run with."""
    least = [2, 17]
    for wheel in folder.glob("*.whl"):
        named = re.findall(r"manylinux_(\d+)_(\d+)_", wheel.name)
        if named:  # a wheel may name several: any of them will do
            least = max(least, min([int(major), int(minor)] for major, minor in named))
    return least
