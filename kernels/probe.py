"""Try a target out: start a kernel, let it execute a line, end it. Called by ``genai4eu doctor``."""

from __future__ import annotations

import contextlib
import queue
import shlex
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from jupyter_client import BlockingKernelClient, KernelManager

from .errors import KernelsError
from .ready import BlockingReadyClient

#: Lines whose median round trip is told; the first one pays for what a kernel sets up on its first cell.
_LINES = 5
#: How lines of ours begin; they end with what to do.
_OURS = "genai4eu: "


@dataclass(frozen=True)
class Answer:
    """What a kernel answered.

    Attributes
    ----------
    python : str
        Version of Python there.
    host : str
        Name of the computer it runs on.
    started : float
        Seconds from asking for the kernel to its first answer.
    round_trip : float
        Median seconds from sending a line to its reply.
    """

    python: str
    host: str
    started: float
    round_trip: float


def probe(target: str, patience: float = 60.0) -> Answer:
    """Start a kernel on ``target``, let it execute lines, end it.

    Raises
    ------
    KernelsError
        If it does not answer within ``patience`` seconds or dies; quotes the last line that its process said.
    """
    with tempfile.TemporaryFile() as said:
        try:
            return _ask(target, patience, said)
        except (RuntimeError, TimeoutError, queue.Empty) as error:  # a kernel that died or kept silent
            raise _failed(target, _last_line(said), error) from None


def _ask(target: str, patience: float, said: IO[bytes]) -> Answer:
    began = time.monotonic()
    with _kernel(target, patience, said) as client:
        first = _run(client, patience)
        started = time.monotonic() - began
        trips = []
        for _ in range(_LINES):
            sent = time.monotonic()
            _run(client, patience)
            trips.append(time.monotonic() - sent)
    python, _, host = first.partition(" ")
    return Answer(python, host, started, statistics.median(trips))


@contextlib.contextmanager
def _kernel(target: str, patience: float, said: IO[bytes]) -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name=target, transport_encryption="auto")
    manager.client_factory = BlockingReadyClient  # the stock client sits out a fifth of a second
    manager.start_kernel(stdout=said, stderr=said)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=patience)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
        manager.cleanup_resources()


def _run(client: BlockingKernelClient, patience: float) -> str:
    """Let the kernel say its version and computer."""
    expression = "'.'.join(map(str, __import__('sys').version_info[:3])) + ' ' + __import__('platform').node()"
    asked = client.execute("", silent=True, store_history=False, user_expressions={"answer": expression})
    deadline = time.monotonic() + patience
    while (reply := client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic())))["parent_header"].get(
        "msg_id"
    ) != asked:
        pass
    content: dict[str, Any] = reply["content"]
    answer = content.get("user_expressions", {}).get("answer", content)
    if answer["status"] != "ok":
        raise KernelsError(f"a kernel answers {answer.get('evalue')}: ask the operator")
    return str(answer["data"]["text/plain"]).strip("'\"")


def _failed(target: str, line: str, error: Exception) -> KernelsError:
    """Return the error that quotes what the process said; a line of ours knows its remedy."""
    if line.startswith(_OURS):
        return KernelsError(line.removeprefix(_OURS))
    quoted = line or str(error).strip() or "it said nothing"
    return KernelsError(
        f"its kernel does not answer ({quoted}): start it by hand with jupyter console --kernel {shlex.quote(target)}"
    )


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
