"""A participant's notebook as a page on which nothing runs, whatever it holds. Called by the handlers.

The page is shown in a frame without scripts, forms and origin; what is HTML in it is cleaned besides, so that neither
has to be perfect.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import bleach
import mistune
from markupsafe import Markup, escape

#: Cells and outputs that are shown, and letters of each text.
_CELLS, _OUTPUTS, _TEXT = 400, 20, 20_000
#: Letters of one text that is read as Markdown, which for text made to be slow takes time by their square.
_MARKUP = 3_000
#: Bytes of a notebook that is read: mappings in it take thirty times what is typed.
_BYTES = 8 << 20
#: A parser opens marks that were left open anew in each paragraph: so many elements can come of a text, at most.
_ELEMENTS = 50_000
_LEFT_OPEN = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)
_TAGS = frozenset((
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "b", "i", "u", "s", "sub", "sup", "code",
    "pre", "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "div", "span", "table", "thead", "tbody", "tfoot", "tr",
    "th", "td", "caption", "small", "mark", "del", "ins",
))  # fmt: skip
_ATTRIBUTES = {"th": ["scope", "colspan", "rowspan"], "td": ["colspan", "rowspan"]}
_IMAGES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}


@dataclass
class _Left:
    """What may still be shown: letters of texts, of Markdown, of HTML and of pictures, and elements."""

    text: int = 600_000
    markdown: int = 40_000
    html: int = 120_000
    elements: int = 100_000
    pictures: int = 8_000_000

    def takes(self, what: str, letters: int) -> bool:
        """Tell whether so many may be shown, and count them if so."""
        left = getattr(self, what) - letters
        if left >= 0:
            setattr(self, what, left)
        return bool(left >= 0)


#: Reading one takes memory and a processor: one at a time.
_ONE = threading.Lock()


def cells(content: bytes) -> list[dict[str, Any]] | None:
    """Return a notebook's cells as they are shown: ``kind``, ``html`` and ``outputs``; None where it is no notebook.

    One that is too large to be read in a room's memory is taken for none.
    """
    if len(content) > _BYTES:
        return None
    with _ONE:
        return _cells(content)


def _cells(content: bytes) -> list[dict[str, Any]] | None:
    try:
        notebook = json.loads(content)
        found = notebook["cells"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    if not isinstance(found, list):
        return None
    left = _Left()
    return [_cell(cell, left) for cell in found[:_CELLS] if isinstance(cell, Mapping)]


def _cell(cell: Mapping[str, Any], left: _Left) -> dict[str, Any]:
    source = _text(cell.get("source"), left)
    if cell.get("cell_type") == "markdown":
        return {"kind": "markdown", "html": _markdown(source, left), "outputs": []}
    outputs = cell.get("outputs")
    shown = [_output(o, left) for o in (outputs if isinstance(outputs, list) else [])[:_OUTPUTS] if isinstance(o, dict)]
    return {"kind": "code", "html": escape(source), "outputs": [html for html in shown if html]}


def _markdown(source: str, left: _Left) -> Markup:
    """Return Markdown as HTML, or as it was typed where it is too long."""
    if len(source) > _MARKUP or not left.takes("markdown", len(source)):
        return _pre(source)
    html = str(mistune.html(source))
    return _clean(html) if _is_bounded(html, left) else _pre(source)


def _output(output: Mapping[str, Any], left: _Left) -> Markup:
    kind = output.get("output_type")
    if kind == "stream":
        return _pre(_text(output.get("text"), left))
    if kind == "error":
        return _pre(f"{_text(output.get('ename'), left)}: {_text(output.get('evalue'), left)}")
    data = output.get("data")
    if not isinstance(data, Mapping):
        return Markup("")
    for image in _images(data, left):
        return image
    html = _text(data.get("text/html"), left)
    if html and left.takes("html", len(html)):
        return _clean(html) if _is_bounded(html, left) else _pre(html)
    return _pre(_text(data.get("text/plain"), left))


def _images(data: Mapping[str, Any], left: _Left) -> Iterator[Markup]:
    """Yield a picture that begins as one, as long as all of them are not too much."""
    for kind, begins in _IMAGES.items():
        found = data.get(kind)
        text = "".join(found.split()) if isinstance(found, str) else ""
        if not text:
            continue
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if content.startswith(begins) and left.takes("pictures", len(text)):
            yield Markup('<img alt="" src="data:{};base64,{}">').format(kind, text)


def _is_bounded(html: str, left: _Left) -> bool:
    """Tell whether HTML makes no more elements than a page can have, however its marks are left open."""
    elements = html.count("<") * (1 + sum(1 for _ in _LEFT_OPEN.finditer(html)))
    return elements <= _ELEMENTS and left.takes("elements", elements)


def _clean(html: str) -> Markup:
    """Return HTML of which only marks of text are left."""
    return Markup(bleach.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, protocols=[], strip=True, strip_comments=True))


def _pre(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(text) if text else Markup("")


def _text(found: object, left: _Left) -> str:
    """Return what should be a text, or lines of one, and not too much of it."""
    if isinstance(found, list):
        found = "".join(line for line in found[:_TEXT] if isinstance(line, str))
    text = found if isinstance(found, str) else ""
    text = text if len(text) <= _TEXT else f"{text[:_TEXT]} …"
    return text if left.takes("text", len(text)) else "…"
