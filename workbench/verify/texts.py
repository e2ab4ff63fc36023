"""Compare texts line by line: numbers within the tolerance; what differs from run to run by nature is set aside."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from .finding import IDENTICAL, Finding, different, together
from .tolerance import Tolerance
from .trees import numbers

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)(?![\w])")
#: What differs by nature: its name, and how it looks.
_VOLATILE = {
    "addresses in memory": re.compile(r"\b0x[0-9a-f]{6,16}\b"),
    "made-up ids": re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    "the run's own name and folder": re.compile(r"(?:/[^\s'\"<>:]*)?\b\d{8}-\d{6}-[a-z0-9-]*-[0-9a-f]{4}\b"),
    "times of cells": re.compile(r"^(?:CPU times: |Wall time: ).*$|^.* ± .* per loop .*$", re.M),
}
#: What drawings add: the time of drawing, and ids with a random salt (matplotlib's SVG).
_DRAWN = {
    "ids of widgets": re.compile(r"\b[0-9a-f]{32}\b"),  # in a file of results it may be a checksum
    "time of drawing": re.compile(r"<dc:date>.*?</dc:date>", re.S),
    "ids of a drawing": re.compile(r"\b[a-z]{1,2}[0-9a-f]{10}\b"),
    "ids of a styled table": re.compile(r"\bT_[0-9a-f]{5}\b"),
}


def compare(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare two text files; ``theirs`` is the record's."""
    return contents(_read(ours), _read(theirs), tolerance, drawn=theirs.suffix in (".svg", ".html"))


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "backslashreplace")


def contents(ours: str, theirs: str, tolerance: Tolerance, drawn: bool = False) -> Finding:
    """Compare two texts; ids of drawings and tables are the same where they stand for the same."""
    if ours == theirs:
        return IDENTICAL
    aside = []
    for name, pattern in {**_VOLATILE, **(_DRAWN if drawn else {})}.items():
        before = (ours, theirs)
        ours, theirs = pattern.sub(_renamed(), ours), pattern.sub(_renamed(), theirs)
        if before[0] != before[1] and (pattern.findall(before[0]) != pattern.findall(before[1])):
            aside.append(name)
    found = _lines(ours, theirs, tolerance)
    if found.outcome == "identical":
        return Finding("equal", aside=tuple(aside))
    return Finding(found.outcome, found.where, found.why, found.max_abs, found.max_rel, tuple(aside))


def without_ids(text: str) -> str:
    """Return a text with the ids that kernels make up replaced by numbers, in the order of their first use."""
    for name, patterns in (("made-up ids", _VOLATILE), ("ids of widgets", _DRAWN)):
        text = patterns[name].sub(_renamed(), text)
    return text


def _renamed() -> Callable[[re.Match[str]], str]:
    """Return what gives the same name to the same text, and names in the order of their first use."""
    known: dict[str, str] = {}
    return lambda found: known.setdefault(found[0], f"<{len(known)}>")


def _lines(ours: str, theirs: str, tolerance: Tolerance) -> Finding:
    a, b = ours.splitlines(), theirs.splitlines()
    if len(a) != len(b):
        first = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        return different(f"line {first + 1}", f"{len(a)} lines instead of {len(b)}")
    pairs = enumerate(zip(a, b, strict=True), 1)
    return together(_line(x, y, tolerance).at(f"line {number}") for number, (x, y) in pairs if x != y)


def _line(a: str, b: str, tolerance: Tolerance) -> Finding:
    if _NUMBER.split(a) != _NUMBER.split(b):
        return different(None, f"{a.strip()[:80]!r} instead of {b.strip()[:80]!r}")
    values = zip(map(float, _NUMBER.findall(a)), map(float, _NUMBER.findall(b)), strict=True)
    return together(numbers(x, y, tolerance) for x, y in values)
