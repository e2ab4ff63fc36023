"""Secrets: a parameter names one, ``secret:NAME``; the value is looked up where the kernel runs, and stays there.

A secret lies in a file that only its owner can read, or in the computer's keyring. Called by notebooks through
``genai4eu.secret``, and by the command line. Standard library only until a keyring is needed: kernels import this.
"""

from __future__ import annotations

import importlib.util
import os
import re
import stat
from pathlib import Path

import platformdirs

from . import redact
from .errors import WorkbenchError

PREFIX = "secret:"
SERVICE = "genai4eu"
#: Shorter ones are ordinary words: they could not be kept out of outputs without spoiling these.
SHORTEST = 6
LONGEST = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def secret(name: str) -> str:
    """Return the value of a secret of this computer; from now on this kernel shows ``secret:NAME`` in its place.

    Parameters
    ----------
    name : str
        The name, or a parameter's value ``secret:NAME``.

    Raises
    ------
    WorkbenchError
        If there is none here, or others can read its file.
    """
    short = checked(name)
    value = _from_file(short)
    if value is None:
        value = from_keyring(short)
    if value is None:
        # without the prefix it may be a value by mistake, which nobody is to read
        said, named = (f" {short!r}", short) if name.startswith(PREFIX) else (" of that name", "NAME")
        where = f"on {os.uname().nodename}, neither in {folder()} nor in a keyring"
        raise WorkbenchError(f"there is no secret{said} {where}: type genai4eu secrets set {named} there")
    redact.keep_out(value, PREFIX + short)
    return value


def checked(name: str) -> str:
    """Return a secret's bare name; one that is none is not repeated, because it may be a value."""
    short = name.removeprefix(PREFIX) if isinstance(name, str) else ""
    if not _NAME.fullmatch(short):
        raise WorkbenchError("that is no name of a secret: use letters, digits, '.', '_' and '-', as in secret:hub-key")
    return short


def folder() -> Path:
    """Return the folder of this user's secrets: ``GENAI4EU_SECRETS``, else below the configuration folder."""
    named = os.environ.get("GENAI4EU_SECRETS")
    return Path(named).expanduser() if named else platformdirs.user_config_path("genai4eu") / "secrets"


def _from_file(name: str) -> str | None:
    path = folder() / name
    try:
        with path.open("rb") as stream:
            check_private(name, path, os.fstat(stream.fileno()))
            return fit(stream.read(LONGEST + 1), name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WorkbenchError(f"secret {name!r} cannot be read ({error.strerror}): look at {path}") from None


def check_private(name: str, path: Path, status: os.stat_result) -> None:
    """Refuse what is not a plain file of ours that nobody else can read."""
    if not stat.S_ISREG(status.st_mode):
        raise WorkbenchError(f"secret {name!r} is not a plain file: look at {path}")
    if status.st_uid != os.geteuid():
        raise WorkbenchError(f"secret {name!r} is a file of another user: make your own, genai4eu secrets set {name}")
    if status.st_mode & 0o077:
        raise WorkbenchError(f"secret {name!r} can be read by others: type chmod 600 {path}, and have it renewed")


def fit(content: bytes, name: str) -> str:
    """Return a secret's text without the line end behind it; refuse what could not be kept secret."""
    try:
        value = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise WorkbenchError(f"secret {name!r} is not text: encode it, for instance as base64") from None
    if len(value.strip()) < SHORTEST:
        raise WorkbenchError(f"secret {name!r} is shorter than {SHORTEST} characters: too short to keep out of outputs")
    if len(content) > LONGEST:
        raise WorkbenchError(f"secret {name!r} is longer than {LONGEST} bytes: keep the path of a file instead")
    return value


def from_keyring(name: str) -> str | None:
    """Ask the computer's keyring, where there is one."""
    if importlib.util.find_spec("keyring") is None:
        return None
    import keyring
    from keyring.errors import KeyringError

    try:
        value: str | None = keyring.get_password(SERVICE, name)
    except KeyringError:  # a computer without a session has none that could be opened
        return None
    return None if value is None else fit(value.encode(), name)
