"""The language that a visitor asked for, kept in every link and form of a page. Called where pages are rendered.

There is no cookie: the address alone says the language, so each link to another page of ours must say it too.
"""

from __future__ import annotations

import re

#: Links to our own pages are relative; those with a scheme or a host lead elsewhere, ``#`` stays on the page.
_LINK = re.compile(r'(<a\s(?:[^>]*?\s)?href=")(?![a-z][a-z0-9+.-]*:|//|#)([^"#?]*)(\?[^"#]*)?(#[^"]*)?"', re.IGNORECASE)
_FORM = re.compile(r"<form\b[^>]*>", re.IGNORECASE)
_POST = re.compile(r'\bmethod="?post', re.IGNORECASE)
_ACTION = re.compile(r'(\saction=")([^"#?]*)"', re.IGNORECASE)


def keep_language(html: str, language: str) -> str:
    """Return a page whose links and forms ask for a language, but those that ask for one already."""
    return _FORM.sub(lambda m: _form(m[0], language), _LINK.sub(lambda m: _link(m, language), html))


def _link(found: re.Match[str], language: str) -> str:
    start, path, query, fragment = found[1], found[2], found[3] or "", found[4] or ""
    if re.search(r"[?;&]lang=", query):
        return found[0]
    return f'{start}{path}{query + "&amp;" if query else "?"}lang={language}{fragment}"'


def _form(tag: str, language: str) -> str:
    """Return a form's tag; one that is sent by GET loses what its address says, so a field says it."""
    if _POST.search(tag):
        return _ACTION.sub(lambda m: f'{m[1]}{m[2]}?lang={language}"', tag)
    return f'{tag}<input type="hidden" name="lang" value="{language}">'
