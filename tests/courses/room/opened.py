"""A room as a trainer opens it, by the command line, and what stands behind it. Called by tests."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from genai4eu.courses.room import processes
from genai4eu.courses.room.folder import Room

from ... import stack
from .browser import Browser

TOOL = str(Path(sys.executable).with_name("genai4eu"))
_PATIENCE = 240


class Opened:
    """An open room.

    Parameters
    ----------
    folder : Path
        The room's.
    log : Path
        What the command says.
    """

    def __init__(self, folder: Path, log: Path, process: subprocess.Popen[bytes]) -> None:
        self.room, self.log, self.process = Room(folder), log, process

    @property
    def codes(self) -> dict[str, str]:
        """The codes on the sheet, by seat."""
        return dict(re.findall(r"^(seat-\d+)\s+([A-Z2-9]{4}-[A-Z2-9]{4})", self.log.read_text(), re.MULTILINE))

    def browser(self, seat: str, code: str | None = None) -> Browser:
        """Return a browser that has taken a seat, with a new code from the trainer if none is given."""
        browser = Browser(self.room.address)
        answer = browser.sign_in(code or self.room.give_code(seat))
        assert browser.seat == seat, (answer.status_code, answer.url)
        return browser

    def part(self, name: str) -> psutil.Process:
        """Return one of the processes that hold the room open."""
        return processes.living(self.room)[name]

    def kill(self, name: str) -> None:
        """Kill one of them, and wait until another is in its place and answers."""
        before = self.part(name)
        before.kill()
        until = time.monotonic() + _PATIENCE
        while (there := processes.living(self.room).get(name)) is None or there.pid == before.pid:
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.2)

    def server(self, seat: str) -> psutil.Process:
        """Return a seat's notebook server."""
        uid = self.room.people.owner(seat)[0]
        forge = self.part("servers")
        return next(child for child in forge.children() if child.uids().real == uid)


@contextlib.contextmanager
def opened(folder: Path, *command: str, left_out: str = "") -> Iterator[Opened]:
    """Run ``genai4eu course`` with a command that opens a room, and end it as Ctrl-C does."""
    log = folder.with_name(f"{folder.name}.log")
    before = log.stat().st_size if log.exists() else 0
    env = {**os.environ, stack.WITHOUT: left_out}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [TOOL, "course", *command], stdout=file, stderr=subprocess.STDOUT, cwd=folder.parent, env=env
        )
    try:
        until = time.monotonic() + _PATIENCE
        while b"board is at" not in log.read_bytes()[before:]:
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        time.sleep(0.3)
        yield Opened(folder, log, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def free_port() -> str:
    """Return a port that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return str(sock.getsockname()[1])


def left_behind(room: Room) -> list[str]:
    """Return what of a closed room is still there: processes, mounts, control groups."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(room.folder) in line]
    name = f"genai4eu-{room.about['prefix'].rstrip('-')}"
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{name}") if os.access(path, os.R_OK)]
    return [*mounts, *groups, *(f"{p.pid} {p.name()}" for p in processes.left(room))]
