"""The variables of a kernel: the gateway's own, less its secrets, and what a client may set. Used by the managers."""

from __future__ import annotations

import os
import re

from tornado import web

#: The variables that a client may set, by exact name. The notebook's path tells a kernel whose scratch folder is whose.
ALLOWED = frozenset({"JPY_SESSION_NAME"})
#: Two users never share a warm template: it is known by this, and by what makes it one of this computer.
OWNER = "GENAI4EU_WARM_OWNER"
#: What a service manager or a shell may have given to the gateway, and what is nobody else's.
_SECRET = ("GENAI4EU_GATEWAY_", "JUPYTER_TOKEN", "JPY_API_TOKEN", "JPY_PARENT_PID", "CREDENTIALS_DIRECTORY",
           "NOTIFY_SOCKET", "LISTEN_", "INVOCATION_ID")  # fmt: skip


def allowed(env: object) -> dict[str, str]:
    """Return what the client may set of what it asked for.

    Raises
    ------
    HTTPError
        400 if that is not an object of short strings.
    """
    if env is None:
        return {}
    if not isinstance(env, dict):
        raise web.HTTPError(400, "env must be an object of names and values")
    asked = {name: value for name, value in env.items() if name in ALLOWED}
    if not all(_is_plain(value) for value in asked.values()):
        raise web.HTTPError(400, "the values of env must be short strings")
    return asked


def ignored(env: object) -> list[str]:
    """Return the names of what the client may not set, for the answer and the audit log: a few, and fit to be read."""
    asked = sorted(set(env) - ALLOWED) if isinstance(env, dict) else []
    return [name if re.fullmatch(r"[A-Za-z_]\w{0,63}", name, re.ASCII) else "(no name)" for name in asked[:20]]


def _is_plain(value: object) -> bool:
    """Return whether the operating system can take the value: no NUL, no half of a surrogate pair."""
    return isinstance(value, str) and len(value) < 4096 and "\0" not in value and value.isprintable()


def of_kernel(owner: str, asked: dict[str, str]) -> dict[str, str]:
    """Return the whole environment of one kernel; the gateway's own is never changed."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET)}
    return {**ours, OWNER: owner, **asked}
