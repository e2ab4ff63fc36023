"""A participant's desk: the folder with their lessons, and what is kept aside in it for checks, hints and progress.

Called in the participant's kernel and notebook server; the trainer's board reads the same files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dashboards.pages.language import chosen, translations
from ..errors import WorkbenchError
from ..runs.files import write_text
from . import lines

#: The folder aside, and in it: what the course is, pristine lessons by content, what happened so far.
ASIDE, ABOUT, PRISTINE, HAPPENED = ".course", "course.json", "lessons", "progress.jsonl"
#: Where the language is named that a participant reads.
LANGUAGE = "language"
#: A room's first page keeps it in this cookie, before there is a desk.
COOKIE = "genai4eu-language"
#: Names the desk where a kernel does not stand in it.
VARIABLE = "GENAI4EU_COURSE"
#: Names the room's own copy of the course, which no participant can delete, and which a trainer may bring up to date.
SHARED = "GENAI4EU_COURSE_SHARED"


class NoExercise(WorkbenchError):
    """A name that no exercise has."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows of it: the sentence, and none of our code."""
        return [str(self)]


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
        """What building wrote: the course, and each lesson's exercises. The room's copy comes first.

        Raises
        ------
        WorkbenchError
            If neither the room nor the desk has it.
        """
        for path in self._asides(ABOUT):
            try:
                content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            return content
        raise WorkbenchError(f"{self.folder / ASIDE / ABOUT} is gone or damaged: ask your trainer for the course again")

    @property
    def language(self) -> str:
        """Language in which the participant reads: the one they chose, or the course's main one."""
        languages: list[str] = self.about["course"]["languages"]
        try:
            name = (self.folder / ASIDE / LANGUAGE).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            name = ""
        return name if name in languages else languages[0]

    def read_in(self, language: str) -> None:
        """Read in another of the course's languages from now on.

        Raises
        ------
        WorkbenchError
            If the course does not have it, or the choice cannot be kept.
        """
        known = self.about["course"]["languages"]
        if language not in known:
            raise WorkbenchError(f"this course is in {', '.join(known)}, not in {language!r}")
        try:
            (self.folder / ASIDE).mkdir(exist_ok=True)
            write_text(self.folder / ASIDE / LANGUAGE, language)
        except OSError as error:
            raise _unwritten(error, self.folder / ASIDE / LANGUAGE) from None

    def meet(self, asked: str | None, accepted: str) -> None:
        """Read in the language that a browser wants, unless the participant has chosen one here.

        Parameters
        ----------
        asked : str or None
            What the room's first page was read in.
        accepted : str
            The browser's ``Accept-Language``.
        """
        if (self.folder / ASIDE / LANGUAGE).exists():
            return
        with contextlib.suppress(WorkbenchError):  # on a full disk one reads in the main language
            languages: list[str] = self.about["course"]["languages"]
            self.read_in(name := chosen(asked, accepted, languages))
            if name != languages[0]:
                self.note("language", language=name)  # so that the trainer writes in it

    def exercise(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a lesson and its exercise.

        Raises
        ------
        NoExercise
            If there is none of that name.
        """
        lessons: list[dict[str, Any]] = self.about["lessons"]
        for lesson in lessons:
            for exercise in lesson["exercises"]:
                if exercise["name"] == name:
                    return lesson, exercise
        known = ", ".join(e["name"] for lesson in lessons for e in lesson["exercises"])
        said = translations(self.language).gettext("this course has no exercise '%(name)s': it has %(known)s")
        raise NoExercise(said % {"name": name, "known": known})

    def lesson(self, file: str) -> dict[str, Any]:
        """Return what building wrote of a lesson.

        Raises
        ------
        WorkbenchError
            If the course has none of that name.
        """
        lessons: list[dict[str, Any]] = self.about["lessons"]
        found = next((lesson for lesson in lessons if lesson["file"] == file), None)
        if found is None:
            known = ", ".join(lesson["file"] for lesson in lessons)
            raise WorkbenchError(f"{file or 'this notebook'} is no lesson of this course: it has {known}")
        return found

    def pristine(self, lesson: Mapping[str, Any]) -> bytes:
        """Return a lesson as it was at the beginning, known by its content.

        Raises
        ------
        WorkbenchError
            If nobody has it any more.
        """
        for path in self._asides(f"{PRISTINE}/{lesson['sha256']}.ipynb"):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            if hashlib.sha256(content).hexdigest() == lesson["sha256"]:
                return content
        raise WorkbenchError(f"{lesson['file']} as it was at the beginning is gone: ask your trainer for it")

    def missing(self) -> Iterator[tuple[Path, Path]]:
        """Yield what lessons read and the desk has not, with the room's copy of it; nothing at home."""
        if shared := os.environ.get(SHARED):
            for name, path in course_files(Path(shared)):
                if path.suffix != ".ipynb" and not os.path.lexists(self.folder / name):
                    yield self.folder / name, path

    def note(self, event: str, **more: Any) -> None:
        """Add what happened; a line is written whole, and none is ever changed.

        Raises
        ------
        WorkbenchError
            If it cannot be written, as on a full disk.
        """
        line = json.dumps({"at": round(time.time(), 3), "event": event, **more}, ensure_ascii=False) + "\n"
        path = self.folder / ASIDE / HAPPENED
        try:
            path.parent.mkdir(exist_ok=True)  # a participant may have deleted it
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, line.encode(errors="backslashreplace"))
            finally:
                os.close(handle)
        except OSError as error:
            raise _unwritten(error, path) from None

    def happened(self) -> list[dict[str, Any]]:
        """Return what happened so far, the earliest first; a torn line at the end is none."""
        return lines.read(self.folder / ASIDE / HAPPENED)

    def _asides(self, name: str) -> Iterator[Path]:
        """Yield where something of the course may be."""
        if shared := os.environ.get(SHARED):
            yield Path(shared) / ASIDE / name
        yield self.folder / ASIDE / name


def course_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and place of a course's lessons and of what they read, in the participant's version."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] != ASIDE:
            yield name.as_posix(), path


def here(start: Path | None = None) -> Desk:
    """Return the desk that this process stands in.

    Parameters
    ----------
    start : Path, optional
        Where to look if the environment names none; by default the working directory.

    Raises
    ------
    WorkbenchError
        If it stands in none.
    """
    given = os.environ.get(VARIABLE)
    where = Path(given) if given else start or Path.cwd()
    if given and SHARED in os.environ and where.is_dir():
        return Desk(where)  # a seat of a room, whatever its participant has deleted
    for folder in (where, *where.parents):
        if (folder / ASIDE / ABOUT).is_file():
            return Desk(folder)
    raise WorkbenchError(f"{where} holds no course: open a lesson of one, or build one with 'genai4eu course build'")


def states(desk: Desk, events: list[dict[str, Any]] | None = None) -> dict[str, str]:
    """Return each exercise's state in the order of the course: ``open``, ``trying`` or ``passed``."""
    found = {e["name"]: "open" for lesson in desk.about["lessons"] for e in lesson["exercises"]}
    for event in desk.happened() if events is None else events:
        name = event.get("exercise")
        if not isinstance(name, str) or name not in found:
            continue
        if event["event"] == "passed":
            found[name] = "passed"
        elif found[name] == "open":
            found[name] = "trying"
    return found


def text_in(texts: Mapping[str, str], language: str) -> str:
    """Return a text in a language, or else in the first one it has."""
    return texts.get(language) or next(iter(texts.values()))


def _unwritten(error: OSError, path: Path) -> WorkbenchError:
    return WorkbenchError(f"{path} cannot be written ({error.strerror}): free some space, or ask your trainer")
