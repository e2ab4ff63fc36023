"""What the texts of a lesson lack or give away: languages, links that need the internet, personal data.

Called by checking a course. Nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import mistune

from ..dashboards.pages.translated import texts_of
from ..dashboards.publishing.checks.leaks import in_text
from .course import Course
from .lesson import HINT

_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
#: Addresses that no person has: for examples (RFC 2606, 6761).
_NOBODY = re.compile(r"@(?:[\w-]+\.)*(?:example(?:\.(?:com|org|net))?|invalid|test|localhost)$")
_PHONE = re.compile(r"(?<![\w.])\+\d{1,3}[ ./-]?\(?\d{1,4}\)?(?:[ ./-]?\d{2,4}){2,4}(?!\w)")

#: What is the same in all languages: code, formulas, addresses; and how many words beside it may be names.
_CODE = re.compile(r"```.*?```|`[^`]*`|\$[^$]*\$|\]\([^)]*\)|<[^>]*>", re.S)
_WORD = re.compile(r"[^\W\d_]{2,}")
_FEW = 3


def faults(course: Course, notebook: Any) -> Iterator[str]:
    """Yield what is wrong with a lesson's texts, each with its remedy."""
    for number, cell in enumerate(notebook.cells, 1):
        where = f"cell {number}"
        if cell.cell_type == "markdown":
            texts = {course.language: cell.source, **texts_of(cell)}
            yield from (f"{where}: {fault}" for fault in _languages(course, texts))
            yield from (f"{where}: {fault}" for fault in _untranslated(course, texts))
            for text in texts.values():
                yield from (f"{where}: {fault}" for fault in _links(course.folder, text))
        for text in {cell.source, *texts_of(cell).values()}:
            yield from (f"{where}: {fault}" for fault in _personal(text))
    yield from _opening(notebook)


def _languages(course: Course, texts: Mapping[str, str]) -> Iterator[str]:
    for name in course.about.languages:
        if name not in texts:
            yield (
                f"its text is not there in {name}: write "
                f'{{"genai4eu": {{"text": {{"{name}": "…"}}}}}} into its metadata, or leave {name} out of the course'
            )


def _untranslated(course: Course, texts: Mapping[str, str]) -> Iterator[str]:
    known = {name: texts[name] for name in course.about.languages if name in texts}
    for one, other in alike(known):
        yield f"its text is the same in {one} and {other}: not translated yet"


def alike(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return pairs of languages with the same text, but for texts of a few words, which may be names or code."""
    first: dict[str, str] = {}
    found = []
    for name, text in texts.items():
        if len(_WORD.findall(_CODE.sub(" ", text))) > _FEW:
            one = first.setdefault(text.strip(), name)
            found += [(one, name)] if one != name else []
    return found


def _links(folder: Path, text: str) -> Iterator[str]:
    """Yield links that do not work in a room without the internet; an address that is itself the text can be copied."""
    for target, shown in _targets(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            if target.removeprefix("mailto:") != shown:
                yield f"the link {target} needs the internet: put the page beside the lesson, or show the address"
        elif target and not target.startswith("#") and not (folder / unquote(target.partition("#")[0])).exists():
            yield f"the link {target} leads nowhere: add that file to the course's folder"


def _targets(text: str) -> Iterator[tuple[str, str]]:
    """Yield the address of each link and picture, and its text."""
    tree = mistune.create_markdown(renderer=None)(text)
    waiting: list[Any] = list(tree) if isinstance(tree, list) else []
    while waiting:
        token = waiting.pop(0)
        children = token.get("children") or []
        waiting += children
        if token["type"] in ("link", "image"):
            yield token["attrs"]["url"], "".join(child.get("raw", "") for child in children)


def _personal(text: str) -> Iterator[str]:
    for address in _MAIL.findall(text):
        if not _NOBODY.search(address.lower()):
            yield f"it names the address {address}: leave it out, or use one of example.org"
    for number in _PHONE.findall(text):
        yield f"it names what looks like a telephone number ({number}): leave it out"
    for finding in in_text("it", text):
        yield f"{finding.what}: {finding.remedy}"


def _opening(notebook: Any) -> Iterator[str]:
    """Yield what a lesson's first cell lacks: its title as the one heading of that rank."""
    shown = [c for c in notebook.cells if c.cell_type == "markdown" and HINT not in c.metadata.get("tags", [])]
    if not shown or not shown[0].source.lstrip().startswith("# "):
        yield "cell 1: the lesson has no title: begin with '# …'"
