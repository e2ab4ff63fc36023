"""A sentence in several languages, of which the reader gets their own. Called by the dashboard part of templates."""

from __future__ import annotations

from collections.abc import Mapping

#: The dashboard's page takes the visitor's language from here; elsewhere the first one shows.
TEXT_MIME = "application/vnd.genai4eu.text+json"


def say(texts: Mapping[str, str]) -> None:
    """Show a sentence, which may hold computed numbers, in the reader's language.

    Parameters
    ----------
    texts : mapping of str to str
        Markdown by language, the main one first: ``{"en": f"Yes: {gain:.2f} better", "nl": …}``. Notebooks show the
        first.

    Raises
    ------
    ValueError
        If there is none, or one is empty.
    """
    from IPython.display import display

    if not texts or not all(text.strip() for text in texts.values()):
        raise ValueError('say needs a text in each language: say({"en": "Yes", "nl": "Ja"})')
    first = next(iter(texts.values()))
    display({TEXT_MIME: dict(texts), "text/markdown": first, "text/plain": first}, raw=True)
