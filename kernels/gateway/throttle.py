"""Slows down whoever tries tokens. Used by the guard before every handler, and by the server of dashboards."""

from __future__ import annotations

import time
from collections import OrderedDict

#: Failures that an address may have in a row, then one every ``PER`` seconds, and the addresses that are remembered.
BURST, PER, REMEMBERED = 300, 1.0, 10_000


class Throttle:
    """Counts failed authentications by address.

    A right token is let through from any address: many users share the address of a proxy or of a tunnel, and a token
    of 256 random bits cannot be found by trying. What this protects is the log and the gateway's time.

    Parameters
    ----------
    burst : int
        Failures that an address may have in a row.
    per : float
        Seconds after which it may have one more.
    """

    def __init__(self, burst: int = BURST, per: float = PER) -> None:
        self.burst, self.per = burst, per
        self._until: OrderedDict[str, float] = OrderedDict()  # when all failures of the address will be forgotten

    def failed(self, address: str) -> float:
        """Count a failure; return 0, or the seconds after which the address may try again."""
        now = time.monotonic()
        until = max(now, self._until.pop(address, now))
        wait = until - now - (self.burst - 1) * self.per
        self._until[address] = until + (self.per if wait <= 0 else 0.0)
        while len(self._until) > REMEMBERED:
            self._until.popitem(last=False)
        return max(0.0, wait)

    def forgive(self, address: str) -> None:
        """Take back a failure that was counted before it was known to be none."""
        if address in self._until:
            self._until[address] -= self.per
