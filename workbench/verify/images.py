"""Compare pictures pixel by pixel: PNG, JPEG, TIFF, WebP, GIF. Needs Pillow and NumPy.

What stands beside the pixels (PNG's text with the time and the software that drew it) is set aside, by name.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from . import arrays
from .finding import Finding, different, together
from .tolerance import Tolerance


def compare(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare two pictures; ``theirs`` is the record's."""
    return contents(ours.read_bytes(), theirs.read_bytes(), tolerance)


def contents(ours: bytes, theirs: bytes, tolerance: Tolerance) -> Finding:
    """Compare two pictures by their files' content."""
    with Image.open(io.BytesIO(ours)) as a, Image.open(io.BytesIO(theirs)) as b:
        if a.size != b.size or a.mode != b.mode:
            return different(None, f"{_size(a)} instead of {_size(b)}")
        pairs = zip(ImageSequence.Iterator(a), ImageSequence.Iterator(b), strict=False)
        found = together(_frame(x, y, number, tolerance) for number, (x, y) in enumerate(pairs))
        aside = _beside(a.info, b.info)
    if found.outcome != "identical":
        return found
    return Finding("equal", aside=aside or ("compression",))


def _size(image: Image.Image) -> str:
    return f"{image.width} x {image.height} pixels ({image.mode})"


def _frame(a: Image.Image, b: Image.Image, number: int, tolerance: Tolerance) -> Finding:
    found = arrays.compare(np.asarray(a), np.asarray(b), tolerance)
    return found.at(f"pixel{'' if number == 0 else f' of frame {number}'} (y, x)")


def _beside(a: dict[Any, Any], b: dict[Any, Any]) -> tuple[str, ...]:
    return tuple(f"{name} of the picture" for name in dict.fromkeys([*b, *a]) if a.get(name) != b.get(name))
