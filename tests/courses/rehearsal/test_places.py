"""What a rehearsal looks at before it opens a room."""

from __future__ import annotations

import resource
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from genai4eu.courses.course import Course
from genai4eu.courses.rehearsal import places
from genai4eu.courses.rehearsal.places import GO, REMARK, STOP, findings
from genai4eu.courses.rehearsal.rehearse import Plan, rehearse
from genai4eu.courses.room.people import People
from genai4eu.errors import WorkbenchError


def _found(place: Path, what: str, **more: object) -> places.Finding:
    given: dict[str, object] = {"participants": 2, "host": "127.0.0.1", "name": "127.0.0.1", "port": 0, **more}
    return next(f for f in findings(place, **given) if f.name == what)  # type: ignore[arg-type]


def test_what_cannot_be_rehearsed_is_said_first(folder: Path) -> None:
    """Before anything starts: a place that is none, more browsers than people."""
    plan = Plan(Course(folder), 2, folder / "nowhere")
    with pytest.raises(WorkbenchError, match="--room"):
        rehearse(plan, lambda _: None)
    with pytest.raises(WorkbenchError, match="3 browsers are more than 2"):
        rehearse(replace(plan, place=folder, browsers=3), lambda _: None)


def test_port_that_somebody_has(tmp_path: Path) -> None:
    """Named, with the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = _found(tmp_path, "port", port=port)
    assert (found.verdict, str(port) in found.sentence, "--port" in found.remedy) == (STOP, True, True)
    assert _found(tmp_path, "port", port=port).verdict == GO


def test_disk_that_is_too_small(tmp_path: Path) -> None:
    """A million seats fit nowhere; the remedy says how many would."""
    found = _found(tmp_path, "disk", participants=10**6)
    assert found.verdict == STOP
    assert int(found.remedy.split()[-4]) < 10**6


def test_open_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The soft limit counts; whether the hard one would do is said."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 512))
    found = _found(tmp_path, "open files", participants=20)
    assert found.verdict == STOP
    assert "ulimit -n 1000 (as root" in found.remedy
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    assert _found(tmp_path, "open files", participants=20).verdict == GO


def test_no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it is not installed, how it is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = _found(tmp_path, "proxy")
    assert (found.verdict, "npm install" in found.sentence) == (STOP, True)


def test_seats_without_users_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A remark: it works, and the trainer decides."""
    monkeypatch.setattr(People, "possible", staticmethod(lambda: False))
    assert _found(tmp_path, "seats").verdict == REMARK
    monkeypatch.setattr(People, "possible", staticmethod(lambda: True))
    assert _found(tmp_path, "seats").verdict == GO


@pytest.mark.parametrize(
    ("host", "name", "verdict"),
    [
        ("127.0.0.1", "127.0.0.1", REMARK),
        ("0.0.0.0", "127.0.0.1", STOP),
        ("0.0.0.0", "192.0.2.7", GO),
        ("0.0.0.0", "no-such-computer.invalid", STOP),
    ],
)
def test_address_that_participants_type(tmp_path: Path, host: str, name: str, verdict: str) -> None:
    """Their own computer is no address of ours."""
    assert _found(tmp_path, "address", host=host, name=name).verdict == verdict
