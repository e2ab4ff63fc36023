"""A course in a folder of its own, for a room without a network."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

from genai4eu.courses.course import Course
from genai4eu.courses.home.offline import bundling, wheels
from genai4eu.courses.home.offline.needs import Needed, least_python, needed
from genai4eu.courses.home.pages import TEMPLATES
from genai4eu.errors import WorkbenchError

Change = Callable[[dict[str, Any]], None]
SITTING = Path(__file__).with_name("sitting.py")


def test_only_what_the_course_needs_goes_along() -> None:
    light = {package.name: package for package in needed([])}
    assert {"genai4eu", "jupyterhub", "nbgrader", "jupyterlab", "numpy", "httpx"} <= light.keys()
    assert not {"torch", "monai", "pytest", "mypy"} & light.keys()
    assert light["genai4eu"].source is not None  # installed from its folder here: its wheel is built
    health = {package.name for package in needed(["health"])}
    assert {"torch", "monai"} <= health
    with pytest.raises(WorkbenchError, match="genai4eu has no extra 'helth'"):
        needed(["helth"])


def test_the_oldest_python_is_what_every_package_runs_on() -> None:
    major, minor, micro = sys.version_info[:3]

    def least(*wanted: str) -> list[int]:
        return least_python([Needed("a", "1", 0, None, python) for python in wanted])

    assert least("", ">=3.9", f">={major}.{minor}") == [major, minor, 0]
    assert least(f">={major}.{minor}.2", f"!={major}.{minor}.3,>={major}.{minor}.1") == [major, minor, min(2, micro)]


@pytest.mark.parametrize(
    ("names", "least"),
    [
        ([], [2, 17]),
        (["a-1-py3-none-any.whl", "b-1-cp311-cp311-manylinux_2_28_x86_64.whl"], [2, 28]),
        (["b-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.manylinux_2_34_x86_64.whl"], [2, 17]),
    ],
)
def test_the_oldest_system_is_read_off_the_wheels(tmp_path: Path, names: list[str], least: list[int]) -> None:
    for name in names:
        (tmp_path / name).write_text("")
    assert wheels.libc(tmp_path) == least


def test_nothing_is_begun_where_it_cannot_end(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(folder)
    said: list[str] = []
    with pytest.raises(WorkbenchError, match="is there already"):
        bundling.bundle(course, folder, said.append)
    assert said == []
    full = shutil._ntuple_diskusage(10**9, 10**9, 1000)
    with monkeypatch.context() as small, pytest.raises(WorkbenchError, match="the bundle may need"):
        small.setattr("shutil.disk_usage", lambda _: full)
        bundling.bundle(course, tmp_path / "out", said.append)
    assert "packages: at most" in said[0]
    with pytest.raises(WorkbenchError, match="npm is not here"):
        monkeypatch.setenv("PATH", "/nowhere")
        bundling.bundle(course, tmp_path / "out", said.append)
    assert not (tmp_path / "out").exists()


def test_what_pip_cannot_get_is_told_and_nothing_stays(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(WorkbenchError, match=r"pip cannot get .*anyio==.*No matching distribution found"):
        bundling.bundle(Course(folder), tmp_path / "out", lambda _: None)
    assert {path.name for path in tmp_path.iterdir()} == {"mean"}


@pytest.fixture
def made(tmp_path: Path) -> Callable[[Change], Path]:
    """Make a bundle without wheels, whose manifest is changed before it is sealed."""

    def make(change: Change) -> Path:
        folder = tmp_path / "bundle"
        (folder / "course" / "mean").mkdir(parents=True)
        (folder / "course" / "mean" / "lesson-1.ipynb").write_text("{}")
        about: dict[str, Any] = {
            "course": "mean", "title": "The mean", "extras": [], "packages": {}, "libc": [2, 17],
            "python": [*sys.version_info[:2], 0], "system": platform.system(), "machine": platform.machine(),
        }  # fmt: skip
        loader = jinja2.FileSystemLoader(TEMPLATES / "course" / "home" / "offline")
        for name in ("start.py", "start.sh", "README.md"):
            text = jinja2.Environment(loader=loader).get_template(f"{name}.j2").render(about=about)
            (folder / name).write_text(text)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        about["files"] = {
            p.relative_to(folder).as_posix(): {
                "size": p.stat().st_size, "sha256": hashlib.sha256(p.read_bytes()).hexdigest()
            } for p in paths
        }  # fmt: skip
        change(about)
        (folder / "MANIFEST.json").write_text(json.dumps(about))
        return folder

    return make


def _start(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "start.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"python": [2, 7, 0]}, "this bundle is for Python 2.7 from 2.7.0 on"),
        ({"python": [*sys.version_info[:2], 99]}, f"this is Python {platform.python_version()}"),
        ({"machine": "riscv128"}, "riscv128; this is Python"),
        ({"system": "Darwin"}, "on Darwin"),
        ({"libc": [9, 99]}, "this bundle needs glibc 9.99"),
        ({"files": {"wheels/torch.whl": {"size": 1, "sha256": ""}}}, "torch.whl cannot be read"),
        ({"files": {"README.md": {"size": 1, "sha256": ""}}}, "README.md is not as it was made: copy the bundle again"),
    ],
)
def test_another_computer_or_a_damaged_stick_is_told_before_anything_is_installed(
    made: Callable[[Change], Path], tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    folder = made(lambda about: about.update(change))
    done = _start(folder, "--home", str(tmp_path / "home"))
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "home" / "venv").exists()


def test_a_python_that_fits_is_looked_for(made: Callable[[Change], Path], tmp_path: Path) -> None:
    folder = made(lambda _: None)
    old = tmp_path / "old"
    old.mkdir()
    for name in ("python3", f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        (old / name).write_text("#!/bin/sh\nexit 1\n")
        (old / name).chmod(0o755)

    def started(*places: str) -> subprocess.CompletedProcess[str]:
        command = ["/bin/sh", str(folder / "start.sh"), "--check"]
        path = {"PATH": ":".join([*places, "/usr/bin:/bin"])}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=path, timeout=60)

    done = started(str(old), str(Path(sys.executable).parent))
    assert done.stdout == "start: all files are as they were made\n", done.stderr
    shell = (folder / "start.sh").read_text()
    (folder / "start.sh").write_text(shell.replace("sys.version_info[2] >= 0", "sys.version_info[2] >= 99"))
    assert "there is none: install python" in started(str(old)).stderr


def test_a_whole_bundle_says_so_and_writes_nothing_into_itself(made: Callable[[Change], Path], tmp_path: Path) -> None:
    folder = made(lambda _: None)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = _start(folder, "--check")
    assert (done.returncode, done.stdout) == (0, "start: all files are as they were made\n"), done.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    (tmp_path / "file").write_text("")
    done = _start(folder, "--home", str(tmp_path / "file" / "home"))
    assert "name another folder with --home FOLDER" in done.stderr


#: What happens in a network without a route; the participant uses what the bundle installed.
_OFFLINE = """
ip link set lo up
[ -z "$(ip route)" ] || exit 9
sh "$1/start.sh" --home "$2" --participants 2 --port "$3" > "$2.codes" 2> "$2.log" &
room=$!
for second in $(seq 400); do
    grep -q ^seat-02 "$2.codes" && break
    kill -0 $room 2>/dev/null || break
    sleep 1
