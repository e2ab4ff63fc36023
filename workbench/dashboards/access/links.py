"""Unguessable links to a dashboard: each with a name, an end, and a way to take it back. Called by ``access``.

A link's token is shown once, when it is made. ``site.json`` holds its SHA-256 alone, so that whoever can read the
folder, or a copy of it, cannot open the link.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...errors import WorkbenchError
from ...runs.record import now
from ..dashboard import Dashboard
from .visibility import decisions

#: 256 random bits in the alphabet of addresses.
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"\S(?:[^\n\r\t\0]{0,58}\S)?")


@dataclass(frozen=True)
class Link:
    """One link as it is known after it was made: everything but its token."""

    name: str
    made: str
    expires: str | None

    @property
    def ended(self) -> bool:
        """Whether its time is over."""
        return past(self.expires)


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_link(dashboard: Dashboard, name: str | None = None, expires: str | None = None) -> str:
    """Make a link; return its token, which is nowhere else: the address is ``l/<token>/``.

    Parameters
    ----------
    name : str, optional
        By which it is listed and revoked; ``link-1`` and so on where none is given.
    expires : str, optional
        ISO 8601 time with a zone, as :func:`until` gives it.

    Raises
    ------
    WorkbenchError
        If the dashboard has a link of that name, or the name is none.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise WorkbenchError(f"{name!r} is no name for a link: use one to sixty characters on one line")
    token = secrets.token_urlsafe(32)
    with dashboard.changing():
        known = _known(dashboard)
        if name in known:
            raise WorkbenchError(f"{dashboard.slug} has a link {name!r} already: choose another name, or revoke it")
        chosen = name or next(free for n in range(1, len(known) + 2) if (free := f"link-{n}") not in known)
        dashboard.note(links={**known, chosen: {"sha256": digest(token), "made": now(), "expires": expires}})
    return token


def revoke_link(dashboard: Dashboard, name: str) -> None:
    """Take a link back: from now on it opens nothing.

    Raises
    ------
    WorkbenchError
        If there is none of that name.
    """
    with dashboard.changing():
        known = _known(dashboard)
        if name not in known:
            there = ", ".join(known) or "none"
            raise WorkbenchError(f"{dashboard.slug} has no link {name!r}: there is {there}")
        dashboard.note(links={n: about for n, about in known.items() if n != name})


def links_of(dashboard: Dashboard) -> list[Link]:
    """Return the links of a dashboard in the order in which they were made."""
    return [Link(name, str(about.get("made", "")), about.get("expires")) for name, about in _known(dashboard).items()]


def _known(dashboard: Dashboard) -> dict[str, dict[str, Any]]:
    return dict(dashboard.site.get("links") or {})


def until(text: str) -> str:
    """Return when ``2026-12-24`` (that day counts whole) or ``2026-12-24T18:00`` is, as ``site.json`` keeps it.

    Raises
    ------
    WorkbenchError
        If it is no date, or over.
    """
    return str(decisions(None, text)["expires"])


def past(expires: str | None) -> bool:
    """Tell whether a time is over; what cannot be read as one is: nobody is let in on a guess."""
    if expires is None:
        return False
    try:
        end = datetime.fromisoformat(expires)
    except (TypeError, ValueError):
        return True
    return end.astimezone(UTC) <= datetime.now(UTC)
