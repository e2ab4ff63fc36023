"""A room opens where participants reach it, or says why not, before anything is made."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genai4eu.cli import app
from genai4eu.courses.room.listening import free, near
from genai4eu.courses.skeleton import make as make_course
from genai4eu.errors import WorkbenchError


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_port_in_use_is_told(taken: int, host: str) -> None:
    with pytest.raises(WorkbenchError, match=f"port {taken} of {host} is in use: name another"):
        free(host, taken, "name another")


def test_a_free_port_stays_free() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    for _ in range(2):
        free("127.0.0.1", port, "name another")
    with socket.create_server(("127.0.0.1", port)) as ours:
        assert ours.getsockname()[1] == port


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "192.0.2.7"), "--host 192.0.2.7 is no address of this computer"),
        (("--host", "nowhere.invalid"), "--host nowhere.invalid is no address"),
        (("--name", "bad name/x"), "--name 'bad name/x' is no computer's name"),
        ((), "is in use: name another with --port"),
    ],
)
@pytest.mark.usefixtures("room_means")
def test_nothing_is_made_for_an_address_that_nobody_reaches(
    tmp_path: Path, taken: int, options: tuple[str, ...], said: str
) -> None:
    course = make_course(tmp_path / "mean", ("en",))
    done = CliRunner().invoke(app, ["course", "start", str(course), "--port", str(taken), *options])
    assert isinstance(done.exception, WorkbenchError) and said in str(done.exception)
    assert {path.name for path in tmp_path.iterdir()} == {"mean"}


def test_this_computer_finds_a_room_that_listens_everywhere() -> None:
    assert [near(host) for host in ("0.0.0.0", "::", "::1", "10.1.2.3")] == ["127.0.0.1", "[::1]", "[::1]", "10.1.2.3"]
