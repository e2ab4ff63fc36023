"""Languages of the pages: which there are, which a visitor reads, the words in each. Called by the pages."""

from __future__ import annotations

import functools
import gettext
import importlib.resources
from pathlib import Path

LANGUAGES = ("en", "nl", "de", "fr")
DOMAIN = "pages"
LOCALES = Path(str(importlib.resources.files("genai4eu.templates"))) / "dashboard" / "locale"


def chosen(asked: str | None, accepted: str) -> str:
    """Return the language of a page.

    Parameters
    ----------
    asked : str or None
        What the address says (``?lang=nl``).
    accepted : str
        The browser's ``Accept-Language``, most wanted first by its weights.
    """
    if asked in LANGUAGES:
        return str(asked)
    wanted = sorted((_weighed(part) for part in accepted.split(",")[:20]), key=lambda w: -w[0])
    return next((name for weight, name in wanted if weight > 0 and name in LANGUAGES), "en")


def _weighed(part: str) -> tuple[float, str]:
    """Return weight and language of ``de-AT;q=0.8``."""
    name, _, weight = part.partition(";q=")
    try:
        return float(weight or 1), name.strip().lower().partition("-")[0]
    except ValueError:
        return 0.0, ""


@functools.cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the words of a language; where a catalogue lacks one, it stays English."""
    return gettext.translation(DOMAIN, LOCALES, languages=[language], fallback=True)
