"""Where secrets are put, listed and removed. Called by the command line; notebooks only read, through ``secrets``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from genai4eu.kernels.files import write_text

from .errors import WorkbenchError
from .secrets import SERVICE, check_private, checked, fit, folder, from_keyring


def keep(name: str, content: bytes, *, in_keyring: bool = False) -> str:
    """Keep a secret, in place of one of the same name, and return where.

    Raises
    ------
    WorkbenchError
        If the name or the value will not do, or there is no such place.
    """
    short = checked(name)
    value = fit(content, short)
    if in_keyring:
        return _keep_in_keyring(short, value)
    path = folder() / short
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(path, value + "\n", 0o600)
    except OSError as error:
        raise WorkbenchError(f"secret {short!r} cannot be kept in {path.parent} ({error.strerror})") from None
    return str(path)


def _keep_in_keyring(name: str, value: str) -> str:
    if importlib.util.find_spec("keyring") is None:
        raise WorkbenchError("there is no keyring library here: install genai4eu[keyring], or leave --keyring out")
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, name, value)
    except KeyringError as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise WorkbenchError(f"the keyring did not take secret {name!r} ({said}): leave --keyring out") from None
    return f"the keyring, as {SERVICE}/{name}"


def listed() -> list[dict[str, Any]]:
    """Return name, file and problem, if any, of every secret that is a file."""
    paths = sorted(folder().iterdir()) if folder().is_dir() else []
    return [{"name": p.name, "file": str(p), "problem": _problem(p)} for p in paths if not p.name.startswith(".")]


def values() -> dict[str, str]:
    """Return the values of the secrets in files by name, for whoever looks whether one is somewhere it must not be."""
    return {s["name"]: fit(Path(s["file"]).read_bytes(), s["name"]) for s in listed() if s["problem"] is None}


def _problem(path: Path) -> str | None:
    try:
        check_private(checked(path.name), path, path.stat())
    except (WorkbenchError, OSError) as error:
        return str(error)
    return None


def remove(name: str) -> list[str]:
    """Remove a secret and return from where.

    Raises
    ------
    WorkbenchError
        If there is none.
    """
    short = checked(name)
    places = []
    path = folder() / short
    if path.is_file():
        path.unlink()
        places.append(str(path))
    if from_keyring(short) is not None:
        import keyring

        keyring.delete_password(SERVICE, short)
        places.append("the keyring")
    if not places:
        raise WorkbenchError(f"there is no secret {short!r} here: 'genai4eu secrets list' shows those in files")
    return places
