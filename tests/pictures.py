"""Pictures that the documents show, kept where ``GENAI4EU_PICTURES`` names a folder. Called by tests of pages."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image


def keep(name: str, width: int, picture: Image.Image) -> None:
    """Keep a picture of a page at a width; one of a screen at half its size."""
    if folder := os.environ.get("GENAI4EU_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        small = picture.resize((width // 2, picture.height * width // 2 // picture.width)) if width > 400 else picture
        few = small.quantize(128, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(Path(folder) / f"{name}-{width}.png", optimize=True)
