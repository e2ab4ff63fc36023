"""Pages that people take home: one file each, in the house's look, that fetches nothing and prints on A4.

Called by completion records, a participant's bundle and the report.
"""

from __future__ import annotations

import base64
import functools
import importlib.resources
from pathlib import Path
from typing import Any

import jinja2

from ...dashboards.pages import page, values
from ...dashboards.pages.language import N_, reviewed, translations
from .categories import CATEGORIES, HEADS, NOT_KNOWN, UNKNOWN
from .hours import GAP

TEMPLATES = Path(str(importlib.resources.files("genai4eu.templates")))
_LEVELS = {
    "introductory": N_("introductory"),
    "intermediate": N_("intermediate"),
    "advanced": N_("advanced"),
}


def render(name: str, language: str, **shown: Any) -> str:
    """Return a page by its template.

    Parameters
    ----------
    language : str
        Of the words around the content.
    """
    return str(_environment(language).get_template(f"{name}.html.j2").render(lang=language, **shown))


@functools.cache
def _environment(language: str) -> Any:
    environment: Any = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES / "course" / "home"), autoescape=True, trim_blocks=True,
        undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    words = translations(language)
    environment.install_gettext_translations(words, newstyle=True)
    forms = (values.day, values.duration, values.size)
    environment.filters |= {form.__name__: functools.partial(form, language=language) for form in forms}
    environment.filters |= {"sector": functools.partial(_sector, language=language)}
    environment.filters |= {"level": lambda name: words.gettext(_LEVELS[name]) if name in _LEVELS else name}
    environment.filters |= {"category": functools.partial(category, language=language)}
    environment.globals |= {"gap": round(GAP / 60), "reviewed": reviewed(language), "font": _font(), "style": _style()}
    environment.globals["heads"] = {kind: words.gettext(head) for kind, head in HEADS.items()}
    return environment


def category(code: str, kind: str, language: str) -> str:
    """Return what a category is called: of a sector, a kind of organisation or a service."""
    words = translations(language)
    return words.gettext(NOT_KNOWN if code == UNKNOWN else CATEGORIES[kind][code])


def _sector(name: str, language: str) -> str:
    return translations(language).gettext("Any sector") if name == "any" else page.sector(name, language)


@functools.cache
def _font() -> str:
    """Return the pages' type as a data URI: a page is one file."""
    font = TEMPLATES / "dashboard" / "static" / "fonts" / "inter-latin-wght-normal.woff2"
    return "data:font/woff2;base64," + base64.b64encode(font.read_bytes()).decode()


@functools.cache
def _style() -> str:
    return (TEMPLATES / "course" / "home" / "home.css").read_text(encoding="utf-8")
