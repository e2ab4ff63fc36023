"""``genai4eu gateway|connect|targets``."""

from __future__ import annotations
