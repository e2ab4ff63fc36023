"""What cells show, as HTML: alternative text, headings, tables, labels, and what it would load from elsewhere.

Called by the checks, on stored outputs and on markdown cells, before anything is cleaned or left out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag

from ...part import text_of
from ..attached import rendered
from ..markup import from_markdown
from .finding import Finding, Numbered, cell

#: What IPython and nbconvert write where nobody wrote anything.
_NO_ALT = ("", "No description has been provided for this image")
_FIGURE = "show it with genai4eu.widgets.figure(fig, alt=…) and run again"
#: Forms of an output that a page without scripts can show; the richest that is there is shown.
_SHOWN = ("text/html", "text/markdown", "image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_SILENT = ("application/javascript", "application/vnd.genai4eu.", "application/vnd.jupyter.widget-view+json")
#: Attributes that make a browser fetch something at once.
_LOADING = {
    "img": ("src", "srcset"), "script": ("src",), "iframe": ("src",), "frame": ("src",), "embed": ("src",),
    "object": ("data",), "link": ("href",), "source": ("src", "srcset"), "video": ("src", "poster"),
    "audio": ("src",), "track": ("src",), "input": ("src",),
    "image": ("href", "xlink:href"), "use": ("href", "xlink:href"),
}  # fmt: skip
_FOREIGN = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^\s\"')>,]+", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\s\"')>]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """A part of the page: the HTML that one cell shows at one place."""

    number: int
    html: str

    @functools.cached_property
    def soup(self) -> BeautifulSoup:
        """The parsed HTML."""
        return BeautifulSoup(self.html, "html.parser")


def pieces(numbered: Numbered) -> Iterator[Piece | Finding]:
    """Yield what a cell shows, and what of it no page can show."""
    number, content = numbered
    if content["cell_type"] == "markdown":
        yield Piece(number, rendered(text_of(content["source"]), content))
    for output in content.get("outputs", []):
        yield from of_output(number, output)


def of_output(number: int, output: Any) -> Iterator[Piece | Finding]:
    """Yield what one output shows; a widget is looked at elsewhere."""
    data, metadata = output.get("data", {}), output.get("metadata", {})
    mime = next((m for m in _SHOWN if m in data), None)
    if output["output_type"] == "error":
        yield Finding("failed cell", cell(number), f"it failed with {output.get('ename', 'an error')}",
                      "mend the cell and run again")  # fmt: skip
    elif mime is None:
        yield from _unknown(number, data)
    elif mime == "text/markdown":
        yield Piece(number, from_markdown(text_of(data[mime])))
    elif mime == "text/html":
        yield Piece(number, text_of(data[mime]))
    elif str(metadata.get(mime, {}).get("alt") or metadata.get("alt") or "") in _NO_ALT:
        yield Finding("alternative text", cell(number), "a figure has no alternative text", _FIGURE)


def _unknown(number: int, data: Any) -> Iterator[Finding]:
    """Tell of a form that needs a script to be seen; plain text and messages to the workbench need none."""
    for mime in data:
        if mime.startswith(("application/", "video/", "audio/")) and not mime.startswith(_SILENT):
            name = mime.removeprefix("application/").removeprefix("vnd.").partition("+")[0]
            yield Finding("form of output", cell(number), f"it shows {name}, which no recorded page can",
                          "show a picture of it with genai4eu.widgets.figure and run again")  # fmt: skip


def check(piece: Piece) -> Iterator[Finding]:
    """Yield what is wrong with a part of the page."""
    soup, where = piece.soup, cell(piece.number)
    yield from _images(soup, where)
    yield from _foreign(soup, where)
    for tag in soup.find_all(["video", "audio"]):
        yield Finding("form of output", where, f"it shows a <{tag.name}>", "only images and text can be published")
    for table in soup.find_all("table"):
        if table.find("th") is None:
            yield Finding("table", where, "a table has no header cells", "write those of its first row as <th>")
    for heading in soup.find_all(re.compile("^h[1-6]$")):
        if not heading.get_text(strip=True):
            yield Finding("heading", where, "a heading has no words", "write some, or take it out")
    for control in soup.find_all(["input", "select", "textarea", "button"]):
        if control.get("type") != "hidden" and not _named(control, soup):
            yield Finding(
                "label", where, f"a <{control.name}> has no label", "put it into a <label>, or use ipywidgets"
            )
    if any(not s.get("src") and s.get("type") != "application/json" for s in soup.find_all("script")):
        yield Finding("script", where, "it brings a script, which a recorded page leaves out",
                      "look whether the page is whole without it", refused=False)  # fmt: skip


def levels(found: list[Piece]) -> Iterator[Finding]:
    """Yield what is wrong with the headings of the whole page, in their order."""
    headings = [(p.number, int(h.name[1])) for p in found for h in p.soup.find_all(re.compile("^h[1-6]$"))]
    if not headings:
        yield Finding("heading", "dashboard part", "no heading asks the question that it answers",
                      "begin its first markdown cell with '# ' and the question, and run again")  # fmt: skip
    last = 0
    for number, level in headings:
        if last and level > last + 1:
            yield Finding("heading", cell(number), f"a heading of level {level} follows one of level {last}",
                          f"write '{'#' * (last + 1)}' before it, and run again")  # fmt: skip
        last = level


def _images(soup: BeautifulSoup, where: str) -> Iterator[Finding]:
    for image in soup.find_all("img"):
        source = str(image.get("src", ""))
        if str(image.get("alt", "")).strip() in _NO_ALT:
            yield Finding("alternative text", where, "a figure has no alternative text", _FIGURE)
        if source.startswith("attachment:"):
            yield Finding("image", where, f"{source[11:91]!r} is not attached to the cell",
                          "paste the picture into the cell once more, and run again")  # fmt: skip
        elif not source.startswith("data:") and not _FOREIGN.match(source):
            yield Finding("image", where, f"the image {source[:80]!r} is not part of the notebook",
                          "show it with genai4eu.widgets.figure and run again")  # fmt: skip
    for svg in soup.find_all("svg"):
        if svg.find_parent("svg") is None:
            yield Finding(
                "alternative text", where, f"a figure is drawn in the page itself ({str(svg)[:40]}…)", _FIGURE
            )


def _foreign(soup: BeautifulSoup, where: str) -> Iterator[Finding]:
    """Yield what a browser would ask of another host; links that people follow are none of it."""
    found = [
        address
        for tag in soup.find_all(list(_LOADING))
        for name in _LOADING[tag.name]
        for address in ([] if str(tag.get(name, "")).startswith("data:") else _FOREIGN.findall(str(tag.get(name, ""))))
    ]
    styles = [t.get_text() for t in soup.find_all("style")] + [str(t["style"]) for t in soup.find_all(style=True)]
    for style in styles:
        found += _IN_STYLE.findall(style)
    for address in dict.fromkeys(found):
        yield foreign(where, address)


def foreign(where: str, address: str) -> Finding:
    """Return the finding of one address that would be fetched."""
    host = urlsplit(address).hostname or address[:60]
    return Finding("third party", where, f"the page would load something from {host} ({address[:80]})",
                   "pages load nothing from other sites: keep it in the run's outputs, or show a picture")  # fmt: skip


def _named(control: Tag, soup: BeautifulSoup) -> bool:
    """Tell whether an HTML control has a name for who cannot see what stands beside it."""
    if any(str(control.get(name, "")).strip() for name in ("aria-label", "aria-labelledby", "title")):
        return True
    if control.name == "button" and control.get_text(strip=True):
        return True
    own = control.get("id")
    return control.find_parent("label") is not None or bool(own and soup.find("label", attrs={"for": own}))
