"""Who may use a gateway: names, digests of tokens, quotas. Used wherever the gateway asks."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """A person (or a program) with a token.

    Attributes
    ----------
    digest : str
        SHA-256 of the token. A slow, salted hash would gain nothing: the token is 256 random bits, so there is no
        dictionary to try, and it is checked at every request.
    created, expires, revoked : float or None
        Seconds since the epoch.
    kernels : int or None
        How many at once; ``None`` for no limit.
    kernelspecs : tuple of str or None
        Those allowed; ``None`` for all.
    longest : float or None
        Seconds that a kernel may live.
    operator : bool
        May read ``/metrics``, where the names of the others stand.
    """

    name: str
    digest: str
    created: float = 0.0
    expires: float | None = None
    revoked: float | None = None
    kernels: int | None = None
    kernelspecs: tuple[str, ...] | None = None
    longest: float | None = None
    operator: bool = False

    def __post_init__(self) -> None:
        """Make a list, as it comes from JSON, a tuple."""
        if self.kernelspecs is not None:
            object.__setattr__(self, "kernelspecs", tuple(self.kernelspecs))

    def state(self) -> str:
        """Return ``active``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and time.time() >= self.expires else "active"


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Users:
    """The users of a gateway, as it sees them."""

    def __init__(self, users: Sequence[User] = ()) -> None:
        self._users = {user.name: user for user in users}

    def all(self) -> dict[str, User]:
        """Return everybody by name, also those whose time is over."""
        return self._users

    def find(self, token: str) -> User | None:
        """Return the active user whom the token stands for.

        Digests are compared, all of them and each in constant time, so that how long it takes tells nothing.
        """
        wanted = digest(token)
        found = [user for user in self.all().values() if hmac.compare_digest(user.digest, wanted)]
        return found[0] if found and found[0].state() == "active" else None
