"""A seat as a room starts it: a notebook server with the lesson's toolbar, on a participant's desk. Called by tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from genai4eu.courses.desk import SHARED, VARIABLE, Desk
from genai4eu.courses.seat import news, options


@dataclass
class Seat:
    """A server on a desk, and the file in which the room tells it news."""

    desk: Desk
    news: Path
    port: int
    environment: dict[str, str]
    token: str = "of-the-test"
    process: subprocess.Popen[bytes] | None = None
    told: int = field(default=0)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> httpx.Client:
        """Somebody who signs in with the token, as a program does."""
        headers = {"Authorization": f"token {self.token}"}
        return httpx.Client(base_url=f"{self.address}/genai4eu/lesson/", headers=headers, timeout=60)

    def tell(self, event: str, **more: Any) -> int:
        """Tell news as a room does."""
        self.told += 1
        line = json.dumps({"id": self.told, "at": time.time(), "event": event, **more})
        with self.news.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        return self.told

    def begin(self) -> None:
        """Start the server, and wait until it answers."""
        log = self.news.with_name("server.log")
        command = [sys.executable, "-P", "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={self.port}"]
        command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={self.desk.folder}"]
        command += [f"--IdentityProvider.token={self.token}", *options()]
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                command, cwd=self.desk.folder, env=self.environment, stdout=stream, stderr=stream
            )
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/lab\?token=", log.read_text())):
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.1)
        self.port = int(found[1])

    def end(self) -> None:
        """End the server as a room does."""
        assert self.process
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def seated(folder: Path, built: Path, **environment: str) -> Iterator[Seat]:
    """Run a seat for the time of a ``with``.

    Parameters
    ----------
    folder : Path
        For what the room keeps.
    built : Path
        The course in the participant's version: the desk.
    """
    news_file = folder / "news.jsonl"
    news_file.touch()
    given = {
        **os.environ, VARIABLE: str(built), news.VARIABLE: str(news_file), "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"), "GENAI4EU_WARM": "off", **environment,
    }  # fmt: skip
    given.pop(SHARED, None) if SHARED not in environment else None
    seat = Seat(Desk(built), news_file, 0, given)
    seat.begin()
    try:
        yield seat
    finally:
        seat.end()
