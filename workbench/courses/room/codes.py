"""Codes that open a seat once: what stands on the sheet, and how a room knows them. Called by the room and its hub."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .own import write_own

if TYPE_CHECKING:
    from .folder import Room

CODES = "codes.json"

#: Without letters and digits that look alike on paper.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
#: Two groups of four: 39 bits. Who tries a thousand a second for eight hours while twenty seats wait for theirs opens
#: one with a chance of 1 to 1,500.
_GROUPS, _LENGTH = 2, 4
#: Letters that are looked at: a code with anything between its own.
_LONGEST = 40


def new_code() -> str:
    """Return a code as it is printed: ``KZ7M-4PQX``."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(_GROUPS))


def plain(typed: str) -> str:
    """Return a code as it is compared: upper case, without what people put between its letters."""
    return "".join(letter for letter in typed[:_LONGEST].upper() if letter in _ALPHABET)


def digest(code: str) -> str:
    """Return what is kept of a code where the hub reads it."""
    return hashlib.sha256(plain(code).encode()).hexdigest()


@contextlib.contextmanager
def changing(room: Room) -> Iterator[dict[str, Any]]:
    """Give a room's codes by digest, and keep what has changed in them at the end of the block.

    The hub uses codes up while the board gives new ones: neither may undo the other.
    """
    with (room.folder / "run" / "codes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = (room.folder / CODES).read_text(encoding="utf-8")
        codes: dict[str, Any] = json.loads(before)
        yield codes
        if codes != json.loads(before):
            write_own(room.folder / CODES, codes)
