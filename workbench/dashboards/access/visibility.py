"""Who may see a dashboard, and until when: what people type, as ``site.json`` keeps it, and that in a sentence.

The one place where it is said what a visibility is. Called by publishing, admission and links.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ...errors import WorkbenchError

#: Everybody; who has the link; who signs in: each with the sentence that says so.
VISIBILITIES = {
    "public": "{slug} is public: it stands in the gallery",
    "link": "{slug} is seen with a link alone, {links} made so far: genai4eu dashboards link {slug}",
    "private": "{slug} is private: {who} may see it after signing in",
}

_SPANS = {"h": "hours", "d": "days", "w": "weeks"}


def decisions(
    visibility: str | None,
    expires: str | date | None = None,
    *,
    users: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return what was decided, for ``site.json``; what is not given is left out.

    Parameters
    ----------
    visibility : {"public", "link", "private"}, optional
        Everyone, who has a link, or who signs in.
    expires : str, date or datetime, optional
        Until when: a date counts whole.
    users, groups : sequence of str, optional
        With ``private``: who of those that sign in.

    Raises
    ------
    WorkbenchError
        For another word, an end that is none or is over, or people who are named where nobody signs in.
    """
    decided: dict[str, Any] = {}
    if visibility is not None:
        if visibility not in VISIBILITIES:
            *most, last = VISIBILITIES
            raise WorkbenchError(f"a dashboard is {', '.join(most)} or {last}, not {visibility!r}")
        decided["visibility"] = visibility
    if visibility != "private" and (users is not None or groups is not None):
        raise WorkbenchError(f"users and groups are for private dashboards: {visibility} asks nobody for a name")
    if any(named is not None and not named for named in (users, groups)):
        raise WorkbenchError("no name was given: name at least one, or leave the option out")
    decided |= {name: list(given) for name, given in (("users", users), ("groups", groups)) if given is not None}
    if expires is not None:
        decided["expires"] = _end(expires).astimezone(UTC).isoformat(timespec="seconds")
    return decided


def sentence(slug: str, site: Mapping[str, Any]) -> str:
    """Say who sees a dashboard of which ``site`` was decided."""
    named = [*(site.get("users") or []), *(f"group {name}" for name in site.get("groups") or [])]
    links = len(site.get("links") or {})
    return VISIBILITIES[site["visibility"]].format(slug=slug, links=links, who=", ".join(named) or "everyone")


def _end(expires: str | date) -> datetime:
    """Return the moment after which nobody sees it; a date counts whole."""
    if isinstance(expires, date) and not isinstance(expires, datetime):
        expires = expires.isoformat()
    end = expires if isinstance(expires, datetime) else _coming(str(expires))
    if end.astimezone() <= datetime.now().astimezone():
        raise WorkbenchError(f"--expires {expires} is over already: give a date to come")
    return end


def _coming(text: str) -> datetime:
    """Return the time that a person means by ``2027-06-30`` (the whole day), ``2027-06-30 14:30`` or ``30d``."""
    if span := re.fullmatch(r"(\d{1,5})\s*([hdw])", text.strip()):
        return datetime.now().astimezone() + timedelta(**{_SPANS[span[2]]: int(span[1])})
    try:
        when = datetime.fromisoformat(text.strip())
        when += timedelta(days=1) if len(text.strip()) == len("2027-06-30") else timedelta()
    except (ValueError, OverflowError):
        tomorrow = f"{datetime.now().astimezone() + timedelta(days=30):%Y-%m-%d}"
        raise WorkbenchError(
            f"--expires {text!r} is no time: give {tomorrow}, {tomorrow}T14:30, or 30d for in thirty days"
        ) from None
    return when.astimezone()  # a time without a zone is this computer's
