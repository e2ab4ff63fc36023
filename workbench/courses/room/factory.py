"""Where a room's broker is, and how it is started: what the room, its seats and the broker have to agree about."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from .folder import Room

#: In a seat's environment: the broker's socket, and what proves the seat where seats have no users of their own.
SOCKET, SECRET = "GENAI4EU_FACTORY", "GENAI4EU_FACTORY_SECRET"
#: Of the trainer's account, what a target needs to be found and reached; nothing that may be a secret.
_ACCOUNT = re.compile(
    r"HOME|USER|LOGNAME|VIRTUAL_ENV|LD_LIBRARY_PATH|IPYTHONDIR|GENAI4EU_(LEASE|WARM)|(JUPYTER|XDG|CUDA|CONDA|SSL)_.*"
)
_SECRET = re.compile(r".*(TOKEN|SECRET|PASSWORD|KEY).*")


def socket_of(room: Room) -> Path:
    """Return where the room's broker listens: in a folder of its own, which a seat may pass through."""
    return room.folder.resolve() / "factory" / "socket"


def secret_of(room: Room, seat: str) -> str:
    """Return what proves that somebody is a seat, where seats have no users of their own."""
    return hmac.new(room.about["token"].encode(), f"factory {seat}".encode(), hashlib.sha256).hexdigest()


def variables(room: Room, seat: str) -> dict[str, str]:
    """Return the variables of a seat's kernels; none where the room has no factory. Called by the room's spawner."""
    about = room.about
    if not about.get("factory"):
        return {}
    own = {} if about["prefix"] else {SECRET: secret_of(room, seat)}
    return {SOCKET: str(socket_of(room)), **own}


def broker(room: Room) -> tuple[list[str], Callable[[], bool]]:
    """Return the broker's command, none where the room has no factory, and what tells that it listens."""
    place = socket_of(room)
    place.unlink(missing_ok=True)  # one that was killed left it
    command = [sys.executable, "-P", "-m", "genai4eu.courses.factory", str(room.folder)]
    return command if room.about.get("factory") else [], place.exists


def account() -> dict[str, str]:
    """Return the variables that the broker has beside the room's: it alone works with the trainer's account."""
    found = {name: value for name, value in os.environ.items() if _ACCOUNT.fullmatch(name)}
    return {name: value for name, value in found.items() if not _SECRET.fullmatch(name)}
