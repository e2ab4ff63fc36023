"""The board's pages: what was seen, in the trainer's words. Called by the handlers."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

import jinja2

from ...dashboards.pages import values
from ...dashboards.pages.language import LANGUAGES, name_in, own_name, translations
from ...dashboards.pages.page import ASSETS as DASHBOARDS
from ...dashboards.pages.page import sector
from ...dashboards.pages.share import qr
from .words import spot

#: Templates, style and script of the board.
ASSETS = DASHBOARDS.parent / "course" / "board"


@functools.cache
def environment(language: str) -> Any:
    """Return what renders templates in a language; everything shown is escaped."""
    made: Any = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    made.install_gettext_translations(translations(language), newstyle=True)
    made.filters |= {
        "own_name": own_name,
        "name_of_language": functools.partial(name_in, reader=language),
        "size": functools.partial(values.size, language=language),
        "sector": functools.partial(sector, language=language),
        "spot": functools.partial(spot, language=language),
        "tenth": lambda value: values.decimal(f"{value:.1f}", language),
    }
    made.globals |= {"languages": LANGUAGES, "lang": language}
    return made


def render(name: str, language: str, **shown: Any) -> str:
    """Return a page or a piece of one."""
    return str(environment(language).get_template(f"{name}.html.j2").render(**shown))


def parts(language: str, **shown: Any) -> dict[str, str]:
    """Return the pieces of the board that are fetched again, by the ids of the elements that hold them."""
    made = environment(language).get_template("parts.html.j2").make_module(shown)
    names = ("overview", "hands", "everybody", "machine", "diary", "keep")
    found = {name: str(getattr(made, name)()) for name in names}
    found["rows-head"] = str(made.rows_head())
    return found | {f"row-{seat['name']}": str(made.row(seat)) for seat in shown["seats"]}


def look_part(language: str, **shown: Any) -> str:
    """Return how it stands with looking at a seat's notebook."""
    return str(environment(language).get_template("look.html.j2").make_module(shown).look(shown["seat"]))


@functools.cache
def style(name: str) -> str:
    """Return the style that stands inside a page of its own: the notebook, the sheets."""
    return (ASSETS / "static" / name).read_text(encoding="utf-8").strip()


@functools.cache
def style_hash(name: str) -> str:
    """Return what allows that style, and no other, to stand in a page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style(name).encode()).digest()).decode()}'"


def picture(address: str) -> str:
    """Return a QR code for an ``<img>``, encoded."""
    return base64.b64encode(qr(address)).decode()


def asset(name: str) -> Path | None:
    """Return a file of the board's, or one that it shares with the dashboards; None for any other name."""
    if name in ("board.css", "board.js"):
        return ASSETS / "static" / name
    shared = ("dashboard.css", "form.css", "icon.svg", *(f"fonts/{path.name}" for path in _fonts()))
    return DASHBOARDS / "static" / name if name in shared else None


@functools.cache
def _fonts() -> tuple[Path, ...]:
    return tuple((DASHBOARDS / "static" / "fonts").glob("*.woff2"))
