"""A course: a folder with ``course.toml`` and lesson notebooks in the trainer's version."""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from ..errors import WorkbenchError, together
from .entries import fault

FILE = "course.toml"
_SHAPE = pydantic.ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, str_min_length=1)
#: A language as ``<html lang>`` names it.
Language = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z]{2,3}$")]
#: An extra as pip names it between brackets.
Extra = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Texts = dict[Language, str]
Lists = dict[Language, Annotated[list[str], pydantic.Field(min_length=1)]]


class Lesson(pydantic.BaseModel):
    """One notebook of a course.

    Attributes
    ----------
    file : str
        Its name in the course's folder.
    minutes : int
        What a participant needs for it.
    title : dict of str to str
        By language.
    goals : dict of str to list of str
        What a participant can do afterwards, by language.
    """

    model_config = _SHAPE

    file: Annotated[str, pydantic.StringConstraints(pattern=r"^[\w-][\w. -]*\.ipynb$")]
    minutes: Annotated[int, pydantic.Field(ge=1, le=240, strict=True)]
    title: Texts
    goals: Lists


class Privacy(pydantic.BaseModel):
    """Who answers for participants' data, as the information sheet says; what is left out is filled in by hand.

    Attributes
    ----------
    responsible, contact : str
        The controller, and whom participants ask.
    legal_basis : dict of str to str
        On which basis the data are used, by language.
    """

    model_config = _SHAPE

    responsible: str | None = None
    contact: str | None = None
    legal_basis: Texts = {}


class About(pydantic.BaseModel):
    """What ``course.toml`` says.

    Attributes
    ----------
    title, summary, audience : dict of str to str
        By language.
    version : str
        Of the course, as completion records name it.
    languages : list of str
        The main one first.
    unreviewed : list of str
        Those of them whose texts no speaker has read yet.
    sector, level : str
        Sector, and level of literacy in artificial intelligence.
    topics : dict of str to list of str
        Topics of literacy in artificial intelligence, by language, as completion records name them.
    licence : str
        SPDX identifier.
    requires : list of str
        Extras of genai4eu whose science the lessons import, as ``["health"]``; none for the light base alone.
    lessons : list of Lesson
        In the order of the course.
    privacy : Privacy, optional
        Who answers for participants' data.
    """

    model_config = _SHAPE

    title: Texts
    summary: Texts
    audience: Texts
    version: str
    languages: Annotated[list[Language], pydantic.Field(min_length=1)]
    unreviewed: list[Language] = []
    sector: str
    level: Literal["introductory", "intermediate", "advanced"]
    topics: Lists
    licence: str
    requires: list[Extra] = []
    lessons: Annotated[list[Lesson], pydantic.Field(min_length=1)]
    privacy: Privacy | None = None

    def faults(self) -> list[str]:
        """Return what contradicts itself: a text without one of the languages, a lesson twice."""
        texts: dict[str, dict[str, str] | dict[str, list[str]]] = {
            "title": self.title, "summary": self.summary, "audience": self.audience, "topics": self.topics,
        }  # fmt: skip
        for number, lesson in enumerate(self.lessons, 1):
            texts |= {f"lessons[{number}].title": lesson.title, f"lessons[{number}].goals": lesson.goals}
        if self.privacy and self.privacy.legal_basis:
            texts["privacy.legal_basis"] = self.privacy.legal_basis
        found = [
            f"{FILE}: {where} is not there in {language}: add {where.rpartition('.')[2]}.{language}"
            for where, text in texts.items()
            for language in self.languages
            if language not in text
        ]
        return [*found, *self._twice(), *self._unequal(), *self._unknown()]

    def _twice(self) -> Iterator[str]:
        files = [lesson.file for lesson in self.lessons]
        for what, names in (("lesson", files), ("language", self.languages)):
            for name in dict.fromkeys(name for name in names if names.count(name) > 1):
                yield f"{FILE}: {what} {name} stands twice: leave one out"

    def _unequal(self) -> Iterator[str]:
        """Yield lists that are longer in one language than in another: who reads that one misses something."""
        lists = {"topics": self.topics} | {f"lessons[{n}].goals": one.goals for n, one in enumerate(self.lessons, 1)}
        for where, said in lists.items():
            many = {name: len(said[name]) for name in self.languages if name in said}
            if len(set(many.values())) > 1:
                told = ", ".join(f"{count} in {name}" for name, count in many.items())
                yield f"{FILE}: {where} are not as many in every language ({told}): translate each"

    def _unknown(self) -> Iterator[str]:
        for language in self.unreviewed:
            if language not in self.languages:
                yield f"{FILE}: {language} is unreviewed and not among the languages: add it, or leave it out"
        known = importlib.metadata.metadata("genai4eu").get_all("Provides-Extra") or []
        for extra in self.requires:
            if extra not in known:
                yield f"{FILE}: requires names {extra!r}, which genai4eu has not: it has {', '.join(known)}"


class Course:
    """A course's folder, and what it says of itself.

    Parameters
    ----------
    folder : Path
        With ``course.toml``.

    Raises
    ------
    WorkbenchError
        If there is no course in it, or it contradicts itself; all faults at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.about = _about(self.folder)
        absent = [
            f"{FILE} names the lesson {lesson.file}, which is not there: add it, or leave it out"
            for lesson in self.about.lessons
            if not (self.folder / lesson.file).is_file()
        ]
        if faults := [*self.about.faults(), *absent]:
            raise together(faults, "things in the course")

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def language(self) -> str:
        """The main language, in which the cells themselves are written."""
        return self.about.languages[0]


def _about(folder: Path) -> About:
    try:
        content = tomllib.loads((folder / FILE).read_text(encoding="utf-8-sig"))  # as editors on Windows write it
    except NotADirectoryError:
        raise WorkbenchError(f"{folder} is a file: name the folder that holds {FILE}") from None
    except FileNotFoundError:
        raise WorkbenchError(f"{folder} holds no course: 'genai4eu course new {folder.name}' makes one") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WorkbenchError(f"{folder / FILE} cannot be read: {error}") from None
    try:
        return About.model_validate(content)
    except pydantic.ValidationError as error:
        faults = [f"{FILE}: {fault(e, About)}" for e in error.errors()]
        raise together(faults, "entries of the course") from None
