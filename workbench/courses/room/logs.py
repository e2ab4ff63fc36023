"""What a process said last. Called where one has not come up."""

from __future__ import annotations

from pathlib import Path


def last(log: Path) -> str:
    """Return the last line of a log, and where it lies."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return f"{lines[-1].strip() if lines else 'it said nothing'} ({log})"
