"""The command line without its imports: a process that has made them forks for every call. Used by ``conftest``.

To import what a command needs takes several times what most commands do, and tests give hundreds. A call is a process
of its own still, with its own folder, environment, streams and exit code; that the installed command starts from
nothing is shown by all tests that keep one running.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, NoReturn

#: Imported once. Nothing of it starts a thread: a fork would not have it.
MODULES = ("genai4eu.cli", "papermill", "genai4eu.runs.runner", "genai4eu.runs.engine", "jupyter_client.asynchronous")
#: Variables that Python and its libraries read as they start; with others than ours a call starts anew.
AT_START = ("PYTHON", "LC_", "LANG", "OMP_", "OPENBLAS_", "MKL_", "COLUMNS", "TERM", "NO_COLOR", "FORCE_COLOR")


class Forks:
    """The process that forks, as who calls it sees it."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._environment = _at_start()
        #: Nothing of the test that happens to be first: those that end all processes of their folder end ours, too.
        own = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ} | self._environment
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=own, cwd="/",
            )  # fmt: skip

    @property
    def gone(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def __call__(self, *arguments: str, cwd: Path, timeout: float) -> subprocess.CompletedProcess[str]:
        """Give a command; as ``subprocess.run`` does, which takes over where the environment is another from the start.

        Raises
        ------
        subprocess.TimeoutExpired
            If it takes longer than ``timeout`` seconds; it is killed then.
        """
        command = [str(Path(sys.executable).with_name("genai4eu")), *arguments]
        if _at_start() != self._environment:
            return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            pid = self._ask({"argv": command, "cwd": str(cwd), "env": dict(os.environ)}, out, err)
            self._ours.settimeout(timeout)
            try:
                code = self._number()
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self._ours.settimeout(None)
                self._number()
                raise subprocess.TimeoutExpired(command, timeout) from None
            finally:
                self._ours.settimeout(None)
            return subprocess.CompletedProcess(command, code, _text(out), _text(err))

    def _ask(self, call: dict[str, object], out: IO[bytes], err: IO[bytes]) -> int:
        """Hand a call over with its streams; return the number of its process."""
        with tempfile.TemporaryFile() as asked:
            asked.write(json.dumps(call).encode())
            asked.seek(0)
            socket.send_fds(self._ours, [b"?"], [asked.fileno(), out.fileno(), err.fileno()])
            return self._number()

    def _number(self) -> int:
        said = self._ours.recv(20)
        assert said, "the process that forks is gone: what it said stands above"
        return int(said)


_known: list[Forks] = []


def shared() -> Forks:
    """Return the one of this worker; another where a test has ended it, as one of all its children."""
    if not _known or _known[-1].gone:
        _known.append(Forks())
    return _known[-1]


def _at_start() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(AT_START)}


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode().replace("\r\n", "\n")


def serve(calls: socket.socket) -> None:
    """Fork for every call, and say how it ended; return in the child, which carries it out."""
    for module in MODULES:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # else the first collection of a fork touches, and so copies, all that it shares with us
    while True:
        message, streams, _, _ = socket.recv_fds(calls, 1, 3)
        if not message:
            raise SystemExit
        child = os.fork()
        if not child:
            calls.close()
            _become(*streams)
            return
        for stream in streams:
            os.close(stream)
        calls.send(str(child).encode())
        calls.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def _become(asked: int, out: int, err: int) -> None:
    with os.fdopen(asked, encoding="utf-8") as stream:
        call = json.load(stream)
    for stream_from, to in ((out, 1), (err, 2)):
        os.dup2(stream_from, to)
        os.close(stream_from)
    os.environ.clear()
    os.environ.update(call["env"])
    os.chdir(call["cwd"])
    sys.argv = call["argv"]


def end_after(command: Callable[[], None]) -> NoReturn:
    """Carry out a command and end as Python does, but without taking apart, and so copying, all that is shared."""
    code: object = None
    try:
        command()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001  # as of a Python that ends by it
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
    from genai4eu.__main__ import main

    end_after(main)
