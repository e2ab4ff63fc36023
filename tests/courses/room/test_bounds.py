"""What one seat cannot use up for all: logs, the hub's memory, the time to close; and who begins with what token."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tornado.httpserver
from tornado.testing import bind_unused_port

from genai4eu.courses.room import groups, logs, supervisor
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.hub.bounds import bound
from genai4eu.courses.room.limits import Limits


def test_only_proxy_and_hub_begin_with_the_proxys_token(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a forge begins with, any cell of any seat can read."""
    given: dict[str, dict[str, str]] = {}

    def started(command: list[str], env: dict[str, str], **_: Any) -> None:
        given[command[0]] = env

    monkeypatch.setattr(subprocess, "Popen", started)
    keeper = supervisor._Keeper(closed, print)
    for name in ("kernels", "servers", "board", "factory", "files", "proxy", "hub"):
        keeper._start(name, [name])
    told = {name for name, env in given.items() if keeper._secret in env.values()}
    assert told == {"proxy", "hub"}
    assert set(given["kernels"]) - set(supervisor._PASSED) == {
        "HOME", "GENAI4EU_WARM_UNTIL", "GENAI4EU_ROOM", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX", "GOMP_SPINCOUNT",
    } - ({"GOMP_SPINCOUNT"} if "OMP_WAIT_POLICY" in given["kernels"] else set())  # fmt: skip


def test_a_log_that_grows_too_long_keeps_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MOST", 1000)
    monkeypatch.setattr(logs, "_LEFT", 10)
    (tmp_path / "proxy.log").write_bytes(b"short\n")
    with (tmp_path / "hub.log").open("ab", buffering=0) as hub:
        hub.write(b"x" * 2000 + b"the end.\n")
        logs.shorten(tmp_path)
        hub.write(b"and on\n")
    assert (tmp_path / "hub.log").read_bytes() == b"xthe end.\nand on\n"
    assert (tmp_path / "proxy.log").read_bytes() == b"short\n"


def test_the_hub_takes_no_large_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tornado.httpserver, "HTTPServer", tornado.httpserver.HTTPServer)  # put back afterwards
    bound()
    called: list[Any] = []

    async def ask() -> bytes:
        sock, port = bind_unused_port()
        server = tornado.httpserver.HTTPServer(called.append, xheaders=True, trusted_downstream=[])
        server.add_socket(sock)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /hub/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1000)
        answer = await reader.read()
        writer.close()
        server.stop()
        return answer

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 400") and not called


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes control groups")
def test_what_forks_as_fast_as_it_can_is_ended_with_its_group() -> None:
    name = f"genai4eu-test-{os.getpid()}"
    made = groups.found(name)
    if made is None:
        pytest.skip("no control groups here")
    made.make(["seat-01"], Limits(1 << 30, 0, 1), 1 << 30)
    join = [f"open('{folder}/cgroup.procs', 'w').write('0')" for folder in made.of("seat-01")]
    bomb = f"import os\n{chr(10).join(join)}\nwhile True:\n  try: os.fork() and os._exit(0)\n  except OSError: pass"
    subprocess.run([sys.executable, "-S", "-c", bomb], check=True)  # its first ends; the rest run on, each a moment
    assert groups._inside(Path(folder) for folder in made.of("seat-01"))
    made.end(["seat-01"])
    assert not any(Path(folder).exists() for folder in made.of("seat-01"))


def test_groups_forbid_new_processes_before_they_end_the_old(tmp_path: Path) -> None:
    """Of either generation; a file that a group does not have is not made."""
    for roots, own in (
        ((tmp_path / "2",), ["pids.max", "cgroup.kill"]),
        ((tmp_path / "m", tmp_path / "p"), ["pids.max"]),
    ):
        made = groups.Groups("room", roots)
        for folder in map(Path, made.of("seat-01")):
            folder.mkdir(parents=True)
            for file in own:
                (folder / file).write_text("512")
        made.end(["seat-01"])
        said = [{file.name: file.read_text()[:1] for file in Path(folder).iterdir()} for folder in made.of("seat-01")]
        assert said == [dict(zip(own, "01", strict=False))] * len(roots)
