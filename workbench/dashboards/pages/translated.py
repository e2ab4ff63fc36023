"""A dashboard's own text in several languages: where a notebook keeps it, what of it is missing, what a visitor reads.

A markdown cell holds its other languages in its metadata, ``{"genai4eu": {"text": {"nl": "…"}}}``; the notebook's
metadata may hold ``title`` and ``summary`` likewise. A sentence that is computed is shown with
``genai4eu.widgets.say({"en": …, "nl": …})``, and ``figure`` takes such mappings as ``alt`` and ``title``.
Called by freezing, by the checks of publishing, and by the pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bs4 import BeautifulSoup

from ..part import Json, question
from .language import SOURCE

#: Where a sentence ends: not after a single capital ("J. Smith"), and only before a capital.
_END = re.compile(r"(?<!\b[A-ZÀ-ÖØ-Þ]\.)(?<=[.!?])\s+(?=[A-ZÀ-ÖØ-Þ])")
#: Written by ``say`` and ``figure``; a name, not an import, because any library may write it.
TEXT_MIME = "application/vnd.genai4eu.text+json"


def texts_of(cell: Json) -> dict[str, str]:
    """Return the text of a markdown cell in its further languages, as markdown."""
    return _texts(_own(cell).get("text"))


def said(output: Json) -> dict[str, str]:
    """Return what :func:`genai4eu.widgets.say` showed, by language, the kernel's own first."""
    found = output.get("data", {}).get(TEXT_MIME)
    return _texts(found) if isinstance(found, Mapping) else {}


def figure_texts(output: Json, html: str) -> dict[str, str]:
    """Return the HTML of a figure with its alternative text and title in further languages."""
    found = output.get("data", {}).get(TEXT_MIME)
    words = found.get("figure") if isinstance(found, Mapping) else None
    if not isinstance(words, Mapping):
        return {}
    return {name: _worded(html, about) for name, about in words.items() if name and isinstance(about, Mapping)}


def _worded(html: str, about: Mapping[str, Any]) -> str:
    soup = BeautifulSoup(html, "html.parser")
    image, caption = soup.find("img"), soup.find("figcaption")
    if image is not None and about.get("alt"):
        image["alt"] = str(about["alt"])
    if caption is not None and about.get("title"):
        caption.string = str(about["title"])
    return str(soup)


def questions(cells: Sequence[Json]) -> dict[str, str]:
    """Return the question, a dashboard's first heading, in further languages."""
    found: dict[str, str] = {}
    for cell in cells:
        for name, text in texts_of(cell).items() if cell["cell_type"] == "markdown" else ():
            if name not in found and (asked := question([{"cell_type": "markdown", "source": text}])):
                found[name] = asked
    return found


def headings(notebook: Json) -> dict[str, dict[str, str]]:
    """Return title and summary that the notebook's metadata gives by language: ``{"nl": {"question": …}}``."""
    found: dict[str, dict[str, str]] = {}
    for given, shown in (("title", "question"), ("summary", "answer")):
        for name, text in _texts(_own(notebook).get(given)).items():
            found.setdefault(name, {})[shown] = text
    return found


def told(about: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return what ``dashboard.json`` says as a reader of a language is told it; ``spoken`` says which language it is.

    What whoever published it said instead of the notebook stands in the dashboard's main language.
    """
    main = str(about.get("language") or SOURCE)
    texts = {} if language == main else (about.get("texts") or {}).get(language) or {}
    given = about.get("given") or {}
    replaced = {"question": "title", "answer": "summary"}
    use = {name: text for name, text in texts.items() if replaced.get(name) not in given}
    spoken = {name: language if name in use else main for name in ("question", "answer")}
    return {**about, **use, "language": main, "spoken": spoken}


def first_sentence(text: str) -> str:
    """Return the first sentence of an answer."""
    return _END.split(text, maxsplit=1)[0]


def block_in(block: Mapping[str, Any], language: str, main: str) -> dict[str, Any]:
    """Return a block of the page in a language, or else in the dashboard's main one; ``lang`` says in which."""
    texts = block.get("texts") or {}
    name = next((name for name in (language, main) if name in texts), None)
    told = {**block, "html": texts[name], "lang": name} if name else {**block, "lang": main}
    said = words_in(block, language)
    kept = block.get("settings") or []
    settings = [{key: said.get(text, text) for key, text in one.items()} for one in kept]
    spoken = bool(said) and all(one["label"] in said for one in kept)
    return {**told, "settings": settings, "settings_lang": language if spoken else main}


def words_in(block: Mapping[str, Any], language: str) -> dict[str, str]:
    """Return the words of a block's controls in a language, by what the kernel calls them; empty in the main one."""
    words = block.get("words")
    return _texts(words.get(language)) if isinstance(words, Mapping) else {}


def missing(cells: Sequence[tuple[int, Json]], wanted: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield what is not there in a language.

    Parameters
    ----------
    cells : sequence of (int, dict)
        Cells of the dashboard part, executed, with their numbers.
    wanted : sequence of str
        Languages beside the main one.

    Yields
    ------
    tuple
        Number of the cell, what is missing, and what to do.
    """
    for number, cell in cells:
        for name in wanted:
            if cell["cell_type"] == "markdown" and name not in texts_of(cell):
                remedy = f'write {{"genai4eu": {{"text": {{"{name}": "…"}}}}}} into its metadata, or leave {name} out'
                yield number, f"its text is not there in {name}", remedy
            for output in cell.get("outputs", []):
                yield from ((number, *found) for found in _lacking(output, name))


def _lacking(output: Json, name: str) -> Iterator[tuple[str, str]]:
    data: Mapping[str, Any] = output.get("data", {})
    spoken = said(output)
    if spoken or "text/markdown" in data:
        if name not in spoken:
            yield f"its sentence is not there in {name}", f'show it with genai4eu.widgets.say({{"en": …, "{name}": …}})'
    elif "<img" in str(data.get("text/html", "")) and name not in figure_texts(output, ""):
        remedy = f'give figure() alt={{"en": …, "{name}": …}}, and its title likewise'
        yield f"its figure has no alternative text in {name}", remedy


def _own(content: Json) -> Mapping[str, Any]:
    """Return what is ours in the metadata of a notebook or a cell."""
    found = content.get("metadata", {}).get("genai4eu")
    return found if isinstance(found, Mapping) else {}


def _texts(found: Any) -> dict[str, str]:
    """Return texts by language, without empty ones and what is no text."""
    if not isinstance(found, Mapping):
        return {}
    return {str(name): text for name, text in found.items() if isinstance(text, str) and text.strip()}
