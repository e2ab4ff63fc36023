"""What the panels share: their words, their scripts, and what is left of one where no script runs. Called by them.

A panel is a widget that the workbench fills with plain data and callbacks. Without a kernel it shows what it was last
told, and its actions say that they need one; without a script the HTML in its trait ``value`` is left.
"""

from __future__ import annotations

import difflib
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

_HERE = Path(__file__).parent
#: What every panel says, in English.
COMMON = {"no_answer": "The kernel has not answered yet: it may be busy, or gone."}


def joined(*names: str) -> str:
    """Return files of this folder as one: a widget's script is one module, which can import nothing of ours."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


class Panel(anywidget.AnyWidget):
    """A widget with words of its own.

    Parameters
    ----------
    words : mapping of str to str, optional
        What it says in another language, by the names in :attr:`WORDS`; what is left out stays English. A sentence
        for a number of things has one name a plural form: ``shown_one``, ``shown_few``, ``shown_other``.
    **state : object
        Its other traits.

    Raises
    ------
    ValueError
        For words of a name that it does not have.
    """

    #: What it says, in English; in :data:`COMMON` what all say.
    WORDS: ClassVar[Mapping[str, str]] = {}
    words = traitlets.Dict().tag(sync=True)
    #: What a page shows that runs no script; publishing looks for it under this name.
    value = traitlets.Unicode("").tag(sync=True)
    #: Whether the workbench fills it and carries out what is asked: on a dashboard it stays as it was recorded.
    workbench = traitlets.Bool(False).tag(sync=True)

    def __init__(self, words: Mapping[str, str] | None = None, **state: Any) -> None:
        known = {**COMMON, **self.WORDS}
        for name in words or {}:
            if _singular(name) not in map(_singular, known):
                near = difflib.get_close_matches(name, known, n=1) or sorted(known)
                raise ValueError(f"{type(self).__name__} has no word {name!r}: use {', '.join(near)}")
        super().__init__(words={**known, **(words or {})}, **state)

    @property
    def sentence(self) -> str:
        """What it shows, in a sentence. Each panel has its own."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Add a table and a sentence for whoever shows no widgets."""
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/plain": self.sentence, "text/html": self.value}, metadata


def _singular(name: str) -> str:
    """Return the name of a sentence without its plural form."""
    stem, _, form = name.rpartition("_")
    return stem if form in ("zero", "one", "two", "few", "many", "other") else name


def finite(value: Any) -> float | None:
    """Return a number as JSON can hold it: nothing for what is undefined."""
    return None if value is None or not math.isfinite(value) else float(value)


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as HTML, the first cell of each row its heading."""
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in headings)
    body = "".join(
        f'<tr><th scope="row">{html.escape(str(first))}</th>'
        f"{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    return (
        f'<table class="genai4eu-table"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
