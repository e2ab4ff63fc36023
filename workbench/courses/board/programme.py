"""What a room's course offers: its lessons and exercises in their order, in its languages. Read by the board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...dashboards.pages.language import LANGUAGES, SOURCE
from ..desk import ABOUT, ASIDE, Desk, text_in
from ..room.folder import COURSE, Room


@dataclass(frozen=True)
class Part:
    """A lesson of the course.

    Attributes
    ----------
    number : int
        From 1.
    file : str
        Its notebook.
    minutes : int
        What a participant needs for it.
    titles : mapping of str to str
        By language.
    exercises : tuple of str
        Their names.
    """

    number: int
    file: str
    minutes: int
    titles: Mapping[str, str]
    exercises: tuple[str, ...]

    def title(self, language: str) -> str:
        """Return its title."""
        return text_in(self.titles, language)


@dataclass(frozen=True)
class Programme:
    """A course as its participants have it.

    Attributes
    ----------
    about : mapping
        What ``course.toml`` says.
    parts : tuple of Part
        The lessons.
    """

    about: Mapping[str, Any]
    parts: tuple[Part, ...]

    @property
    def languages(self) -> list[str]:
        """The course's languages, the main one first."""
        return list(self.about["languages"])

    @property
    def offered(self) -> tuple[str, ...]:
        """Languages in which the board has words for this course."""
        return tuple(name for name in self.languages if name in LANGUAGES) or (SOURCE,)

    @property
    def exercises(self) -> dict[str, Part]:
        """Every exercise's lesson."""
        return {name: part for part in self.parts for name in part.exercises}

    def title(self, language: str) -> str:
        """Return the course's title."""
        return text_in(self.about["title"], language)

    def part(self, file: str | None) -> Part | None:
        """Return a lesson by its notebook; None where the course has none of that name."""
        return next((part for part in self.parts if part.file == file), None)


class Programmes:
    """A room's course, read again once the trainer has changed it.

    Parameters
    ----------
    room : Room
        Whose copy of the course is read.
    """

    def __init__(self, room: Room) -> None:
        self._desk = Desk(room.folder / COURSE)
        self._known: Programme | None = None
        self._mark = (0, 0)

    def now(self) -> Programme:
        """Return the course as it is now."""
        about = (self._desk.folder / ASIDE / ABOUT).stat()
        if self._known is None or self._mark != (about.st_mtime_ns, about.st_ino):
            self._known = programme(self._desk)
            self._mark = (about.st_mtime_ns, about.st_ino)
        return self._known


def programme(desk: Desk) -> Programme:
    """Return what a folder with a built course offers."""
    content = desk.about
    exercises = {lesson["file"]: tuple(e["name"] for e in lesson["exercises"]) for lesson in content["lessons"]}
    parts = tuple(
        Part(number, told["file"], told["minutes"], told["title"], exercises[told["file"]])
        for number, told in enumerate(content["course"]["lessons"], 1)
    )
    return Programme(content["course"], parts)
