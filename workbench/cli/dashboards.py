"""``genai4eu publish|serve``."""

from __future__ import annotations
