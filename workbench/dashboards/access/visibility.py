"""Who may see a dashboard, and until when: what people type, as ``site.json`` keeps it, and that in a sentence.

The one place where it is said what a visibility is. Called by publishing, admission and links.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from ...errors import WorkbenchError
from ...runs.filters import moment

#: Everybody; who has the link; who signs in: each with the sentence that says so.
VISIBILITIES = {
    "public": "{slug} is public: it stands in the gallery",
    "link": "{slug} is seen with a link alone, {links} made so far: genai4eu dashboards link {slug}",
    "private": "{slug} is private: {who} may see it after signing in",
}


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
    end = expires if isinstance(expires, datetime) else moment(str(expires), "--expires", end=True, coming=True)
    if end.astimezone() <= datetime.now().astimezone():
        raise WorkbenchError(f"--expires {expires} is over already: give a date to come")
    return end
