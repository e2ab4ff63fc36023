"""Going on at home: a bundle is opened, hostile ones are not, and the light base install is enough."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from genai4eu.courses.desk import Desk
from genai4eu.courses.home import collect
from genai4eu.courses.home.continuing import desk_of, missing
from genai4eu.courses.home.unpacking import unpack
from genai4eu.courses.room.room import Room
from genai4eu.errors import WorkbenchError

from .sitting import execute

Say = Callable[..., None]
COURSE = '{"course": {"languages": ["en"], "lessons": []}, "lessons": []}'


@pytest.fixture
def bundle(room: Room, say: Say, tmp_path: Path) -> Path:
    """A participant's bundle, as the archive of the room holds it."""
    say("passed", 12, exercise="exercise-1")
    with zipfile.ZipFile(collect(room, tmp_path / "all.zip")) as everything:
        (tmp_path / "mine.zip").write_bytes(everything.read("seats/mean-seat-01.zip"))
    return tmp_path / "mine.zip"


def test_a_bundle_is_a_desk_again(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    desk = desk_of(bundle)
    assert desk.folder == home / "mean-seat-01"
    assert [event["event"] for event in desk.happened()] == ["passed"]
    assert desk.pristine(desk.lesson("lesson-1.ipynb")) == (desk.folder / "lesson-1.ipynb").read_bytes()
    assert desk_of(desk.folder) == desk
    desk.note("tried", exercise="exercise-1")
    with pytest.raises(WorkbenchError, match="'genai4eu course continue mean-seat-01' opens it"):
        desk_of(bundle)
    assert len(desk.happened()) == 2
    with pytest.raises(WorkbenchError, match=f"did you mean {desk.folder}"):
        desk_of(home)
    with pytest.raises(WorkbenchError, match=f"is a lesson: name the folder that it lies in, {desk.folder}"):
        desk_of(desk.folder / "lesson-1.ipynb")
    with pytest.raises(WorkbenchError, match="everybody's work"):
        desk_of(tmp_path / "all.zip")
    with pytest.raises(WorkbenchError, match="is not there"):
        desk_of(tmp_path / "none")
    assert {path.name for path in home.iterdir()} == {"mean-seat-01"}


def _named(name: str, kind: int = 0o100644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("x")
    entry.filename, entry.external_attr = name, kind << 16
    return entry


@pytest.mark.parametrize(
    "entry",
    [
        _named("../out.txt"), _named("a/../../out.txt"), _named("/out.txt"), _named("b/out.txt"), _named("a/b\\c"),
        _named("a/link", 0o120777), _named("a/pipe", 0o010644), _named("a/line\n.txt"), _named("a/.course/course.json"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_zips_are_refused_whole(tmp_path: Path, entry: zipfile.ZipInfo) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/.course/course.json", COURSE)
        archive.writestr(entry, "x")
    into = tmp_path / "into" / "deep"
    into.mkdir(parents=True)
    with pytest.raises(WorkbenchError, match="is no participant's bundle"):
        unpack(path, into)
    assert list(into.iterdir()) == []
    assert [p.name for p in (tmp_path / "into").iterdir()] == ["deep"]


def test_a_damaged_zip_leaves_nothing(bundle: Path, tmp_path: Path) -> None:
    content = bytearray(bundle.read_bytes())
    content[len(content) // 3] ^= 0xFF
    bundle.write_bytes(content)
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(WorkbenchError, match="ask your trainer for it again"):
        unpack(bundle, into)
    assert list(into.iterdir()) == []


def test_what_a_course_needs_is_told_by_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing([]) == []
    from importlib import metadata

    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", none)
    absent = missing(["health"])
    assert {"torch", "monai"} <= set(absent)
    assert not {"jupyterhub", "nbgrader", "jupyterlab", "numpy"} & set(absent)


#: What the light base install does not have.
HEAVY = ("jupyterhub", "nbgrader", "torch", "monai", "pandas", "matplotlib", "scipy", "sklearn", "xarray")
_BLOCK = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))"  # such a name is found by nobody


@pytest.fixture
def at_home(bundle: Path, house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """``genai4eu course continue`` where only the base install can be imported; yields the server's address."""
    (house / "base").mkdir()
    (house / "base" / "sitecustomize.py").write_text(_BLOCK)
    command = [str(Path(sys.executable).with_name("genai4eu")), "course", "continue", "mine.zip", "--port", "0"]
    log = house / "lab.log"
    with log.open("wb") as stream:
        env = {**os.environ, "PYTHONPATH": str(house / "base")}
        server = subprocess.Popen([*command, "--no-browser"], cwd=house, stdout=stream, stderr=stream, env=env)
        try:
            until = time.monotonic() + 120
            while not (found := re.search(r"http://127\.0\.0\.1:\d+/lab\S*token=\w+", log.read_text())):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield found[0]
        finally:
            family = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
            server.send_signal(signal.SIGINT)
            server.wait(60)
            psutil.wait_procs(family, timeout=30)


@pytest.mark.slow
def test_the_light_base_install_is_enough(at_home: str, house: Path) -> None:
    address, token = re.match(r"(http://[^/]+/).*token=(\w+)", at_home).groups()  # type: ignore[union-attr]
    assert "lesson-1.ipynb" in at_home
    headers = {"Authorization": f"token {token}"}
    about, progress = (
        urllib.request.urlopen(urllib.request.Request(f"{address}genai4eu/lesson/{name}", headers=headers)).read()
        for name in ("about", "progress")
    )
    assert b"exercise-1" in progress
    assert not json.loads(about)["room"], "a raised hand that nobody sees"
    assert "Nothing is called “check” here yet" in asyncio.run(execute(address, headers, 'check("exercise-1")'))[1]
    source = "from genai4eu.courses import check, record\nvalues, middle = [2, 3, 2, 4, 40], 3\n"
    status, shown = asyncio.run(execute(address, headers, f'{source}check("exercise-1")\nrecord()'))
    assert status == "ok", shown
    assert "Right." in shown
    desk = Desk(house / "mean-seat-01")
    assert [event["event"] for event in desk.happened()][:1] == ["passed"]
    assert len([event for event in desk.happened() if event["event"] == "passed"]) == 2
    assert (desk.folder / "completion-record.html").is_file()
