"""A seat as a room starts it: a notebook server with the lesson's toolbar, on a participant's desk. Called by tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nbformat

from genai4eu.courses import news
from genai4eu.courses.course import FILE
from genai4eu.courses.desk import ASIDE, SHARED, VARIABLE, Desk
from genai4eu.courses.seat import options
from genai4eu.courses.skeleton import make

#: JupyterLab as a room's servers import it.
_LAB = "from genai4eu import lean; from jupyterlab.labapp import main; main()"


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
        line = json.dumps({"id": self.told, "at": time.time(), "event": event} | more)
        with self.news.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        return self.told

    def begin(self) -> None:
        """Start the server, and wait until it answers."""
        log = self.news.with_name("server.log")
        command = [sys.executable, "-P", "-c", _LAB, "--no-browser", "--allow-root", f"--port={self.port}"]
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
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:  # Jupyter's thread that was reading a file is never told to end
            self.process.kill()
            self.process.wait(10)

    def tidy(self) -> None:
        """End the kernels of earlier pages, and make the desk one at which nobody has sat yet."""
        with httpx.Client(base_url=self.address, headers=self.client.headers, timeout=60) as client:
            for session in client.get("/api/sessions").json():
                client.delete(f"/api/sessions/{session['id']}")
        shutil.rmtree(self.desk.folder / ASIDE, ignore_errors=True)
        for path in self.desk.folder.glob("*.ipynb"):
            path.unlink()
        for path in Path(self.environment[SHARED]).glob("*.ipynb"):
            shutil.copy(path, self.desk.folder)
        self.news.write_text("")


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
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)  # light or dark as the browser asks for
    (settings / "themes.jupyterlab-settings").write_text('{"adaptive-theme": true}')
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


def two_lessons(folder: Path) -> Path:
    """Make a course of two lessons, in English and Dutch."""
    made = make(folder, ("en", "nl"))
    notebook = nbformat.read(made / "lesson-1.ipynb", as_version=4)
    notebook.cells[0].metadata["genai4eu"]["text"]["nl"] = "# Het gemiddelde verbergt wie ver weg zit"
    nbformat.write(notebook, made / "lesson-1.ipynb")
    for cell in notebook.cells:
        cell.source = cell.source.replace("exercise-1", "exercise-2")
    nbformat.write(notebook, made / "lesson-2.ipynb")
    with (made / FILE).open("a", encoding="utf-8") as file:
        file.write(
            '\n[[lessons]]\nfile = "lesson-2.ipynb"\nminutes = 5\n[lessons.title]\n'
            'en = "The second"\nnl = "De tweede"\n[lessons.goals]\nen = ["go on"]\nnl = ["verdergaan"]\n'
        )
    return made
