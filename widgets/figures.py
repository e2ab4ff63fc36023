"""A matplotlib figure as HTML that says what it shows. Called by templates and by the Explorer."""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .drawn import drawn, table
from .words import TEXT_MIME

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The numbers that a figure draws, for the table below it on a dashboard's page.
DATA_MIME = "application/vnd.genai4eu.data+json"
#: The family of the pages, in two weights, so that figures and pages come from one hand; see fonts/LICENSE-Inter.txt.
FAMILY = "Inter Figures"
#: Raster figures carry two pixels for each CSS pixel, so that they stay sharp on a phone and on a wall.
DENSITY = 2
CSS_PIXELS_PER_INCH = 96
#: Above this many bytes a vector image loads slower than the raster one.
SMALL_SVG = 40_000


def use_style() -> None:
    """Apply the house style for figures, the same in notebooks and on pages."""
    import matplotlib.pyplot as plt
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    if FAMILY not in known:
        for path in sorted((Path(__file__).parent / "fonts").glob("*.ttf")):
            font_manager.fontManager.addfont(path)
    plt.style.use(Path(__file__).with_name("genai4eu.mplstyle"))


def figure(
    fig: Figure, alt: str | Mapping[str, str], title: str | Mapping[str, str] | None = None, data: Any = None
) -> None:
    """Show a figure as an HTML ``<figure>`` and close it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        What to show.
    alt : str or mapping of str to str
        The finding, then the kind of figure, then its range; read aloud to who cannot see the figure. By language,
        the main one first, where the dashboard has several.
    title : str or mapping of str to str, optional
        The finding, as a heading above the figure.
    data : pandas.DataFrame or mapping of str to sequence, optional
        The numbers that the figure draws, which its page shows as a table on demand; read from its lines, points, bars
        and bands where they are on one pair of axes and have labels. ``{}`` shows none.

    Raises
    ------
    ValueError
        If ``alt`` is empty, or ``data`` is no table.
    """
    from IPython.display import display

    alts, titles = _by_language(alt), _by_language(title or {})
    numbers = drawn(fig) if data is None else table(data) if len(data) else None
    first = next(iter(alts.values()), "")
    shown: dict[str, Any] = {
        "text/html": figure_html(fig, first, next(iter(titles.values()), None)),
        "text/plain": first,
    }
    if len(alts) > 1 or len(titles) > 1:
        names = dict.fromkeys([*alts, *titles])
        shown[TEXT_MIME] = {"figure": {n: {"alt": alts.get(n), "title": titles.get(n)} for n in names}}
    if numbers:
        shown[DATA_MIME] = numbers
    display(shown, raw=True)


def _by_language(text: str | Mapping[str, str]) -> dict[str, str]:
    return {"": text} if isinstance(text, str) else dict(text)


def figure_html(fig: Figure, alt: str, title: str | None = None) -> str:
    """Return the HTML that :func:`figure` shows, with the image as a data address, and close the figure.

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("a figure needs alternative text: pass alt='finding, kind of figure, range'")
    mime, content, width, height = _image(fig)
    source = f"data:{mime};base64,{base64.b64encode(content).decode()}"
    caption = f"<figcaption>{html.escape(title)}</figcaption>" if title else ""
    return (
        f'<figure class="genai4eu-figure">{caption}<img alt="{html.escape(alt)}" width="{width}" height="{height}" '
        f'style="max-width:100%;height:auto" src="{source}"></figure>'
    )


def _image(fig: Figure) -> tuple[str, bytes, int, int]:
    """Return MIME type, bytes, and size in CSS pixels: SVG where it stays small, else PNG at twice the size."""
    width, height = (round(inches * CSS_PIXELS_PER_INCH) for inches in fig.get_size_inches())
    try:
        if not _has_raster(fig):
            svg = _saved(fig, format="svg", metadata={"Date": None})  # no date: same figure, same bytes
            if len(svg) <= SMALL_SVG:
                return "image/svg+xml", svg, width, height
        png = _saved(fig, format="png", dpi=DENSITY * CSS_PIXELS_PER_INCH)
        return "image/png", png, width, height
    finally:
        _close(fig)


def _has_raster(fig: Figure) -> bool:
    """Tell whether the figure holds images, which make a vector file large."""
    return any(axes.images or axes.collections for axes in fig.axes)


def _saved(fig: Figure, **options: Any) -> bytes:
    buffer = io.BytesIO()
    fig.savefig(buffer, **options)
    return buffer.getvalue()


def _close(fig: Figure) -> None:
    """Free the figure, so that the inline backend does not show it a second time, without alternative text."""
    if plt := sys.modules.get("matplotlib.pyplot"):  # without it nobody holds the figure but its maker
        plt.close(fig)
