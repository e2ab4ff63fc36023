"""Who may see a dashboard, and until when: what people type, as ``site.json`` keeps it. Called by publishing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ...errors import WorkbenchError
from ...runs.filters import moment

#: Everybody; who has the link; who signs in.
VISIBILITIES = ("public", "link", "private")


def decisions(visibility: str | None, expires: str | datetime | None) -> dict[str, Any]:
    """Return what was decided, for ``site.json``; what is not given is left out.

    Raises
    ------
    WorkbenchError
        For another word, or an end that is none or is over.
    """
    decided: dict[str, Any] = {}
    if visibility is not None:
        if visibility not in VISIBILITIES:
            raise WorkbenchError(f"a dashboard is {', '.join(VISIBILITIES[:2])} or private, not {visibility!r}")
        decided["visibility"] = visibility
    if expires is not None:
        decided["expires"] = _end(expires).astimezone(UTC).isoformat(timespec="seconds")
    return decided


def _end(expires: str | datetime) -> datetime:
    """Return the moment after which nobody sees it; a date counts whole."""
    end = expires if isinstance(expires, datetime) else moment(expires, "--expires", end=True)
    if end.astimezone() <= datetime.now().astimezone():
        raise WorkbenchError(f"--expires {expires} is over already: give a date to come")
    return end
