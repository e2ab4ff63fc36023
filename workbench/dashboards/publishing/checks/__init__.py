"""Static checks of a run that is to be published: all that speaks against it, each with its remedy, at once.

Called by publishing, and by ``genai4eu publish --check``. Nothing is written, nothing is executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .... import card
from ....errors import WorkbenchError
from ....runs.large import files_of
from ....runs.record import Record
from ...part import TAG
from . import leaks, names, origins, shown, tongue, widgets
from .finding import Finding, Numbered, refuse
from .shown import Piece

__all__ = ["Finding", "inspect", "of_fault", "refuse"]


def inspect(
    record: Record, notebook: Mapping[str, Any], asked: Sequence[str] | None, copied: Sequence[str]
) -> tuple[list[Finding], list[str]]:
    """Return what was found, and the languages of the page, the main one first.

    Parameters
    ----------
    record : Record
        A sealed run.
    notebook : dict
        Its notebook, the dashboard part with its large outputs.
    asked : sequence of str, optional
        Languages that whoever publishes names.
    copied : sequence of str
        Names of the record's files that a bundle takes along.
    """
    cells = list(enumerate(notebook["cells"], 1))
    part = [(n, c) for n, c in cells if TAG in c.get("metadata", {}).get("tags", [])]
    found = list(_page(part, widgets.state_of(notebook)))
    text = " ".join(p.soup.get_text(" ") for p in found if isinstance(p, Piece))
    languages, of_language = tongue.languages(asked, notebook, text)
    findings = [f for f in found if isinstance(f, Finding)]
    for piece in (p for p in found if isinstance(p, Piece)):
        findings += shown.check(piece)
    findings += shown.levels([p for p in found if isinstance(p, Piece)])
    findings += origins.check(part, generative=_generates(record))
    findings += [*of_language, *tongue.missing(part, languages[1:])]
    code = [(n, c) for n, c in cells if c["cell_type"] == "code"]
    findings += names.check([c for c in code if c not in part], [c for c in code if c in part])
    findings += leaks.check(_files(record, copied))
    return sorted(dict.fromkeys(findings), key=lambda f: not f.refused), languages


def _generates(record: Record) -> bool:
    """Tell whether the use case says that it has a generative model."""
    return (record.folder / card.FILE).is_file() and bool(record.read(card.FILE).get("model"))


def of_fault(fault: WorkbenchError) -> Finding:
    """Return the finding of what went wrong where nothing else was found."""
    what, _, remedy = str(fault).partition(": ")
    return Finding("page", "dashboard part", what, remedy)


def _page(part: Sequence[Numbered], state: Mapping[str, Any]) -> Iterator[Piece | Finding]:
    for numbered in part:
        yield from shown.pieces(numbered)
        yield from widgets.check(numbered, state)


def _files(record: Record, copied: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield name and place of all that a bundle takes along."""
    for name in copied:
        if (record.folder / name).is_file():
            yield name, record.folder / name
    for folder in (record.outputs, files_of(record.notebook_path)):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(record.folder).as_posix(), path
