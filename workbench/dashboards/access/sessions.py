"""Who is signed in: random session ids, kept in this process alone, so that signing out ends a session for good.

Called by the handlers. After a restart everybody signs in anew.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

#: Seconds after which a session ends that is not used, and after which any does.
IDLE, LONGEST = 3600.0, 12 * 3600.0
#: Sessions that are remembered; the longest unused makes room.
MOST = 10_000


@dataclass
class _Session:
    value: bytes
    begun: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        now = time.monotonic()
        return now - self.used > IDLE or now - self.begun > LONGEST


class Sessions:
    """Values by session id; of an id, only the SHA-256 is kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Session] = OrderedDict()

    def begin(self, value: bytes) -> str:
        """Keep a value; return the id that stands for it."""
        session = secrets.token_urlsafe(32)
        self._kept[_digest(session)] = _Session(value)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return session

    def value(self, session: str) -> bytes | None:
        """Return what an id stands for; ``None`` where it stands for nothing any more."""
        name = _digest(session)
        found = self._kept.get(name)
        if found is None or found.over:
            self._kept.pop(name, None)
            return None
        found.used = time.monotonic()
        self._kept.move_to_end(name)
        return found.value

    def end(self, session: str) -> None:
        """Forget an id."""
        self._kept.pop(_digest(session), None)


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()
