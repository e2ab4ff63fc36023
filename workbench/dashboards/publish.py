"""Publish a run: its record becomes an immutable bundle, built aside and renamed into place.

Called by ``genai4eu publish``, by the demo and by notebooks.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import card
from ..errors import WorkbenchError
from ..runs.files import write_json
from ..runs.large import files_of, restore
from ..runs.record import CRATE, Record, now
from ..runs.seal import check
from ..runs.store import find
from . import page
from .dashboard import SITE, SLUG, Dashboard, dashboards_root
from .freeze import Frozen, freeze
from .part import dashboard_cells, live_notebook, question, read_notebook

_COPIED = ("parameters.json", "metrics.json", "sizes.json", "environment.json", "energy.json", "notebook.ipynb")


@dataclass(frozen=True)
class Published:
    """A dashboard that stands."""

    slug: str
    folder: Path
    #: False where the run had been published before.
    new: bool = True

    @property
    def url_path(self) -> str:
        """Its address on any server of the gallery."""
        return f"/d/{self.slug}/"


def publish(run: Record | str, *, title: str | None = None, summary: str | None = None) -> Published:
    """Freeze a run into a dashboard below :func:`~genai4eu.dashboards.dashboard.dashboards_root`.

    Parameters
    ----------
    run : Record or str
        A record, or what ``genai4eu runs list`` shows of one: its id, the end of it, ``latest``.
    title, summary : str, optional
        Instead of the notebook's question and answer sentence.

    Returns
    -------
    Published
        The same for the same run, however often it is published: a dashboard never changes.

    Raises
    ------
    WorkbenchError
        For a run that is unknown, not sealed, not completed, or changed since; for a notebook without dashboard
        part, and for figures without alternative text or from another host. Nothing is left behind then.
    """
    record = find(run) if isinstance(run, str) else run
    root = dashboards_root()
    _check(record)
    slug, standing = _slug(record, root)
    if standing:
        return Published(slug, Dashboard(root / slug).current.folder, new=False)
    _check_contents(record)
    notebook = read_notebook(record.notebook_path)
    cells = dashboard_cells(notebook)
    restore({"cells": cells}, record.folder, texts=False)  # a page shows figures whole, and of long texts the ends
    frozen = freeze(cells, notebook)
    about = _about(record, slug, frozen, title or question(cells) or record.info["title"], summary)
    _place(root, slug, record, about, frozen, live_notebook(cells))
    return Published(slug, root / slug / "versions" / "1")


def _check(record: Record) -> None:
    """Refuse what is no finished run."""
    if not record.folder.is_dir():
        raise WorkbenchError(f"unknown run {record.id!r}: 'genai4eu runs list' shows those that can be published")
    status = record.info["status"]
    if status == "running":
        raise WorkbenchError(f"run {record.id} is still running: publish it when it is done")
    if status != "completed":
        raise WorkbenchError(f"run {record.id} {status}: only a completed run can be published, run it again")
    if not record.sealed:
        raise WorkbenchError(f"the record of run {record.id} is only half written: run it again")


def _check_contents(record: Record) -> None:
    """Refuse a record whose files are not those that were sealed."""
    record.read(CRATE)
    found = check(record)
    if "notebook.ipynb" in found.added:  # a seal without it is none
        raise WorkbenchError(f"record {record.id}: {CRATE} was changed after the run, run again")
    if found.missing:
        raise WorkbenchError(f"record {record.id} has no {found.missing[0]}: it is damaged, run again")
    if other := [*found.changed, *found.added]:
        raise WorkbenchError(f"record {record.id}: {other[0]} was changed after the run, run again")
    for name in ("parameters.json", "metrics.json"):
        if (record.folder / name).exists():
            record.read(name)


def _slug(record: Record, root: Path) -> tuple[str, bool]:
    """Return the dashboard's name, and whether it stands already."""
    template = re.sub(r"[^a-z0-9]+", "-", Path(str(record.info["template"])).stem.lower()).strip("-") or "run"
    whole = re.sub(r"[^a-z0-9]+", "-", record.id.lower()).strip("-")
    for slug in (f"{template[:60]}-{whole.rsplit('-', 1)[-1]}", whole[:80]):
        if not SLUG.fullmatch(slug):
            continue
        if not (root / slug).exists():
            return slug, False
        if Dashboard(root / slug).current.info["run"] == record.id:
            return slug, True
    raise WorkbenchError(f"another dashboard stands at {root / slug}: move it away and publish again")


def _about(record: Record, slug: str, frozen: Frozen, title: str, summary: str | None) -> dict[str, Any]:
    """Return what ``dashboard.json`` says."""
    info = record.info
    return {
        "slug": slug,
        "title": title,
        "question": title,
        "answer": summary or frozen.answer,
        "sector": info.get("sector"),
        "run": record.id,
        "template": info["template"],
        "usecase": info.get("usecase"),
        "usecase_version": info.get("usecase_version"),
        "status": info["status"],
        "published": now(),
        **{name: info.get(name) for name in ("started", "duration", "target", "host", "kernel_host")},
        "where": page.where(info),
        "metrics": {name: metric["value"] for name, metric in record.metrics.items()},
        "figure": frozen.figure,
        "language": "en",
    }


def _place(
    root: Path, slug: str, record: Record, about: dict[str, Any], frozen: Frozen, live: Mapping[str, Any]
) -> None:
    """Build the bundle in a folder beside its place, then rename it: nobody ever sees half a dashboard."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=root, prefix=f".{slug}."))
    except OSError as error:
        raise WorkbenchError(
            f"cannot write to {root}: {error.strerror}; set GENAI4EU_DASHBOARDS to your own folder"
        ) from None
    try:
        first = building / "versions" / "1"
        first.mkdir(parents=True)
        _fill(first, record, about, frozen, live)
        write_json(building / SITE, {"current": 1})
        building.chmod(0o755)
        building.rename(root / slug)
    except OSError as error:
        if (root / slug / SITE).exists() and Dashboard(root / slug).current.info["run"] == record.id:
            return  # another process published the same run in the meantime
        raise WorkbenchError(f"cannot publish to {root / slug}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _fill(folder: Path, record: Record, about: dict[str, Any], frozen: Frozen, live: Mapping[str, Any]) -> None:
    for name in _COPIED:
        if (record.folder / name).exists():
            shutil.copyfile(record.folder / name, folder / name)
    if record.outputs.is_dir():
        shutil.copytree(record.outputs, folder / "outputs", copy_function=shutil.copyfile)
    else:
        (folder / "outputs").mkdir()
    if (large := files_of(record.notebook_path)).is_dir():
        shutil.copytree(large, folder / large.name, copy_function=shutil.copyfile)
    frozen.media.write(folder / "media")
    about_usecase = card.card_of(record)
    if about_usecase is not None:
        write_json(folder / "card.json", about_usecase)
        (folder / "card.md").write_text(card.markdown(about_usecase), "utf-8")
    write_json(folder / "live.ipynb", live)
    write_json(folder / "page.json", {"blocks": [dataclasses.asdict(block) for block in frozen.blocks]})
    write_json(folder / "dashboard.json", about)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)  # a dashboard is never changed, only replaced by that of another run
