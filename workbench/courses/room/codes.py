"""Codes that open a seat once: what stands on the sheet, and how a room knows them. Called by the room and its hub."""

from __future__ import annotations

import hashlib
import secrets

#: Without letters and digits that look alike on paper.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
#: Two groups of four: 39 bits, of which an attacker who may try ten a minute sees nothing.
_GROUPS, _LENGTH = 2, 4


def new_code() -> str:
    """Return a code as it is printed: ``KZ7M-4PQX``."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(_GROUPS))


def plain(typed: str) -> str:
    """Return a code as it is compared: upper case, without what people put between its letters."""
    return "".join(letter for letter in typed.upper() if letter in _ALPHABET)


def digest(code: str) -> str:
    """Return what is kept of a code where the hub reads it."""
    return hashlib.sha256(plain(code).encode()).hexdigest()
