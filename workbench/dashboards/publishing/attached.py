"""A markdown cell as HTML with the pictures that are attached to it (``![a wave](attachment:wave.png)``).

Called by freezing and by the checks; what is said here of a picture holds for all of them: it needs alternative text.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from bs4 import BeautifulSoup

from ..part import Json, text_of
from .markup import from_markdown

_SCHEME = "attachment:"


def rendered(text: str, cell: Json) -> str:
    """Return markdown of a cell as HTML, not yet cleaned, attached pictures as data addresses.

    One that is not attached keeps its address, by which the checks name it.

    Parameters
    ----------
    text : str
        The cell's source, or the same in another language.
    """
    html = from_markdown(text)
    if _SCHEME not in html:
        return html
    soup = BeautifulSoup(html, "html.parser")
    for image in soup.find_all("img", src=True):
        scheme, _, name = str(image["src"]).partition(":")
        if scheme + ":" == _SCHEME and (address := _address(cell, unquote(name))):
            image["src"] = address
    return str(soup)


def _address(cell: Json, name: str) -> str:
    """Return an attachment as a data address; empty where there is none of that name that is an image."""
    held = cell.get("attachments")
    found: Any = held.get(name) if isinstance(held, Mapping) else None
    kinds = found.items() if isinstance(found, Mapping) else ()
    mime, content = next(((kind, text_of(data)) for kind, data in kinds if kind.startswith("image/")), ("", ""))
    if not mime:
        return ""
    if content.lstrip().startswith("<"):  # SVG may be attached as the text that it is
        content = base64.b64encode(content.encode()).decode()
    return f"data:{mime};base64,{''.join(content.split())}"
