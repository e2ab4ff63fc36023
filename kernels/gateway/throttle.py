"""Slows down whoever tries tokens. Used by the guard before every handler."""

from __future__ import annotations

import time
from collections import OrderedDict

#: Failures that an address may have in a row, then one every ``PER`` seconds, and the addresses that are remembered.
BURST, PER, REMEMBERED = 300, 1.0, 10_000


class Throttle:
    """Counts failed authentications by address.

    A right token is let through from any address: many users share the address of a proxy or of a tunnel, and a token
    of 256 random bits cannot be found by trying. What this protects is the log and the gateway's time.
    """

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()  # when all failures of the address will be forgotten

    def failed(self, address: str) -> float:
        """Count a failure; return 0, or the seconds after which the address may try again."""
        now = time.monotonic()
        until = max(now, self._until.pop(address, now))
        wait = until - now - (BURST - 1) * PER
        self._until[address] = until + (PER if wait <= 0 else 0.0)
        while len(self._until) > REMEMBERED:
            self._until.popitem(last=False)
        return max(0.0, wait)
