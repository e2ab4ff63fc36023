"""Courses: lessons that participants work through, checked as they go.

In a lesson::

    from genai4eu.courses import check, help_me, hint, progress, reset

    check("exercise-2")
"""

from .exercise import check, help_me, hint, language, progress, reset

__all__ = ["check", "help_me", "hint", "language", "progress", "reset"]
