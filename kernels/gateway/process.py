"""A gateway as a child process. Called by the demo and by tests::

with genai4eu.kernels.gateway.process.start(folder) as gateway:
    gateway.url, gateway.token_file
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ..errors import KernelsError
from ..rest import Gateway


@dataclass
class GatewayProcess:
    """A running gateway; as a context manager it ends on leaving.

    Attributes
    ----------
    url : str
        Its address.
    token_file, log_file : Path
        File with its token, and what it says.
    process : subprocess.Popen
        The child. It ends by itself when this process dies.
    """

    url: str
    token_file: Path
    log_file: Path
    process: subprocess.Popen[bytes]

    def stop(self, patience: float = 20.0) -> None:
        """End the gateway and all its kernels; safe to call twice."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()  # its kernels see that their parent is gone
                self.process.wait()

    def __enter__(self) -> GatewayProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    folder: Path | str,
    port: int = 0,
    token_file: Path | str | None = None,
    patience: float = 60.0,
    env: dict[str, str] | None = None,
) -> GatewayProcess:
    """Start a gateway on the loopback interface and wait until it answers.

    Parameters
    ----------
    folder : Path
        Holds its token (mode 0600), its log and the kernels' working folder; made if absent.
    port : int
        0 takes a free one.
    token_file : Path, optional
        Where the token is, or is to be put, if not in ``folder``.
    patience : float
        Seconds to wait for its first answer.
    env : dict, optional
        Environment of the gateway and its kernels; by default that of this process.

    Raises
    ------
    KernelsError
        If it does not come up; quotes the last line of its log.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = Path(token_file).resolve() if token_file else folder / "token"
    reader, writer = os.pipe()
    command = [sys.executable, "-P", "-m", "genai4eu.kernels.gateway", "--port", str(port), "--token-file", str(token)]
    command += ["--folder", str(folder / "work"), "--parent-pid", str(os.getpid()), "--ready-fd", str(writer)]
    with (folder / "gateway.log").open("ab") as log, os.fdopen(reader, "rb") as ready:
        process = subprocess.Popen(
            command,
            pass_fds=(writer,),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            start_new_session=True,
        )
        os.close(writer)  # so that the reader sees the end when the child dies
        return _wait(process, ready.fileno(), token, folder / "gateway.log", time.monotonic() + patience)


def _wait(process: subprocess.Popen[bytes], ready: int, token: Path, log: Path, deadline: float) -> GatewayProcess:
    """Wait for the child's ready line, then ask it once."""
    gateway = GatewayProcess("", token, log, process)
    try:
        readable, _, _ = select.select([ready], [], [], max(0.0, deadline - time.monotonic()))
        line = os.read(ready, 4096) if readable else b""
        if not line:
            raise KernelsError(_reason(log, process, bool(readable)))
        gateway.url = json.loads(line)["url"]
        Gateway(gateway.url, token).call("GET", "/api", timeout=max(1.0, deadline - time.monotonic()))
    except BaseException:
        gateway.stop()
        raise
    return gateway


def _reason(log: Path, process: subprocess.Popen[bytes], ended: bool) -> str:
    if ended:
        process.wait()
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
    said = lines[-1].removeprefix("genai4eu: ")
    return said if ended else f"the gateway took too long to start ({said}): see {log}"
