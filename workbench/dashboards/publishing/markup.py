"""HTML that is safe to freeze: no scripts, no request to another host, every image with its alternative text.

Called by publishing, on what a notebook's cells left behind.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

import mistune
from bs4 import BeautifulSoup, Comment, Tag

from ...errors import WorkbenchError

_DROPPED = (
    "script",
    "style",
    "link",
    "meta",
    "base",
    "iframe",
    "frame",
    "object",
    "embed",
    "form",
    "template",
    "noscript",
)
_KEPT_ATTRIBUTES = {
    "alt", "class", "colspan", "datetime", "dir", "headers", "height", "href", "id", "lang", "role", "rowspan", "scope",
    "src", "title", "width", "start", "open",
}  # fmt: skip
_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg", "image/gif": "gif", "image/webp": "webp"}
#: What runs, or fetches and runs.
_RUNS = ("script", "iframe", "frame", "object", "embed", "base", "meta", "link", "noscript")
#: Browsers pass over blanks and control characters before a scheme and inside it.
_LEADS_TO_CODE = re.compile(
    r"[\s\x00-\x20]*j[\s\x00-\x20]*a[\s\x00-\x20]*v[\s\x00-\x20]*a[\s\x00-\x20]*s", re.IGNORECASE
)
#: Besides addresses of the web: pictures that a cell has with it, which are put in where it is known.
_renderer = mistune.HTMLRenderer(escape=False, allow_harmful_protocols=("attachment:",))
_markdown = mistune.create_markdown(renderer=_renderer, plugins=["table", "strikethrough"])


@dataclass
class Media:
    """Files of a page, images first of all, by name; the name is made of the content, so it can be cached for ever."""

    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, mime: str, content: bytes) -> str:
        """Keep an image and return its address relative to the page."""
        return self.keep(content, _SUFFIXES[mime])

    def keep(self, content: bytes, suffix: str) -> str:
        """Keep a file and return its address relative to the page."""
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
        self.files[name] = content
        return f"media/{name}"

    def write(self, folder: Path) -> None:
        """Write the files into ``folder``."""
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def from_markdown(text: str) -> str:
    """Return markdown as HTML, not yet cleaned."""
    return str(_markdown(text))


def clean(html: str, media: Media) -> BeautifulSoup:
    """Return HTML with only what a frozen page may hold.

    Raises
    ------
    WorkbenchError
        For an image from another host, or one without alternative text.
    """
    soup = BeautifulSoup(html, "html.parser")
    for comment in soup.find_all(string=lambda s: isinstance(s, Comment)):
        comment.extract()
    for tag in soup.find_all(_DROPPED):
        tag.decompose()
    for tag in soup.find_all(["video", "audio", "source", "track"]):
        raise WorkbenchError(f"the dashboard part shows a <{tag.name}>: only images and text can be published")
    for tag in soup.find_all(True):
        _clean_attributes(tag)
    for image in soup.find_all("img"):
        _embed(image, media)
    for corner in soup.find_all("th"):
        if not corner.get_text(strip=True) and corner.find("img") is None:
            corner.name = "td"  # a heading without words, as pandas writes, is announced as one
    for svg in soup.find_all("svg"):
        raise WorkbenchError(
            f"a figure is drawn in the page itself ({str(svg)[:40]}…): show it with genai4eu.widgets.figure"
        )
    return soup


def harmless(html: str) -> str:
    """Return the HTML of a page that others froze without anything that :func:`clean` would not have left in it."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all([*_DROPPED, "video", "audio", "source", "track", "svg", "math"]):
        tag.decompose()
    for tag in soup.find_all(True):
        _clean_attributes(tag)
        if tag.name == "img" and not re.fullmatch(r"media/[0-9a-f]{16}\.\w+", str(tag.get("src", ""))):
            tag.decompose()
    return str(soup)


def inert(html: str) -> str:
    """Return a widget's HTML without what would run: the page's policy stops it too, and one lock is not enough.

    Style stays: widgets bring their own along.
    """
    soup = BeautifulSoup(html, "html.parser")
    for comment in soup.find_all(string=lambda s: isinstance(s, Comment)):  # browsers may see it end sooner
        comment.extract()
    for tag in soup.find_all(_RUNS):
        tag.decompose()
    for tag in soup.find_all(True):
        for name, value in list(tag.attrs.items()):
            leads = name.lower().rpartition(":")[2] in ("href", "src", "action", "formaction")
            if name.lower().startswith("on") or (leads and _LEADS_TO_CODE.match(str(value))):
                del tag.attrs[name]
    return str(soup)


def _clean_attributes(tag: Tag) -> None:
    for name in list(tag.attrs):
        if name not in _KEPT_ATTRIBUTES and not name.startswith("aria-"):
            del tag.attrs[name]
    if "class" in tag.attrs:  # only our own names mean anything on the page
        tag["class"] = " ".join(str(c) for c in tag.get_attribute_list("class") if str(c).startswith("genai4eu-"))
    if tag.name not in ("img", "a"):
        tag.attrs.pop("src", None)
        tag.attrs.pop("href", None)
    if tag.name == "a" and not str(tag.get("href", "#")).lower().startswith(("http://", "https://", "#", "mailto:")):
        del tag.attrs["href"]


def _embed(image: Tag, media: Media) -> None:
    """Move an image's data into a file."""
    alt, source = str(image.get("alt", "")).strip(), str(image.get("src", ""))
    if not alt or alt == "No description has been provided for this image":
        raise WorkbenchError(
            "a figure has no alternative text: show it with genai4eu.widgets.figure(fig, alt=…) and run again"
        )
    if not source.startswith("data:"):
        raise WorkbenchError(
            f"the image {source[:80]!r} is not part of the notebook: show it with genai4eu.widgets.figure"
        )
    mime, content = data_address(source)
    image["src"] = media.add(mime, content)
    if mime == "image/png" and "width" not in image.attrs and len(content) > 24:
        image["width"], image["height"] = (str(n) for n in struct.unpack(">II", content[16:24]))


def data_address(source: str) -> tuple[str, bytes]:
    """Return type and content of an image in a ``data:`` address.

    Raises
    ------
    WorkbenchError
        If it is no image that browsers show, or damaged.
    """
    head, _, body = source.removeprefix("data:").partition(",")
    mime = head.split(";")[0]
    if mime not in _SUFFIXES:
        raise WorkbenchError(f"a figure of type {mime!r} cannot be published: use {', '.join(sorted(_SUFFIXES))}")
    try:
        return mime, base64.b64decode(body) if head.endswith(";base64") else unquote_to_bytes(body)
    except binascii.Error:
        raise WorkbenchError("a figure's data is damaged: run again") from None


def shift_headings(soup: BeautifulSoup, used: int) -> int:
    """Renumber headings so that the page has one first-level heading and leaves out no level.

    Parameters
    ----------
    soup : BeautifulSoup
        Part of the page, changed in place.
    used : int
        Level of the last heading before this part.

    Returns
    -------
    int
        Level of the last heading in it.
    """
    for tag in soup.find_all([f"h{n}" for n in range(1, 7)]):
        level = min(max(2, int(tag.name[1])), used + 1)
        tag.name, used = f"h{level}", level
    return used
