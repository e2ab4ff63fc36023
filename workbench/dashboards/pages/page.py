"""Pages from templates: frozen page, evidence, gallery, messages. Called by publishing and by the server."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from . import values
from .anchors import keep_language
from .language import LANGUAGES, N_, SOURCE, name_in, own_name, reviewed, translations
from .origin import BY_AI, ORIGINS
from .translated import first_sentence, told

ASSETS = Path(str(importlib.resources.files("genai4eu.templates"))) / "dashboard"

#: The script that names controls for screen readers belongs to the widgets.
WIDGETS = Path(str(importlib.resources.files("genai4eu.widgets")))


_SECTORS = {
    "health": N_("Health"),
    "materials": N_("Materials"),
    "climate": N_("Climate"),
    "robotics": N_("Robotics"),
    "agrifood": N_("Agrifood"),
    "energy": N_("Energy"),
    "other": N_("Other"),
}


#: Heads of columns in the data of figures that are ours; the others are the figure's.
_COLUMNS = (N_("name"), N_("series"), N_("low"), N_("high"))


@functools.cache
def _environment(language: str) -> Any:
    loader = jinja2.FileSystemLoader(ASSETS / "pages")
    environment: Any = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    words = translations(language)
    environment.install_gettext_translations(words, newstyle=True)
    forms = (values.moment, values.day, values.duration, values.number, values.energy, values.size, sector, where)
    environment.filters |= {form.__name__: functools.partial(form, language=language) for form in forms}
    # Words that come as a value: looked up, and never taken for HTML or for a format.
    environment.filters |= {"translated": words.gettext, "joints": joints, "own_name": own_name}
    environment.filters["name_of_language"] = functools.partial(name_in, reader=language)
    environment.globals |= {"languages": LANGUAGES, "reviewed": reviewed(language)}
    environment.globals["unreviewed"] = [code for code in LANGUAGES if not reviewed(code)]
    environment.globals |= {"asset": asset, "pieces": pieces}
    environment.globals["in_language"] = functools.partial(in_language, lang=language)
    environment.globals |= {"origins": ORIGINS, "by_ai": BY_AI}
    environment.tests["own_word"] = _COLUMNS.__contains__
    environment.filters |= {"told": functools.partial(told, language=language), "first_sentence": first_sentence}
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


def render(name: str, lang: str = SOURCE, *, kept: str = "", query: str = "", **shown: Any) -> str:
    """Return a page.

    Parameters
    ----------
    name : str
        Which one: its template's name.
    lang : str
        Language of the words around the content.
    kept : str, optional
        The language that the visitor asked for, if any: links keep it.
    query : str, optional
        What else the page's address says (``q=rain``): the language switch leaves it as it is.
    **shown
        What the template shows; ``root`` is the relative address of the gallery.
    """
    html = str(_environment(lang).get_template(f"{name}.html.j2").render(lang=lang, query=query, **shown))
    return keep_language(html, kept) if kept else html


def sector(name: str | None, language: str = SOURCE) -> str:
    """Return a sector as a heading; one that no catalogue knows, by its own name."""
    known = _SECTORS.get(name or "other")
    return translations(language).gettext(known) if known else str(name).replace("-", " ").capitalize()


def in_language(code: str, lang: str) -> Markup:
    """Return the attribute of a part in another language than the page: it is read aloud with another voice."""
    return Markup(' lang="{}"').format(code) if code != lang else Markup("")


def joints(word: str) -> list[str]:
    """Return the pieces of a long name, each with the mark that ends it: ``wave_``, ``height/``, ``max``."""
    return re.findall(r"[^_\-/.=:]*[_\-/.=:]+|[^_\-/.=:]+", word)


def where(info: Mapping[str, Any], language: str = SOURCE) -> str:
    """Return where a run was computed: the computer, and the target where it was not this one."""
    words = translations(language)
    host = str(info.get("kernel_host") or info.get("host") or words.gettext("an unknown computer"))
    target = info.get("target")
    if target in (None, "", "genai4eu", "python3"):
        return host
    return words.gettext("{host}, target {target}").format(host=host, target=target)
