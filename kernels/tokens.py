"""Token files: the only place where a gateway's token is kept. Called by the gateway, ``connect``, targets, the bridge.

A token never stands in a command line, an environment variable or a kernelspec: others on the computer can read those.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from .errors import KernelsError

#: Characters of a token with 128 random bits, six in each; a random one repeats few.
SHORTEST, DIFFERENT = 22, 8


def read_token(path: Path) -> str:
    """Return the token kept in ``path``.

    Raises
    ------
    KernelsError
        If the file is missing, is somebody else's, can be read by others, or holds no token.
    """
    try:
        with path.open("rb") as stream:
            _check_private(path, os.fstat(stream.fileno()))
            token = stream.read(4097).decode("ascii", "replace").strip()
    except FileNotFoundError:
        raise KernelsError(
            f"the token file {path} does not exist: ask the gateway's operator for the token and put it there"
        ) from None
    except OSError as error:
        raise KernelsError(f"the token file {path} cannot be read ({error.strerror}): name a readable file") from None
    if not re.fullmatch(r"[!-~]{1,4096}", token):  # it goes into an HTTP header
        raise KernelsError(f"the token file {path} holds no token: it must hold one line of printable characters")
    return token


def _check_private(path: Path, status: os.stat_result) -> None:
    """Refuse what is not a plain file of ours that nobody else can read."""
    if not stat.S_ISREG(status.st_mode):
        raise KernelsError(f"the token file {path} is not a plain file: name a file that holds the token")
    if status.st_uid not in (os.geteuid(), 0):
        raise KernelsError(f"the token file {path} belongs to another user: copy the token into a file of your own")
    if status.st_mode & 0o077:
        raise KernelsError(f"the token file {path} can be read by others: type chmod 600 {path}")


def strong_token(path: Path) -> str:
    """Return the token in ``path``, after putting a fresh random one there if there is no such file.

    Raises
    ------
    KernelsError
        If it is so short or so plain that it could be guessed.
    """
    token = ensure_token(path)
    if len(token) < SHORTEST or len(set(token)) < DIFFERENT:
        raise KernelsError(
            f"the token in {path} is too easy to guess, it needs {SHORTEST} random characters or more: "
            "remove the file, and the gateway puts a good one there"
        )
    return token


def ensure_token(path: Path) -> str:
    """Return the token in ``path``, after putting a fresh random one there if there is no such file."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700)
    try:  # O_EXCL: of two gateways started at once, one writes, the other reads
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_token(path)
    except OSError as error:
        raise KernelsError(f"the token file {path} cannot be written ({error.strerror}): name another one") from None
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_urlsafe(32) + "\n")
    return read_token(path)
