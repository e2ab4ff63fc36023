"""The language of a text, and what is not translated. Called by the checks.

A page must say in which language it is, or a screen reader reads it with the wrong voice. Where neither the notebook
nor whoever publishes it says so, the commonest words of the four languages of our pages tell; nothing else is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import babel.localedata

from ...pages import translated
from .finding import Finding, Numbered, cell

_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
#: Words that are common in one of the languages and rare or unknown in the others.
_WORDS = {
    "en": "the and of is are with from that this for which how what does not than it was were be has have can by",
    "nl": "het een van is zijn met dat dit voor welke hoe wat niet dan werd worden heeft hebben kan en op ook naar bij",
    "de": "der die das und ist sind mit von dass dieses für welche wie was nicht als wurde werden hat haben kann ein",
    "fr": "le la les des et est sont avec que ce cette pour quel quelle comment pas ne du une un qui dans sur par il",
}  # fmt: skip
_KNOWN = {name: frozenset(words.split()) for name, words in _WORDS.items()}
_REMEDY = 'say --lang en, or write {"genai4eu": {"language": "en"}} into the notebook\'s metadata'


def languages(
    asked: Sequence[str] | None, notebook: Mapping[str, Any], text: str
) -> tuple[list[str], Iterator[Finding]]:
    """Return the languages of a page, the main one first, and what is wrong with them.

    Parameters
    ----------
    asked : sequence of str, optional
        What whoever publishes says; goes before what the notebook's metadata says, and that before its text.
    text : str
        The words of the dashboard part.
    """
    said = list(asked or declared(notebook))
    heard = spoken(text)
    chosen = said or ([heard] if heard else [])
    return chosen, _findings(chosen, heard if said else None)


def declared(notebook: Mapping[str, Any]) -> list[str]:
    """Return the languages that a notebook's metadata names."""
    about = notebook.get("metadata", {}).get("genai4eu")
    about = about if isinstance(about, Mapping) else {}
    found = about.get("languages") or about.get("language") or []
    return [str(name) for name in ([found] if isinstance(found, str) else found)]


def spoken(text: str) -> str | None:
    """Return the language of a text, where its common words leave no doubt."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = sorted(((sum(w in known for w in words), name) for name, known in _KNOWN.items()), reverse=True)
    (most, name), (second, _) = counts[:2]
    return name if most >= 3 and most >= 1.5 * second else None


def missing(cells: Sequence[Numbered], wanted: Sequence[str]) -> Iterator[Finding]:
    """Yield the texts that a language lacks; what a cell computed may stay in the main language, which is told."""
    written = {number for number, content in cells if content["cell_type"] == "markdown"}
    for number, what, remedy in translated.missing(cells, wanted):
        yield Finding("language", cell(number), what, remedy, refused=number in written)


def _findings(chosen: Sequence[str], heard: str | None) -> Iterator[Finding]:
    if not chosen:
        yield Finding("language", "notebook", "nothing says in which language its text is", _REMEDY)
    for name in chosen:
        if not _CODE.fullmatch(name) or not babel.localedata.exists(name.partition("-")[0]):
            yield Finding("language", "notebook", f"{name[:40]!r} is no code of a language", "use en, nl, de, fr, …")
    if len(set(chosen)) < len(chosen):
        yield Finding("language", "notebook", "a language is named twice", "name each once, the main one first")
    if chosen and heard and chosen[0].partition("-")[0] != heard:
        yield Finding("language", "notebook", f"it is said to be in {chosen[0]}, but reads like {heard}",
                      "look whether the main language comes first", refused=False)  # fmt: skip