done
code=$(awk '/^seat-01/ {print $2}' "$2.codes")
"$2/venv/bin/python" -P "$4" "http://127.0.0.1:$3/" seat-01 "$code" "$5"
status=$?
kill -INT $room; wait $room
"$2/venv/bin/genai4eu" course remove --yes "$2/room" >> "$2.log" || status=8
cat "$2.log" >&2
exit $status
"""


def _namespaces() -> bool:
    return bool(shutil.which("ip")) and not subprocess.run(["unshare", "-n", "true"], check=False).returncode


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0 or not _namespaces(), reason="a network without a route is made as root")
@pytest.mark.timeout(1200)
def test_a_course_starts_and_a_cell_runs_where_there_is_no_network(folder: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    size = bundling.bundle(Course(folder), stick, lambda _: None)
    assert size == sum(about["size"] for about in bundling.read(stick)["files"].values())
    for path in (stick, *stick.rglob("*")):  # a stick that cannot be written
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    before = sorted(path.relative_to(stick).as_posix() for path in stick.rglob("*"))
    source = "import numpy, genai4eu.courses\nprint('mean of', numpy.arange(5).mean(), genai4eu.courses.__file__)"
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", _OFFLINE, "sh", str(stick), str(home), "8000", str(SITTING), source],
        capture_output=True, text=True, check=False, timeout=1000, cwd=tmp_path, env={"PATH": "/usr/sbin:/usr/bin:/bin"
            f":{Path(sys.base_prefix) / 'bin'}", "HOME": str(tmp_path), "PIP_COMPILE": "0"},  # most is never imported
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mean of 2.0" in done.stdout
    assert str(home / "venv") in done.stdout
    assert sorted(path.relative_to(stick).as_posix() for path in stick.rglob("*")) == before
