"""What the comment behind a parameter says: help, unit, limits. Called by the grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = r"""'[^']*'|"[^"]*\""""
_TAIL = re.compile(
    r"(?:^|\s)(?:\[(?P<unit>[^\[\]]*)\]"
    rf"|in\s+(?:(?P<choices>\{{(?:[^{{}}'\"]|{_QUOTED})*\}}|\{{[^{{}}]*\}})|(?P<low>\S+?)\s*\.\.\s*(?P<high>\S+)))\s*$"
)
#: Limits that something follows: left in the help they would be lost silently.
_LOST = re.compile(r"(?:^|\s)in\s+(?:\{|[-+]?(?:\d|inf)\S*\s*\.\.)")
#: Mathematicians write limits in brackets too, `in [0, 1]`: they are help, because they say no unit.
_INTERVAL = re.compile(r"(?:^|\s)in$")
_WORD = re.compile(rf"\s*({_QUOTED}|[^,]*[^,\s])\s*(?:,|$)")


@dataclass(frozen=True)
class Comment:
    """A comment taken apart; ``bounds`` and ``choices`` are still texts, because the type says how to read them."""

    help: str
    unit: str | None = None
    bounds: tuple[str, str] | None = None
    choices: tuple[str, ...] | None = None


def read_comment(text: str) -> Comment:
    """Take ``training epochs [1] in 1..200`` apart.

    Raises
    ------
    ValueError
        If there are limits that cannot be read; the message follows the parameter's name.
    """
    unit, bounds, choices = None, None, None
    while found := _TAIL.search(text):
        if found["unit"] is not None and unit is None and not _INTERVAL.search(text[: found.start()]):
            unit = found["unit"].strip()
        elif found["unit"] is None and bounds is None and choices is None:
            bounds = None if found["low"] is None else (found["low"], found["high"])
            choices = None if found["choices"] is None else words(found["choices"][1:-1])
        else:
            break
        text = text[: found.start()]
    if _LOST.search(text):
        raise ValueError("has limits that cannot be read: end the comment with 'in lo..hi' or 'in {a, b}', once")
    return Comment(text.strip(), unit, bounds, choices)


def words(text: str) -> tuple[str, ...]:
    """Split at commas; a word in quotes may hold them."""
    found = (match[1] for match in _WORD.finditer(text))
    return tuple(w[1:-1] if len(w) > 1 and w[0] == w[-1] and w[0] in "'\"" else w for w in found)
