"""Courses: lessons that participants work through, checked as they go.

In a lesson::

    from genai4eu.courses import check, help_me, hint, progress, reset

    check("exercise-2")
"""

from __future__ import annotations

from pathlib import Path

from .exercise import check, help_me, hint, language, progress, reset

__all__ = ["check", "help_me", "hint", "language", "progress", "record", "reset"]


def record() -> Path:
    """Make your own completion record beside the lessons; see :func:`.home.written.record`."""
    from .home.written import record as make  # only here: lessons that make none need not import what makes it

    return make()
