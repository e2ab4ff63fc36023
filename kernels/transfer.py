"""Files of a run at a gateway, fetched in pieces: a connection that breaks costs nothing that has arrived.

Called by the workbench. Only our own gateways have the interface (``offered``); elsewhere the kernel itself is asked.
"""

from __future__ import annotations

import http.client
import os
import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from .errors import KernelsError
from .rest import Gateway, GatewayDown

#: Bytes taken from the connection at a time.
PIECE = 1 << 20
#: Seconds that a gateway may need to find the checksums of everything that a run kept.
HASHING = 3600.0
#: Seconds without a single byte after which a transfer is given up, and between two tries.
PATIENCE, PAUSES = 40.0, (0.2, 0.5, 1.0, 2.0, 5.0)


#: Why files stay where they are whose kernel is gone, if it knew a secret.
SECRETS = "it may hold the value of a secret, which only its kernel could have kept out"


class Sink(Protocol):
    """Where the bytes of a file go. What its own methods raise is not taken for trouble of the network."""

    def tell(self) -> int:
        """Return how many bytes are there."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""

    def restart(self) -> None:
        """Begin anew: what follows is the file's first byte."""


class Stuck(KernelsError):
    """A transfer did not go on for too long; what has arrived is kept."""


def offered(gateway: Gateway) -> bool:
    """Return whether the gateway offers files of runs."""
    answer = gateway.call("GET", "/api")
    ours = answer.get("genai4eu") if isinstance(answer, dict) else None
    return isinstance(ours, dict) and ours.get("files") == 1


@dataclass(frozen=True)
class Transfer:
    """What one run keeps at a gateway.

    Attributes
    ----------
    kernel : str
        The kernel's id at the gateway; the kernel may be gone by now.
    run : str
        The run's id.
    """

    gateway: Gateway
    kernel: str
    run: str

    @property
    def _address(self) -> str:
        return f"/api/genai4eu/kernels/{quote(self.kernel)}/files/{quote(os.fsencode(self.run), safe='')}"

    def listing(self) -> list[dict[str, Any]]:
        """List what the run kept: path, size and SHA-256 of files; ``link`` is true of what is only a link.

        Raises
        ------
        KernelGone
            If the gateway has nothing of the run, or cannot see it.
        KernelsError
            If the run knew a secret: its kernel has to list what it keeps then.
        """
        answer = self.gateway.call("GET", self._address, timeout=HASHING)
        if answer.get("secrets"):
            raise KernelsError(SECRETS)
        files: list[dict[str, Any]] = answer["files"]
        return files

    def remove(self) -> None:
        """Remove all of it from the target."""
        self.gateway.call("DELETE", self._address, timeout=60)

    def copy(self, path: str, size: int, sink: Sink) -> None:
        """Fetch what ``sink``, which has the first bytes of a file already, does not have of it yet.

        Parameters
        ----------
        path : str
            As the list has it.
        size : int
            Bytes that the file has.

        Raises
        ------
        KernelsError
            If the file is gone or the token refused; ``Stuck`` if nothing has come for ``PATIENCE`` seconds.
        """
        since, tries, tag = time.monotonic(), 0, ""
        while (have := sink.tell()) < size:
            try:
                tag = self._piece(path, have, tag, sink)
            except (OSError, http.client.HTTPException, GatewayDown) as error:
                if sink.tell() > have:
                    since, tries = time.monotonic(), 0
                if time.monotonic() - since > PATIENCE:
                    raise Stuck(f"nothing came from the gateway at {self.gateway.url} for {PATIENCE:.0f} s") from error
                time.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1

    def _piece(self, path: str, have: int, tag: str, sink: Sink) -> str:
        """Take what comes of one answer, from byte ``have`` on; return the file's tag."""
        headers = {"Range": f"bytes={have}-"} | ({"If-Range": tag} if tag else {})
        address = f"{self._address}/{quote(os.fsencode(path))}"
        with self.gateway.answer("GET", address, headers, timeout=30) as answer:
            if answer.status in (429, 502, 503, 504):  # too many at once; a proxy whose gateway is about to come back
                raise GatewayDown(f"the gateway at {self.gateway.url} asks to wait")
            if answer.status not in (200, 206):
                self.gateway.judge(answer.status, answer.read(1 << 16), address)
            if answer.status == 200:  # the whole of it: another file than before, or a proxy that knows no ranges
                sink.restart()
            while data := answer.read1(PIECE):
                sink.write(data)
            return answer.headers.get("ETag", "")
