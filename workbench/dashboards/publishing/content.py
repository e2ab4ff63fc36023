"""What a version of a dashboard is made of: a checked run, frozen, with what is said of it. Called by publishing."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import card
from ...errors import WorkbenchError
from ...runs.files import write_json
from ...runs.large import files_of, restore
from ...runs.record import CRATE, Record, now
from ...runs.seal import check
from ..bundle import Bundle
from ..pages import crate, page
from ..part import Json, dashboard_cells, live_notebook, question, read_notebook
from .checks import Finding, inspect, of_fault, refuse
from .checks.leaks import in_text
from .facts import factory, headline
from .freeze import Frozen, freeze

_COPIED = ("parameters.json", "metrics.json", "sizes.json", "environment.json", "energy.json", "notebook.ipynb")
#: What of ``dashboard.json`` may differ between versions that show the same.
_PASSING = ("published", "version")
#: Characters of words that are given.
_LONGEST = {"title": 300, "summary": 1000}


@dataclass(frozen=True)
class Wording:
    """What whoever publishes says instead of the notebook; ``None`` leaves it to the notebook."""

    title: str | None = None
    summary: str | None = None
    languages: Sequence[str] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What was said, for the versions to come."""
        return {k: v for k, v in dataclasses.asdict(self).items() if v is not None}


@dataclass(frozen=True)
class Content:
    """All that a bundle holds, but for its number and its address."""

    record: Record
    frozen: Frozen
    live: dict[str, Any]
    about: dict[str, Any]
    #: What whoever publishes should know.
    warnings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, record: Record, wording: Wording) -> Content:
        """Check a run and freeze it.

        Raises
        ------
        WorkbenchError
            For what cannot be published: all of it, why, and what to do.
        """
        notebook, cells, findings, languages = _read(record, wording)
        refuse(findings, record.id)
        frozen = freeze(cells, notebook)
        about = _about(record, frozen, wording.title or question(cells) or record.info["title"], wording, languages)
        about["headline"] = headline(record, notebook)
        return cls(record, frozen, live_notebook(cells), about, tuple(findings))

    def write(self, folder: Path) -> None:
        """Write all of the bundle but its name."""
        folder.mkdir(parents=True)
        for name in _COPIED:
            if (self.record.folder / name).exists():
                shutil.copyfile(self.record.folder / name, folder / name)
        write_json(folder / crate.SEAL, crate.sealed(self.record))
        _copy(self.record.outputs, folder / "outputs")
        if (large := files_of(self.record.notebook_path)).is_dir():
            _copy(large, folder / large.name)
        self.frozen.media.write(folder / "media")
        if (about_usecase := card.card_of(self.record)) is not None:
            write_json(folder / "card.json", about_usecase)
            (folder / "card.md").write_text(card.markdown(about_usecase), "utf-8")
        write_json(folder / "live.ipynb", self.live)
        blocks = [dataclasses.asdict(block) for block in self.frozen.blocks]
        write_json(folder / "page.json", {"blocks": blocks, "part": self.frozen.part})

    def name(self, folder: Path, slug: str, version: int) -> None:
        """Finish the bundle with its address and its number; none of its files is ever changed again."""
        write_json(folder / "dashboard.json", {"slug": slug, "version": version, **self.about})
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(0o444)


def findings(record: Record, wording: Wording) -> list[Finding]:
    """Return all that checks find in a run, without publishing it.

    Raises
    ------
    WorkbenchError
        Where there is nothing to look at: no finished run, or one that was changed.
    """
    check_finished(record)
    notebook, cells, found, _ = _read(record, wording)
    if not any(f.refused for f in found):
        try:
            freeze(cells, notebook)
        except WorkbenchError as error:  # what only freezing finds
            found.append(of_fault(error))
    return found


def _read(record: Record, wording: Wording) -> tuple[dict[str, Any], list[Json], list[Finding], list[str]]:
    """Return the notebook, its dashboard part with large outputs, what was found, and the languages."""
    check_whole(record)
    notebook = read_notebook(record.notebook_path)
    cells = dashboard_cells(notebook)
    restore({"cells": cells}, record.folder, texts=False)  # a page shows figures whole, of long texts the ends
    found, languages = inspect(record, notebook, wording.languages, (*_COPIED, card.FILE))
    return notebook, cells, [*words(wording), *found], languages


def words(wording: Wording) -> Iterator[Finding]:
    """Yield what is wrong with words that were given for the notebook's."""
    for name, text in (("title", wording.title), ("summary", wording.summary)):
        if text is None:
            continue
        if not text.strip() or not text.isprintable():
            yield Finding("words", f"--{name}", "it is empty, or has characters that cannot be seen", "give plain text")
        if len(text) > _LONGEST[name]:
            yield Finding("words", f"--{name}", f"it has {len(text)} characters", f"use {_LONGEST[name]} at most")
        yield from in_text(f"--{name}", text)


def check_finished(record: Record) -> None:
    """Refuse what is no finished run; looks at no file but the run's own."""
    if not record.folder.is_dir():
        raise WorkbenchError(f"unknown run {record.id!r}: 'genai4eu runs list' shows those that can be published")
    status = record.info["status"]
    if status == "running":
        raise WorkbenchError(f"run {record.id} is still running: publish it when it is done")
    if status != "completed":
        raise WorkbenchError(f"run {record.id} {status}: only a completed run can be published, run it again")
    if not record.sealed:
        raise WorkbenchError(f"the record of run {record.id} is only half written: run it again")


def check_whole(record: Record) -> None:
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


def same(one: Path, other: Path) -> bool:
    """Tell whether two bundles show the same."""
    names = [sorted(p.relative_to(f).as_posix() for p in f.rglob("*") if p.is_file()) for f in (one, other)]
    return names[0] == names[1] and all(_same_file(one / n, other / n) for n in names[0])


def _same_file(one: Path, other: Path) -> bool:
    if one.name == "dashboard.json":
        return _lasting(one) == _lasting(other)
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def _lasting(path: Path) -> dict[str, Any]:
    return {k: v for k, v in Bundle(path.parent).read(path.name).items() if k not in _PASSING}


def _copy(source: Path, target: Path) -> None:
    """Copy a folder of the record; without one, make it."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        target.mkdir()


def _about(record: Record, frozen: Frozen, title: str, wording: Wording, languages: Sequence[str]) -> dict[str, Any]:
    """Return what ``dashboard.json`` says."""
    info = record.info
    return {
        "title": title,
        "question": title,
        "answer": wording.summary or frozen.answer,
        "sector": info.get("sector"),
        "run": record.id,
        "template": info["template"],
        "usecase": info.get("usecase"),
        "usecase_version": info.get("usecase_version"),
        "status": info["status"],
        "published": now(),
        **{name: info.get(name) for name in ("started", "duration", "target", "host", "kernel_host")},
        "where": page.where(info),
        "factory": factory(info),
        "metrics": {name: metric["value"] for name, metric in record.metrics.items()},
        "figure": frozen.figure,
        "texts": frozen.texts,
        "language": languages[0],
        "languages": list(languages),
        "given": wording.given,
    }
