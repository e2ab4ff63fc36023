"""What must not leave this computer: secrets, known ones and those that look like one; and home folders. By the checks.

All is looked at that a visitor can download or that a bundle takes along. A value that is found is never repeated.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path

from .... import redact, vault
from .finding import Finding

#: What it is, a beginning that tells at once where to look, and its whole form. Those that base64 could spell, in which
#: every short text occurs somewhere, do not begin in the midst of it.
_FORMS = [
    (what, beginning, re.compile(rb"(?<![A-Za-z0-9])" + form + rb"(?![A-Za-z0-9])"))
    for what, beginning, form in (
        ("a token of GitHub", b"gh", rb"gh[pousr]_[A-Za-z0-9]{36}"),
        ("a token of GitHub", b"github_pat_", rb"github_pat_[A-Za-z0-9_]{22,}"),
        ("a token of GitLab", b"glpat-", rb"glpat-[A-Za-z0-9_-]{20,}"),
        ("a token of Hugging Face", b"hf_", rb"hf_[A-Za-z0-9]{30,}"),
        ("a key of AWS", b"AKIA", rb"(?<![+/])AKIA[0-9A-Z]{16}(?![+/])"),
        ("a key of Google", b"AIza", rb"(?<![+/])AIza[0-9A-Za-z_-]{35}(?![+/])"),
        ("a token of Slack", b"xox", rb"xox[abprs]-[0-9A-Za-z-]{10,}"),
        ("an API key", b"sk-", rb"sk-(?:[a-z]+-){0,3}[A-Za-z0-9_]{20,}"),
        ("a signed token (JWT)", b"eyJ", rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    )
]
_FORMS += [
    ("a private key", b"-----BEGIN", re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")),
    ("a token in an address", b"token=", re.compile(rb"[?&]token=[0-9a-fA-F]{32,}")),
    (
        "a password in an address",
        b"://",
        re.compile(rb"://[^\s/:@\"'<>\\]{1,64}:[^\s/:@\"'<>\\{$*]{3,128}@[A-Za-z0-9\[]"),
    ),
]
_NAMES = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|CREDENTIAL")
#: Shorter values of variables are flags and ordinary words.
_SHORTEST = 12
_HOME = re.compile(rb"(?:/home/|/Users/|[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/))([A-Za-z0-9._-]{1,64})")
_REMEDY = "take it out, have it renewed, name it as secret:NAME (genai4eu secrets set NAME), and run again"


def check(files: Iterator[tuple[str, Path]]) -> Iterator[Finding]:
    """Yield what files give away.

    Parameters
    ----------
    files : iterator of (str, Path)
        Name for people, and place.
    """
    known = _known()
    for name, path in files:
        if path.stat().st_size:
            with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                yield from _in(name, content, known)


def in_text(name: str, text: str) -> Iterator[Finding]:
    """Yield what a text gives away, such as a title."""
    yield from _in(name, text.encode(errors="replace"), _known())


def _in(name: str, content: bytes | mmap.mmap, known: dict[bytes, str]) -> Iterator[Finding]:
    named = {shown for value, shown in known.items() if content.find(value) >= 0}
    for shown in sorted(named):
        yield Finding("secret", name, f"it holds the value of {shown}", _REMEDY)
    looks: dict[str, bytes] = {}
    for what, beginning, form in _FORMS if not named else ():
        found = form.search(content) if content.find(beginning) >= 0 else None
        if found:
            looks.setdefault(what, found[0])
    for what, value in looks.items():
        yield Finding("secret", name, f"it holds what looks like {what} ({_begins(value)})", _REMEDY)
    if homes := sorted({match[0].decode(errors="replace") for match in _HOME.finditer(content)}):
        yield Finding("home folder", name, f"it names {', '.join(homes[:3])}",
                      "visitors can read that: leave out places that are nobody's business", refused=False)  # fmt: skip


def _begins(found: bytes) -> str:
    """Return no more of a secret than says where to look."""
    return f"begins with {found.decode(errors='replace').strip()[:4]!r}"


def _known() -> dict[bytes, str]:
    """Return all forms of the secrets of this computer, and of variables that are called like one."""
    values = {f"secret:{name}": value for name, value in vault.values().items()}
    for name, value in os.environ.items():
        if _NAMES.search(name.upper()) and len(value) >= _SHORTEST and not value.startswith("/"):
            values[f"the variable {name}"] = value
    return {form.encode(): shown for shown, value in values.items() for form in redact.forms(value)}
