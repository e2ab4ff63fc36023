"""Whether the gateway of a run's kernel still answers, once its cells are over. Used by ``asking``.

In mid-cell the kernel is worth the wait that its lease allows. Afterwards only its files are wanted, and a gateway that
has them still has them later: ``genai4eu runs fetch``.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from genai4eu.kernels.rest import Gateway, GatewayDown
from genai4eu.kernels.targets import Target

from .endings import KernelEnded

#: Seconds without an answer after which a gateway is out of reach, and between two questions.
PATIENCE, PAUSE = 20.0, 2.0


class Unreachable(KernelEnded):
    """The gateway does not answer; its kernel may live on."""


class Reach:
    """Asks a gateway whether it is there while its kernel is silent.

    Parameters
    ----------
    target : Target
        With the address of a gateway.
    """

    def __init__(self, target: Target) -> None:
        ca_file = Path(target.ca_file) if target.ca_file else None
        self._gateway = Gateway(target.url or "", Path(target.token_file or ""), ca_file)
        self._since: float | None = None
        self._asked = 0.0
        self._gone: Unreachable | None = None

    def known(self) -> None:
        """Raise again what was found before: it is waited for once, not with each question."""
        if self._gone is not None:
            raise self._gone

    async def check(self) -> None:
        """Ask the gateway, seldom. Called while an answer of its kernel is waited for.

        Raises
        ------
        Unreachable
            If it has not answered for ``PATIENCE`` seconds.
        """
        if time.monotonic() - self._asked < PAUSE:
            return
        self._asked = time.monotonic()
        try:
            await asyncio.to_thread(self._gateway.call, "GET", "/api")
        except GatewayDown as error:
            self._since = self._since or self._asked
            if time.monotonic() - self._since > PATIENCE:
                self._gone = Unreachable(str(error))
                raise self._gone from None
        else:
            self._since = None
