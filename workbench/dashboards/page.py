"""Pages from templates: frozen page, evidence, gallery, messages. Called by publishing and by the server."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2

from .language import translations

ASSETS = Path(str(importlib.resources.files("genai4eu.templates"))) / "dashboard"

#: The script that names controls for screen readers belongs to the widgets.
WIDGETS = Path(str(importlib.resources.files("genai4eu.widgets")))


@functools.cache
def _environment(language: str) -> Any:
    loader = jinja2.FileSystemLoader(ASSETS / "pages")
    environment: Any = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    environment.install_gettext_translations(translations(language), newstyle=True)
    environment.globals |= {"asset": asset, "pieces": pieces}
    environment.filters |= {"moment": moment, "duration": duration, "number": number}
    environment.filters |= {"sector": sector, "joints": joints, "day": day, "own_name": own_name}
    return environment


@functools.cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def asset(name: str) -> str:
    """Return the address of a file of the pages, with a mark of its content: browsers may keep it for ever."""
    path = WIDGETS / name if name == "aria.js" else ASSETS / "static" / name
    return f"static/{name}?v={_digest(path)}"


@functools.cache
def pieces() -> list[str]:
    """Return the addresses of the parts that the widgets' script always needs; their names hold a mark already."""
    return [f"static/front/{path.name}" for path in sorted((ASSETS / "static" / "front").glob("chunk-*.js"))]


def render(name: str, lang: str = "en", **values: Any) -> str:
    """Return a page; ``root`` is the relative address of the gallery."""
    return str(_environment(lang).get_template(f"{name}.html.j2").render(lang=lang, **values))


def sector(name: str | None) -> str:
    """Return a sector as a heading."""
    return (name or "other").replace("-", " ").capitalize()


def moment(stamp: str | None) -> str:
    """Return an ISO 8601 time as a reader wants it: ``20 November 2026, 19:15 UTC``."""
    if not stamp:
        return "unknown"
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    zone = " UTC" if when.utcoffset() is not None and not when.utcoffset() else ""
    return f"{when.day} {when:%B %Y, %H:%M}{zone}"


def day(stamp: str | None) -> str:
    """Return the day of an ISO 8601 time: ``20 November 2026``."""
    return moment(stamp).partition(",")[0]


def own_name(code: str) -> str:
    """Return a language's name in itself."""
    return {"en": "English", "nl": "Nederlands", "de": "Deutsch", "fr": "Français"}.get(code, code)


def duration(seconds: float | None) -> str:
    """Return a time span in two units at most: ``3 min 12 s``."""
    if seconds is None:
        return "unknown"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def number(value: object) -> str:
    """Return a value of a table: floats with four digits at most, no value as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def joints(word: str) -> list[str]:
    """Return the pieces of a long name, each with the mark that ends it: ``wave_``, ``height/``, ``max``."""
    return re.findall(r"[^_\-/.=:]*[_\-/.=:]+|[^_\-/.=:]+", word)


def where(info: Mapping[str, Any]) -> str:
    """Return where a run was computed: the computer, and the target where it was not this one."""
    host = str(info.get("kernel_host") or info.get("host") or "an unknown computer")
    target = info.get("target")
    return f"{host}, target {target}" if target not in (None, "", "genai4eu", "python3") else host
