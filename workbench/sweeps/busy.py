"""How many runs a target takes at once: fewer for a while where a quota is used up. Used by ``pool``."""

from __future__ import annotations

import time

#: What a gateway says to one kernel too many.
_FULL = "kernels at once"
#: Seconds until more is tried again, the first time and at most.
_FIRST, _MOST = 2.0, 60.0


class Busy:
    """Remembers what the target refused.

    A user's other kernels, in notebooks for one, count as well: so even the last may be refused, and has to wait.
    """

    def __init__(self) -> None:
        self._limit: int | None = None
        self._until = 0.0
        self._pause = _FIRST

    def full(self, refusal: str, others: int) -> bool:
        """Tell whether a refusal means "not now"; then no more than ``others`` run at once for a while."""
        if _FULL not in refusal:
            return False
        self._limit = others
        self._until = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _MOST)
        return True

    def free(self) -> None:
        """A run went well: where there was room for it there is room for the next."""
        self._pause = _FIRST

    def most(self, jobs: int) -> int:
        """Return how many runs may be asked for at once now."""
        if self._limit is None or time.monotonic() >= self._until:
            return jobs
        return min(jobs, self._limit)
