"""Courses: lessons that participants work through, checked as they go.

In a lesson::

    from genai4eu.courses import check, help_me, hint, progress, reset

    check("exercise-2")

In a notebook this import also brings ``%%factory``, which marks a cell for a kernel of the room's factory; where a
lesson imports nothing of it, ``%load_ext genai4eu.courses`` does the same::

    %%factory --seconds 60 --in images --out score --here
    score = train(images)
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .exercise import check, help_me, hint, language, progress, reset, solution
from .questions import questions

__all__ = [
    "check", "help_me", "hint", "language", "load_ipython_extension", "progress", "questions", "record", "reset",
    "solution",
]  # fmt: skip


def record() -> Path:
    """Make your own completion record beside the lessons; see :func:`.home.written.record`."""
    from .home.written import record as make  # only here: lessons that make none need not import what makes it

    return make()


def load_ipython_extension(shell: Any) -> None:
    """Let a notebook know ``%%factory``, and say more of unknown names. Called by ``%load_ext genai4eu.courses``."""
    from . import reminding
    from .factory import magic

    magic.register(shell)
    reminding.register(shell)


def _in_a_notebook() -> Any:
    """Return the notebook's shell, without importing IPython where none is."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


if (_shell := _in_a_notebook()) is not None:
    load_ipython_extension(_shell)
