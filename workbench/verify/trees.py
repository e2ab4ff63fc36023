"""Compare JSON: numbers within the tolerance, everything else exactly. For metrics, sizes and ``.json`` outputs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .finding import IDENTICAL, Finding, different, together
from .tolerance import Tolerance

#: Set aside where the values are the same and the bytes are not.
LAYOUT = "layout of the text"


def compare(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare two JSON files; ``theirs`` is the record's."""
    return contents(_read(ours), _read(theirs), tolerance)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def contents(ours: Any, theirs: Any, tolerance: Tolerance) -> Finding:
    """Compare two contents of JSON; with the same values, what else differs is how they were written."""
    found = together(_walk(ours, theirs, "", tolerance))
    return found if found.outcome != "identical" else Finding("equal", aside=(LAYOUT,))


def _walk(a: Any, b: Any, where: str, tolerance: Tolerance) -> Iterator[Finding]:
    if isinstance(a, dict) and isinstance(b, dict):
        yield from _fields(a, b, where, tolerance)
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            yield different(where or "its list", f"{len(a)} entries instead of {len(b)}")
        for number, (x, y) in enumerate(zip(a, b, strict=False)):
            yield from _walk(x, y, f"{where}[{number}]", tolerance)
    else:
        yield scalars(a, b, tolerance).at(where or "its value")


def _fields(a: dict[str, Any], b: dict[str, Any], where: str, tolerance: Tolerance) -> Iterator[Finding]:
    for name in dict.fromkeys([*b, *a]):
        place = f"{where}.{name}" if where else str(name)
        if name in tolerance.ignore:
            if a.get(name) != b.get(name):
                yield Finding("equal", aside=(f"{name} (declared)",))
        elif name not in a or name not in b:
            yield different(place, "is missing" if name not in a else "is new")
        else:
            yield from _walk(a[name], b[name], place, tolerance)


def scalars(a: Any, b: Any, tolerance: Tolerance) -> Finding:
    """Compare two values that are no lists."""
    if _number(a) and _number(b):
        return numbers(float(a), float(b), tolerance)
    if type(a) is type(b) and a == b:
        return IDENTICAL
    return different(None, f"{_short(a)} instead of {_short(b)}")


def numbers(a: float, b: float, tolerance: Tolerance) -> Finding:
    """Compare two numbers."""
    if a == b or (a != a and b != b):
        return IDENTICAL
    size = abs(a - b)
    relative = size / abs(b) if b else None
    if tolerance.allows(a, b):
        return Finding("equal", max_abs=size, max_rel=relative)
    said = f"{a:.8g} instead of {b:.8g}"
    return Finding("different", None, said, size, relative) if size < math.inf else different(None, said)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
