"""A participant's desk: the folder with their lessons, and what is kept aside in it for checks, hints and progress.

Called in the participant's kernel; the trainer's board reads the same files.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError

#: The folder aside, and in it: what the course is, pristine lessons by content, what happened so far.
ASIDE, ABOUT, PRISTINE, HAPPENED = ".course", "course.json", "lessons", "progress.jsonl"
#: Where the language is named that a participant reads.
LANGUAGE = "language"
#: Names the desk where a kernel does not stand in it.
VARIABLE = "GENAI4EU_COURSE"


@dataclass(frozen=True)
class Desk:
    """A folder with lessons in the participant's version.

    Attributes
    ----------
    folder : Path
        Where they are.
    """

    folder: Path

    @property
    def about(self) -> dict[str, Any]:
        """What building wrote: the course, and each lesson's exercises."""
        content: dict[str, Any] = json.loads((self.folder / ASIDE / ABOUT).read_text(encoding="utf-8"))
        return content

    @property
    def language(self) -> str:
        """Language in which the participant reads: the one they chose, or the course's main one."""
        languages: list[str] = self.about["course"]["languages"]
        chosen = self.folder / ASIDE / LANGUAGE
        name = chosen.read_text(encoding="utf-8").strip() if chosen.exists() else ""
        return name if name in languages else languages[0]

    def exercise(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a lesson and its exercise.

        Raises
        ------
        WorkbenchError
            If there is none of that name.
        """
        lessons: list[dict[str, Any]] = self.about["lessons"]
        for lesson in lessons:
            for exercise in lesson["exercises"]:
                if exercise["name"] == name:
                    return lesson, exercise
        known = ", ".join(e["name"] for lesson in lessons for e in lesson["exercises"])
        raise WorkbenchError(f"this course has no exercise {name!r}: it has {known}")

    def note(self, event: str, **more: Any) -> None:
        """Add what happened; a line is written whole, and none is ever changed."""
        line = json.dumps({"at": round(time.time(), 3), "event": event, **more}, ensure_ascii=False) + "\n"
        handle = os.open(self.folder / ASIDE / HAPPENED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def happened(self) -> list[dict[str, Any]]:
        """Return what happened so far, the earliest first; a torn line at the end is none."""
        path = self.folder / ASIDE / HAPPENED
        found: list[dict[str, Any]] = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                found.append(event)
        return found


def here() -> Desk:
    """Return the desk that this process stands in.

    Raises
    ------
    WorkbenchError
        If it stands in none.
    """
    given = os.environ.get(VARIABLE)
    start = Path(given) if given else Path.cwd()
    for folder in (start, *start.parents):
        if (folder / ASIDE / ABOUT).is_file():
            return Desk(folder)
    raise WorkbenchError(f"{start} holds no course: open a lesson of one, or build one with 'genai4eu course build'")


def states(desk: Desk, events: list[dict[str, Any]] | None = None) -> dict[str, str]:
    """Return each exercise's state in the order of the course: ``open``, ``trying`` or ``passed``."""
    found = {e["name"]: "open" for lesson in desk.about["lessons"] for e in lesson["exercises"]}
    for event in desk.happened() if events is None else events:
        name = event.get("exercise")
        if name not in found:
            continue
        if event["event"] == "passed":
            found[name] = "passed"
        elif found[name] == "open":
            found[name] = "trying"
    return found


def text_in(texts: Mapping[str, str], language: str) -> str:
    """Return a text in a language, or else in the first one it has."""
    return texts.get(language) or next(iter(texts.values()))
