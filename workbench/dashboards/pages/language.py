"""Languages of the pages: which there are, which a visitor reads, the words in each. Called by the pages.

A language is a file, ``templates/dashboard/locale/<language>/LC_MESSAGES/pages.po``, which is read as it is: a fresh
clone and an installed wheel need no compiled catalogue, and none can be older than its source.
"""

from __future__ import annotations

import functools
import importlib.resources
import io
import re
from collections.abc import Iterable
from pathlib import Path

import babel
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

SOURCE = "en"
DOMAIN = "pages"
LOCALES = Path(str(importlib.resources.files("genai4eu.templates"))) / "dashboard" / "locale"
#: Languages of the pages' own words; English, which the others are translated from, first.
LANGUAGES = (SOURCE, *sorted(p.parents[1].name for p in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po")))


def N_(words: str) -> str:
    """Mark words for the catalogues that are translated later, where they are shown (``words | translated``)."""
    return words


def wanted(asked: str | None, accepted: str) -> tuple[str, ...]:
    """Return the languages that a visitor reads, the most wanted first.

    Parameters
    ----------
    asked : str or None
        What the address says (``?lang=nl``).
    accepted : str
        The browser's ``Accept-Language``, most wanted first by its weights.
    """
    weighed = sorted((_weighed(part) for part in accepted.split(",")[:20]), key=lambda w: -w[0])
    names = [asked.lower()[:3]] if asked else []
    return tuple(dict.fromkeys([*names, *(name for weight, name in weighed if weight > 0)]))


def chosen(asked: str | None, accepted: str, offered: Iterable[str] = LANGUAGES) -> str:
    """Return the first wanted language that is offered, else the first offered; see :func:`wanted`."""
    languages = tuple(offered)
    return next((name for name in wanted(asked, accepted) if name in languages), languages[0])


def _weighed(part: str) -> tuple[float, str]:
    """Return weight and language of ``de-AT;q=0.8``."""
    name, _, weight = part.partition(";q=")
    try:
        return float(weight or 1), name.strip().lower().partition("-")[0]
    except ValueError:
        return 0.0, ""


def catalogue_path(language: str) -> Path:
    """Return where the words of a language stand."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@functools.cache
def catalogue(language: str) -> Catalog:
    """Return the catalogue of a language; English has an empty one."""
    path = catalogue_path(language)
    if language == SOURCE or not path.is_file():
        return Catalog(locale=SOURCE)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


@functools.cache
def translations(language: str) -> NullTranslations:
    """Return the words of a language; where its catalogue lacks some, they stay English."""
    return compiled(catalogue(language))


def compiled(catalogue: Catalog) -> NullTranslations:
    """Return a catalogue as the words that ``gettext`` finds."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    file.seek(0)
    return Translations(file, domain=DOMAIN)


def reviewed(language: str) -> bool:
    """Tell whether somebody who speaks the language has read its catalogue: ``# Reviewed:`` in its head says so."""
    if language == SOURCE:
        return True
    said = re.search(r"^#[ \t]*Reviewed:[ \t]*(\S.*)$", catalogue(language).header_comment, re.MULTILINE)
    return said is not None and said[1].strip().lower() != "no"


@functools.cache
def own_name(language: str) -> str:
    """Return a language's name in itself: ``Nederlands``; the code of one that nobody knows."""
    try:
        name = babel.Locale.parse(language).language_name or language
    except (babel.UnknownLocaleError, ValueError):
        return language
    return name[:1].upper() + name[1:]


def name_in(language: str, reader: str) -> str:
    """Return a language's name as a reader of another one calls it: ``Nederlands`` is ``Dutch`` to the English."""
    try:
        return babel.Locale.parse(language).get_display_name(reader) or own_name(language)
    except (babel.UnknownLocaleError, ValueError):
        return language
