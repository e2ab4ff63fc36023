"""Publish a run: its record becomes an immutable bundle, built aside and renamed into place; and take it down again.

Called by ``genai4eu publish|republish|unpublish``, by the demo and by notebooks.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ...runs.files import reason, write_json
from ...runs.record import Record
from ...runs.store import find as find_run
from ..access.links import add_link, links_of
from ..access.visibility import decisions
from ..bundle import Bundle
from ..dashboard import SITE, SLUG, Dashboard, all_dashboards, dashboards_root, find
from ..lock import held
from .aside import aside
from .checks import Finding
from .content import Content, Wording, check_finished, findings, same
from .published import Published

__all__ = ["Published", "check", "publish", "republish", "unpublish"]


def publish(
    run: Record | str,
    *,
    title: str | None = None,
    summary: str | None = None,
    languages: Sequence[str] | None = None,
    visibility: str | None = None,
    expires: str | date | None = None,
) -> Published:
    """Freeze a run into a dashboard below :func:`~genai4eu.dashboards.dashboard.dashboards_root`.

    Parameters
    ----------
    run : Record or str
        A record, or what ``genai4eu runs list`` shows of one: its id, the end of it, ``latest``.
    title, summary : str, optional
        Instead of the notebook's question and answer sentence.
    languages : sequence of str, optional
        Languages that its text is in, the main one first, instead of the notebook's.
    visibility : {"public", "link", "private"}, optional
        Who may see it: everybody (the default), who has the link, or who signs in.
    expires : str, date or datetime, optional
        Until when it is shown: a date counts whole.

    Returns
    -------
    Published
        The same for the same run, however often it is published: what was frozen never changes. Visibility and end
        are decisions: of a dashboard that stands, those that are given are changed.

    Raises
    ------
    WorkbenchError
        For a run that is unknown, not sealed, not completed, or changed since, and for all that :func:`check` finds,
        all at once. Nothing is left behind then.
    """
    record = _named(run)
    decided = decisions(visibility, expires)
    wording = Wording(title, summary, languages)
    root = dashboards_root()
    check_finished(record)
    standing = _standing(record, root)
    if standing is None:
        content = Content.of(record, wording)
        standing = _place(root, content, decided)
    if not standing.new:
        _unchanged(standing, wording)
    if decided and not standing.new:
        standing.dashboard.decide(**decided)
    return _with_link(standing) if visibility == "link" else standing


def _unchanged(standing: Published, wording: Wording) -> None:
    """Refuse words for a run that stands with others: what was frozen never changes.

    Raises
    ------
    WorkbenchError
        If they are others.
    """
    given = Bundle(standing.folder).info.get("given", {})
    asked = {name: said if isinstance(said, str) else list(said) for name, said in wording.given.items()}
    others = [name for name, said in asked.items() if given.get(name) != said]
    if others:
        raise WorkbenchError(
            f"its run is published already as {standing.slug}, with another {' and '.join(others)}: "
            f"'genai4eu republish {standing.slug}' takes the same options and shows a new version"
        )


def check(
    run: Record | str, *, title: str | None = None, summary: str | None = None, languages: Sequence[str] | None = None
) -> list[Finding]:
    """Look whether a run can be published, and publish nothing; parameters are those of :func:`publish`.

    Returns
    -------
    list of Finding
        All that speaks against it (``refused``), and then what whoever publishes should know.

    Raises
    ------
    WorkbenchError
        Where there is nothing to look at: no finished run, one that was changed, no dashboard part.
    """
    record = _named(run)
    return findings(record, Wording(title, summary, languages))


def republish(
    slug: str,
    run: Record | str | None = None,
    *,
    title: str | None = None,
    summary: str | None = None,
    languages: Sequence[str] | None = None,
    visibility: str | None = None,
    expires: str | date | None = None,
    version: int | None = None,
) -> Published:
    """Show a new version at the address of a dashboard; the old ones are kept.

    Parameters
    ----------
    slug : str
        The dashboard: its slug, or the beginning or end of it.
    run : Record or str, optional
        The run to show from now on; without one, the same run is frozen anew.
    title, summary, languages
        As for :func:`publish`. A title or languages given before hold on, a summary as long as the run is the same.
    visibility, expires
        As for :func:`publish`; what is not given stays as it was decided. They hold from the moment at which the
        version stands, and not before.
    version : int, optional
        Show this earlier version again, instead of making one.

    Returns
    -------
    Published
        The version that stands now; not ``new`` where it would show the same as the one before.

    Raises
    ------
    WorkbenchError
        If there is no such dashboard, run or version, or the run cannot be published; what stood stands then.
    """
    dashboard, decided = find(slug), decisions(visibility, expires)
    if version is not None:
        if run is not None or title or summary or languages:
            raise WorkbenchError("a version is shown again as it was: give no run, title, summary or language with it")
        made = _roll_back(dashboard, version, decided)
    else:
        made = _add(dashboard, _renewed(dashboard, run, Wording(title, summary, languages)), decided)
    return _with_link(made) if visibility == "link" else made


def _named(run: Record | str) -> Record:
    """Return a run that was named, or given."""
    if isinstance(run, Record):
        return run
    if not isinstance(run, str):
        raise WorkbenchError(f"{run!r} is no run: give a record, or what 'genai4eu runs list' shows of one")
    return find_run(run)


def _renewed(dashboard: Dashboard, run: Record | str | None, asked: Wording) -> Content:
    """Return what the next version of a dashboard holds; words that were given before hold on."""
    before = dashboard.current.info
    record = _named(before["run"] if run is None else run)
    check_finished(record)
    kept = {k: v for k, v in before.get("given", {}).items() if k != "summary" or record.id == before["run"]}
    content = Content.of(record, Wording(**{**kept, **asked.given}))
    other, shown = (Path(str(name)).stem for name in (record.info["template"], before.get("template")))
    if other == shown:
        return content
    strange = Finding("run", record.id, f"it is a run of {other}, and {dashboard.slug} showed one of {shown} so far",
                      "look whether it is the one you mean", refused=False)  # fmt: skip
    return dataclasses.replace(content, warnings=(*content.warnings, strange))


def unpublish(slug: str) -> str:
    """Take a dashboard down, with all its versions: it is gone from every list at once, whatever happens meanwhile.

    Returns
    -------
    str
        The whole slug.

    Raises
    ------
    WorkbenchError
        If there is none, or it cannot be removed.
    """
    dashboard = find(slug)
    with aside(dashboard.folder.parent) as emptied, dashboard.changing():
        try:
            dashboard.folder.rename(emptied / dashboard.slug)
        except OSError as error:
            raise WorkbenchError(f"cannot take down {dashboard.folder}: {error.strerror}") from None
    return dashboard.slug


def _with_link(standing: Published) -> Published:
    """Make the first link of a dashboard that is seen by link alone; more are made by ``genai4eu dashboards link``."""
    if links_of(standing.dashboard):
        return standing
    return dataclasses.replace(standing, link=f"/l/{add_link(standing.dashboard)}/")


def _standing(record: Record, root: Path) -> Published | None:
    """Return what stands of a run: one run has one address."""
    for dashboard in all_dashboards(root):
        try:
            bundle = dashboard.of_run(record.id)
        except WorkbenchError:
            continue  # a damaged dashboard is nobody's
        if bundle is not None:
            return Published(dashboard.slug, bundle.folder, new=False)
    return None


def _slug(record: Record, root: Path) -> str:
    """Return a name for the dashboard of a run that is free."""
    template = re.sub(r"[^a-z0-9]+", "-", Path(str(record.info["template"])).stem.lower()).strip("-") or "run"
    whole = re.sub(r"[^a-z0-9]+", "-", record.id.lower()).strip("-")
    for slug in (f"{template[:60]}-{whole.rsplit('-', 1)[-1]}", whole[:80]):
        if SLUG.fullmatch(slug) and not (root / slug).exists():
            return slug
    raise WorkbenchError(f"another dashboard stands at {root / slug}: move it away and publish again")


def _place(root: Path, content: Content, decided: dict[str, Any]) -> Published:
    """Build the dashboard aside, then rename it: nobody ever sees half of one."""
    with aside(root) as building:
        made = building / "made"
        try:
            content.write(made / "versions" / "1")
            with held(root):
                if (there := _standing(content.record, root)) is not None:
                    return there  # another process published the same run in the meantime
                slug = _slug(content.record, root)
                content.name(made / "versions" / "1", slug, 1)
                write_json(made / SITE, {"current": 1, **decided})
                made.rename(root / slug)
        except OSError as error:
            raise WorkbenchError(f"cannot publish to {root}: {reason(error)}") from None
    return Published(slug, root / slug / "versions" / "1", warnings=content.warnings)


def _add(dashboard: Dashboard, content: Content, decided: dict[str, Any]) -> Published:
    """Build a version aside and let it stand, unless it would show the same as the one that does."""
    with aside(dashboard.folder.parent) as building:
        made, place = building / "made", dashboard.folder / "versions"
        try:
            content.write(made)
            with dashboard.changing():
                number = max((b.number for b in dashboard.bundles), default=0) + 1
                content.name(made, dashboard.slug, number)
                if same(made, dashboard.current.folder):
                    if decided:
                        dashboard.note(**decided)
                    return Published(dashboard.slug, dashboard.current.folder, new=False)
                made.rename(place / str(number))
                dashboard.note(current=number, **decided)
        except OSError as error:
            raise WorkbenchError(f"cannot publish to {place}: {reason(error)}") from None
    return Published(dashboard.slug, place / str(number), warnings=content.warnings)


def _roll_back(dashboard: Dashboard, number: int, decided: dict[str, Any]) -> Published:
    """Let an earlier version stand."""
    with dashboard.changing():
        known = [b.number for b in dashboard.bundles]
        if number not in known:
            raise WorkbenchError(
                f"dashboard {dashboard.slug} has no version {number}: it has {', '.join(map(str, known))}"
            )
        bundle = dashboard.version(number)
        bundle.info  # noqa: B018 - what is damaged is not shown
        new = dashboard.site["current"] != number
        dashboard.note(current=number, **decided)
    return Published(dashboard.slug, bundle.folder, new=new)
