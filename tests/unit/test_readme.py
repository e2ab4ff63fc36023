"""Every command of the README and its example in Python, in their order, as a reader would type them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from .. import stack

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: What tells that a command which runs until Ctrl-C is ready.
READY = {
    "genai4eu serve": "http://",
    "genai4eu lab": "http://",
    "genai4eu gateway": "ready",
    "genai4eu course start": "open at",
}
#: Where the gallery is served unless a command says otherwise.
GALLERY = "8866"
#: make's own targets: the demo has a test that carries it out, and the others are what continuous integration does.
MAKE = {f"make {target}": ["make", "-n", target] for target in ("demo", "lint", "test", "test-quick")}

#: The one chapter whose commands need more than Python: it has a test of its own.
TEACH = "## Teach a course"


def blocks(*kinds: str, teach: bool = False) -> list[tuple[str, str]]:
    """Return kind and text of the blocks of some kinds, in their order: of one chapter, or of all others."""
    before, chapter, after = re.split(f"^({TEACH}.*?)(?=^## )", README.read_text("utf-8"), flags=re.M | re.S)
    return [(kind, text) for kind, text in BLOCK.findall(chapter if teach else before + after) if kind in kinds]


class Reader:
    """A person at a shell, with the environment on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        self.environment["JUPYTER_DATA_DIR"] = str(folder / "jupyter")
        self.environment |= {"XDG_STATE_HOME": str(folder / "state"), "XDG_RUNTIME_DIR": str(folder / "run")}
        self.environment[stack.WITHOUT] = stack.NOT_OF_HEALTH
        (folder / "run").mkdir(mode=0o700)
        for name in ("DISPLAY", "GENAI4EU_WARM"):  # as a reader's shell would be
            self.environment.pop(name, None)
        self.said = ""
        self.running: list[tuple[str, subprocess.Popen[bytes], Path]] = []
        #: Ports of the README that others had on this computer, and those taken in place of them.
        self.ports: dict[str, str] = {}

    def type(self, line: str) -> None:
        """Run one command; one that runs until Ctrl-C is left running."""
        command = line.partition("  #")[0].strip()
        for theirs, ours in self.ports.items():
            command = command.replace(theirs, ours)
        if "until Ctrl-C" in line:
            self._leave_running(command)
            return
        arguments = MAKE.get(command) or shlex.split(command)
        cwd = ROOT if command in MAKE else self.folder
        environment = {**self.environment, "GENAI4EU_RUNS": str(self.folder / "runs")}
        environment["GENAI4EU_DASHBOARDS"] = str(self.folder / "dashboards")
        pasted = None
        if "paste the token" in line:
            arguments = ["bash", "-c", command]
            pasted = re.findall(r"^token +(\S+)", self.said, re.MULTILINE)[-1] + "\n"
        done = subprocess.run(
            arguments, cwd=cwd, env=environment, capture_output=True, text=True, input=pasted, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        self.said += done.stdout

    def _leave_running(self, command: str) -> None:
        command = self._on_a_free_port(command)
        log = self.folder / f"log-{len(self.running)}.txt"
        arguments = [*shlex.split(command), *(["--no-browser"] if command.split()[1] in ("lab", "serve") else [])]
        with log.open("wb") as stream:
            process = subprocess.Popen(arguments, cwd=self.folder, env=self.environment, stdout=stream, stderr=stream)
        self.running.append((command, process, log))
        sign = next(sign for start, sign in READY.items() if command.startswith(start))
        while sign not in log.read_text():
            assert process.poll() is None, f"{command}\n{log.read_text()}"
            time.sleep(0.1)

    def _on_a_free_port(self, command: str) -> str:
        """Return a server's command as it stands, or with another port where somebody else has the one it wants."""
        asked = re.search(r"--port (\d+)", command)
        port = asked[1] if asked else GALLERY
        with socket.socket() as probe:
            if not command.startswith(("genai4eu serve", "genai4eu gateway")) or probe.connect_ex(
                ("127.0.0.1", int(port))
            ):
                return command
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.ports[port] = str(free.getsockname()[1])
        return command.replace(port, self.ports[port]) if asked else f"{command} --port {self.ports[port]}"

    def press_ctrl_c(self) -> None:
        """End what still runs, and hold each to leaving nothing behind."""
        for command, process, log in self.running:
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            process.wait(60)
            _, alive = psutil.wait_procs(family, timeout=30)
            assert not alive, f"{command} left {alive}\n{log.read_text()}"
        self.running = []


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    person = Reader(tmp_path)
    yield person
    for _, process, _ in person.running:
        process.kill()
    person.type("genai4eu warm stop")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_shell_command_and_the_example(reader: Reader) -> None:
    ready = "from genai4eu.kernels.warm import client; assert client.ensure(wait=True)"  # as on the second day
    subprocess.run([sys.executable, "-P", "-c", ready], env=reader.environment, check=True, timeout=120)
    lines = 0
    for kind, text in blocks("sh", "python"):
        if kind == "sh":
            typed = [line for line in text.splitlines() if line.strip()]
            for line in typed:
                reader.type(line)
            lines += len(typed)
        elif "genai4eu.run(" in text:
            (reader.folder / "example.py").write_text(text)
            reader.type(f"python {reader.folder / 'example.py'}")
    assert lines > 12 and (reader.folder / "example.py").exists()
    reader.press_ctrl_c()


@pytest.mark.slow
@pytest.mark.usefixtures("room_means")
def test_a_course_is_taught(reader: Reader) -> None:
    reader.environment[stack.WITHOUT] = stack.SECTORS
    ((_, text),) = blocks("sh", teach=True)
    for line in text.splitlines():
        reader.type(line)
    reader.press_ctrl_c()
    assert not (reader.folder / "my-course-room").exists()


def test_parameters_example_is_in_the_grammar() -> None:
    from genai4eu.grammar import read_schema

    (example,) = [text for _, text in blocks("python") if "profile: str" in text]
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": example}
    assert list(read_schema([cell], "README").parameters) == ["profile", "seed", "epochs"]
