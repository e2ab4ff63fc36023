"""A rehearsal as a trainer types it: a room, participants, a verdict, and nothing left."""

from __future__ import annotations

import json
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from genai4eu.courses.course import Course
from genai4eu.courses.rehearsal.places import STOP
from genai4eu.courses.rehearsal.rehearse import Plan, rehearse
from genai4eu.courses.rehearsal.report import Limits

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("configurable-http-proxy") is None, reason="JupyterHub's proxy is not installed"),
]


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _left(place: Path) -> list[str]:
    """Return what is left of a room below a folder: files, users, processes."""
    users = [user.pw_name for user in pwd.getpwall() if user.pw_dir.startswith(str(place))]
    running = [" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    return [*users, *(line for line in running if f"{place}/" in line), *map(str, place.glob("*-rehearsal-*"))]


def _command(folder: Path, *options: str) -> list[str]:
    command = [sys.executable, "-P", "-m", "genai4eu", "course", "rehearse", str(folder)]
    return [*command, "--port", str(free_port()), *options]


def test_two_participants_come_and_work(folder: Path) -> None:
    """They come in, all works, the figures are those of two, and nothing is left."""
    done = subprocess.run(
        _command(folder, "--participants", "2", "--json"), capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"] == "go"
    room = told["figures"]["room"]
    assert (room["came"], room["lesson"]["without failure"]) == (2, 2)
    assert 0 < room["seconds"]["code to first cell"]["p50"] <= room["seconds"]["code to first cell"]["max"]
    assert room["requests"] > 100
    assert room["memory"]["each"]["kernels"]["own"] > 1 << 20
    assert "come in the same second" in done.stderr
    assert not _left(folder.parent)


def test_lesson_that_fails_and_a_limit_that_is_missed(change: Callable[[Callable[[Any], None]], Course]) -> None:
    """Each is a no-go of its own, with the cell in its words."""

    def wrong(notebook: Any) -> None:
        solution = next(c for c in notebook.cells if "BEGIN SOLUTION" in c.source)
        solution.source = "### BEGIN SOLUTION\nmiddle = max(values)\n### END SOLUTION"

    course = change(wrong)
    plan = Plan(course, 1, course.folder.parent, port=free_port(), limits=Limits(seconds=0.001))
    with subprocess.Popen(["sleep", "120"]) as other:  # the caller's own, and none of the room's
        found = rehearse(plan, lambda _: None)
        assert other.poll() is None
        other.kill()
    stops = {finding.name: finding for finding in found.findings if finding.verdict == STOP}
    assert set(stops) == {"coming in", "the lesson"}
    assert "exercise-1 does not pass: Sort the values first" in stops["the lesson"].sentence
    assert "the limit is 0 s" in stops["coming in"].sentence
    assert not found.go
    assert not _left(course.folder.parent)


def test_ctrl_c_leaves_nothing(folder: Path) -> None:
    """Neither users nor processes nor files, in the middle of it."""
    running = subprocess.Popen(
        _command(folder, "--participants", "1"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert running.stderr is not None
    for line in running.stderr:
        if "come in the same second" in line:
            break
    else:
        pytest.fail("it ended before anybody came")
    assert _left(folder.parent)
    running.send_signal(signal.SIGINT)
    told = running.stderr.read()
    running.stderr.close()
    assert running.wait(60) == 130, told
    assert not _left(folder.parent)


def test_what_is_wrong_is_said_before_a_room_is_made(folder: Path) -> None:
    """A lesson that is not there; a port that is taken ends with 1 and the remedy."""
    done = subprocess.run(_command(folder, "--lesson", "7"), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "the course has no lesson 7: it has 1" in done.stderr
    assert not _left(folder.parent)
