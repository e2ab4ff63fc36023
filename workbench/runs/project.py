"""The user's project that a run belongs to: the commit of its folder, and what was changed since. For the runner."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

#: Seconds that git may take, on a slow file system or in a large repository.
PATIENCE = 10.0
#: Changed files that are named.
_NAMED = 100


def project(folder: Path) -> dict[str, Any]:
    """Return what ``project.json`` says; nothing is written into the repository.

    Parameters
    ----------
    folder : Path
        The notebook's folder; of a shipped template, the folder in which the run was started.

    Returns
    -------
    dict
        ``folder`` and, in a git repository, ``commit``, ``branch``, ``remote``, ``dirty``, ``changed`` (files) and
        ``diff_sha256``: the SHA-256 of ``git diff --binary HEAD``, by which the same state is known again.
    """
    about: dict[str, Any] = {"folder": str(folder), "commit": None}
    if not any((place / ".git").exists() for place in (folder, *folder.parents)):
        return about
    try:
        return {**about, **_state(folder)}
    except FileNotFoundError:
        return {**about, "why": "git is not installed"}
    except subprocess.TimeoutExpired:
        return {**about, "why": f"git took longer than {PATIENCE:g} s"}
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        return {**about, "why": said[0] if said else "git failed"}


def _state(folder: Path) -> dict[str, Any]:
    said = _git(folder, "status", "--porcelain=v2", "--branch", "-z").decode(errors="replace").split("\0")
    heads = dict(line.removeprefix("# branch.").split(" ", 1) for line in said if line.startswith("# branch."))
    changed = [_path(line) for line in said if line[:2] in ("1 ", "2 ", "u ", "? ")]
    commit = heads.get("oid")
    found = {
        "commit": None if commit == "(initial)" else commit,
        "branch": heads.get("head"),
        "remote": _remote(folder),
        "dirty": bool(changed),
        "changed": sorted(changed)[:_NAMED],
    }
    if changed and found["commit"]:
        found["diff_sha256"] = hashlib.sha256(_git(folder, "diff", "--binary", "HEAD")).hexdigest()
    return found


def _path(line: str) -> str:
    """Return the path in a line of git's status, which stands after a number of fields that depends on its kind."""
    return line.split(" ", {"1": 8, "2": 9, "u": 10, "?": 1}[line[0]])[-1]


def _remote(folder: Path) -> str | None:
    """Return where the repository comes from, without the password that such an address may hold."""
    try:
        url = _git(folder, "config", "--get", "remote.origin.url").decode(errors="replace").strip()
    except subprocess.CalledProcessError:
        return None
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.scheme else url


def _git(folder: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}  # locks: git would refresh its index
    return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True, env=environment).stdout
