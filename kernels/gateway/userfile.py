"""The users of a gateway in a JSON file of mode 0600. Read by the gateway, written by ``gateway add-user|revoke``.

It is read anew whenever it changed, so that what another process writes acts at once.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import KernelsError
from ..files import write_json
from .users import User, Users, digest

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
#: Kernels at once of a user for whom nobody said how many.
KERNELS = 4


class UserFile(Users):
    """The users in a file.

    Raises
    ------
    KernelsError
        If the file is there and is no list of users; later on, the last readable one goes on holding.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._seen: tuple[int, ...] = ()
        self._users = self._read()

    def all(self) -> dict[str, User]:
        """Return everybody by name, after looking whether the file changed."""
        try:
            if self._mark() != self._seen:
                self._users = self._read()
        except KernelsError as error:
            logging.getLogger(__name__).error("%s; what stood there before goes on holding", error)
        return self._users

    def _mark(self) -> tuple[int, ...]:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return ()
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _read(self) -> dict[str, User]:
        self._seen = self._mark()
        try:
            if self._seen and self.path.stat().st_mode & 0o077:
                raise KernelsError(f"the users in {self.path} can be read by others: type chmod 600 {self.path}")
            content = json.loads(self.path.read_text(encoding="utf-8"))["users"] if self._seen else {}
            return {name: User(name=name, **about) for name, about in content.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise KernelsError(f"{self.path} is no list of users ({error}): put a copy of it back") from None

    @contextmanager
    def _change(self) -> Iterator[dict[str, User]]:
        """Change the file, one process at a time."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            users = self._read()
            yield users
            content = {name: dataclasses.asdict(user) for name, user in users.items()}
            for about in content.values():
                del about["name"]
            write_json(self.path, {"users": content}, 0o600)
            self._users = self._read()
        finally:
            os.close(handle)

    def add(self, names: Sequence[str], renew: bool = False, **about: object) -> dict[str, str]:
        """Add users and return their tokens by name, which are kept nowhere.

        Raises
        ------
        KernelsError
            If a name cannot be one, or is taken and ``renew`` (a fresh token, the old one void) was not asked for.
        """
        tokens = {name: f"genai4eu_{secrets.token_urlsafe(32)}" for name in names}
        with self._change() as users:
            for name, token in tokens.items():
                if not NAME.fullmatch(name):
                    raise KernelsError(f"{name!r} cannot name a user: use up to 40 small letters, digits, ., - and _")
                if name in users and users[name].state() == "active" and not renew:
                    raise KernelsError(f"there is a user {name} already: --renew gives them a fresh token")
                before = users[name] if renew and name in users else User(name, "", kernels=KERNELS)
                given = {what: value for what, value in about.items() if value is not None}
                fresh = {"digest": digest(token), "created": time.time(), "expires": None, "revoked": None, **given}
                users[name] = dataclasses.replace(before, **fresh)  # type: ignore[arg-type]
        return tokens

    def revoke(self, names: Sequence[str], forget: bool = False) -> None:
        """End the access of users, at once; ``forget``: leave no entry of them either.

        Raises
        ------
        KernelsError
            If there is no such user; nobody is revoked then.
        """
        with self._change() as users:
            for name in names:
                if name not in users:
                    known = ", ".join(sorted(n for n, u in users.items() if u.state() == "active")) or "nobody"
                    raise KernelsError(f"there is no user {name!r}: use one of {known}")
                users[name] = dataclasses.replace(users[name], revoked=time.time())
            for name in names if forget else ():
                users.pop(name, None)  # it may be named twice
