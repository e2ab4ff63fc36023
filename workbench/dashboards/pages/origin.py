"""Who or what made a figure: a generative model, a simulation, a measurement. Declared by whoever writes the notebook.

A cell of the dashboard part says it in its metadata, ``{"genai4eu": {"origin": "generated"}}``, of all that it shows:
so it holds for figures, widgets and tables of any library. Called by freezing, by the checks and by the pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bs4 import BeautifulSoup

from ..part import Json
from .language import N_

#: What a visitor is told: a label that stands at the figure, and what it means.
ORIGINS: dict[str, tuple[str, str]] = {
    "generated": (
        N_("AI-generated"),
        N_("A generative model made what is shown here: it could be so, nobody measured it."),
    ),
    "mixed": (
        N_("Partly AI-generated"),
        N_("What a generative model made stands here beside what it did not make."),
    ),
    "simulated": (N_("Simulated"), N_("Computed from equations; no generative model drew it.")),
    "measured": (N_("Measured"), N_("Counted in the tests of this run; no generative model drew it.")),
}
#: Those in which a generative model had a hand.
BY_AI = ("generated", "mixed")


def declared(cell: Json) -> str:
    """Return what a cell says of what it shows, one of :data:`ORIGINS` if it is sound; empty where it says nothing."""
    about = cell.get("metadata", {}).get("genai4eu")
    return str(about.get("origin") or "") if isinstance(about, Mapping) else ""


def labelled(blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yield origin, name and language of each block of a page whose origin was declared."""
    for block in blocks:
        if block.get("origin") in ORIGINS:
            yield block["origin"], _name(str(block["html"])), str(block.get("lang") or "en")


def _name(html: str) -> str:
    """Return what a figure is called: its title, or else the finding that its alternative text begins with."""
    soup = BeautifulSoup(html, "html.parser")
    caption, image = soup.find("figcaption"), soup.find("img")
    if caption is not None:
        return caption.get_text(" ", strip=True)
    return str(image.get("alt", "")).partition(";")[0].partition(". ")[0].strip() if image is not None else ""
