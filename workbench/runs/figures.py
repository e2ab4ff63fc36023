"""The pictures of an executed notebook, with their alternative texts. Called by the pages of runs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .record import Record

#: Pictures of one run that a page shows.
MOST = 24
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@dataclass(frozen=True)
class Figure:
    """One picture.

    Attributes
    ----------
    key : str
        The same for the same picture of another run of the notebook: cell, and place among its pictures.
    source : str
        Data URI.
    """

    key: str
    source: str
    alt: str
    title: str = ""


def figures(record: Record) -> list[Figure]:
    """Return the pictures of a run in their order, large ones included; those of a run under way as far as it is."""
    from . import cells
    from .large import restore

    try:
        notebook = cells.assemble(record.folder)
    except ValueError:
        return []
    restore(notebook, record.folder)
    found = [f for cell in notebook["cells"] if cell["cell_type"] == "code" for f in _cell(cell)]
    return found[:MOST]


def _cell(cell: dict[str, Any]) -> Iterator[Figure]:
    number = 0
    for output in cell.get("outputs", []):
        for source, alt, title in _output(output):
            number += 1
            fallback = f"Picture {number} of a cell, without a description"
            yield Figure(f"{cell.get('id')}-{number}", source, alt or fallback, title)


def _output(output: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield source, alternative text and title of the pictures in one output: in its HTML, else as an image."""
    data, about = output.get("data") or {}, output.get("metadata") or {}
    markup = _text(data.get("text/html"))
    if "<img" in markup:
        yield from _markup(markup)
        return
    for mime in _IMAGES:
        if mime in data:
            yield f"data:{mime};base64,{_plain(_text(data[mime]))}", str((about.get(mime) or {}).get("alt", "")), ""
            return
    if drawing := _text(data.get("image/svg+xml")):  # as an image: nothing in it can run
        yield f"data:image/svg+xml,{quote(drawing)}", "", ""


def _markup(markup: str) -> Iterator[tuple[str, str, str]]:
    from bs4 import BeautifulSoup

    for image in BeautifulSoup(markup, "html.parser").find_all("img"):
        source = str(image.get("src", ""))
        if re.match(r"data:image/[\w.+-]+[;,]", source):  # nothing is fetched from elsewhere
            frame = image.find_parent("figure")
            caption = frame.find("figcaption") if frame else None
            yield source, str(image.get("alt", "")), caption.get_text(" ", strip=True) if caption else ""


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """Return base64 in one line; what is none becomes nothing, so that it cannot end the attribute it stands in."""
    joined = "".join(text.split())
    try:
        base64.b64decode(joined, validate=True)
    except ValueError:
        return ""
    return joined
