"""Signing in with a code from the sheet, which opens its seat once. Loaded by JupyterHub."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

from ..codes import changing, digest
from ..folder import Room
from .pages import CodeHandler

#: Seconds in which wrong codes are counted, and how many one address, and all of them, may try before they are slowed.
_WHILE, _ADDRESS, _ROOM = 60.0, 10, 100
#: Seconds that a wrong code takes then, and how many wait for that at the same time: more are told so at once.
_SLOW, _WAIT_ADDRESS, _WAIT_ROOM = 2.0, 20, 50


class CodeAuthenticator(Authenticator):  # type: ignore[misc]
    """Knows seats by the codes on the sheet.

    A code that was used is used up: the browser that used it stays signed in; anybody else needs a new one.

    Who guesses is slowed down, and no address is locked out for it, for a classroom has one for all: a code that is
    right opens its seat at once, however many guess meanwhile. What keeps guesses off is their number: there are 852
    thousand million codes.
    """

    folder = Unicode(help="The room's folder.").tag(config=True)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._wrong: dict[str, deque[float]] = defaultdict(deque)
        self._slowed: dict[str, int] = defaultdict(int)

    def get_handlers(self, _app: Any) -> list[tuple[str, Any]]:
        """Return our own page for signing in."""
        return [("/login", CodeHandler)]

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Return the seat that a code opens, and use the code up; None where it opens none."""
        address = handler.request.remote_ip
        seat, handler.genai4eu_refusal = self._look(data.get("code", ""))
        if seat is not None:
            return seat
        slow = self._many(address) > _ADDRESS or self._many("") > _ROOM
        if slow and (self._slowed[address] >= _WAIT_ADDRESS or self._slowed[""] >= _WAIT_ROOM):
            handler.genai4eu_refusal = "slow"
        else:
            await self._count(address, slow)
        return None

    def _look(self, code: str) -> tuple[str | None, str]:
        """Return the seat that a code opens, and use it up before that is open: once is once."""
        name = digest(code)
        with changing(Room(Path(self.folder))) as codes:
            entry = codes.get(name)
            if entry is None or entry.get("used"):
                return None, "used" if entry else "unknown"
            codes[name] = {**entry, "used": time.time()}
        return str(entry["seat"]), ""

    def _many(self, address: str) -> int:
        """Return how many wrong codes an address, or with no name everybody, has tried lately."""
        tried, since = self._wrong[address], time.monotonic() - _WHILE
        while tried and tried[0] < since:
            tried.popleft()
        return len(tried)

    async def _count(self, address: str, slow: bool) -> None:
        for name in (address, ""):
            self._wrong[name].append(time.monotonic())
            self._slowed[name] += slow
        try:
            await asyncio.sleep(_SLOW if slow else 0)
        finally:
            for name in (address, ""):
                self._slowed[name] -= slow
        for name in [name for name in self._wrong if name and not self._many(name) and not self._slowed[name]]:
            del self._wrong[name], self._slowed[name]
