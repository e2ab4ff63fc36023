"""A room in the middle of a course, with all that can stand on a board. Called by the tests of the board."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

from genai4eu.courses.board.diary import Diary
from genai4eu.courses.build import build, solutions
from genai4eu.courses.course import Course
from genai4eu.courses.room.codes import digest
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.room import make

LANGUAGES = ("en", "nl", "de", "fr")
#: Title, minutes and number of exercises of each lesson.
LESSONS = (("Why scanners disagree", 15, 3), ("A baseline", 20, 4), ("A flow model", 25, 3))
MINUTE = 60.0


def course(folder: Path) -> Path:
    """Write a course of three lessons with ten exercises."""
    folder.mkdir(parents=True)
    numbers = iter(range(1, 100))
    toml = [_texts("title", "Generative AI for medical imaging"), _texts("summary", "s"), _texts("audience", "a")]
    toml.append("[topics]\n" + "".join(f'{name} = ["t"]\n' for name in LANGUAGES))
    for place, (title, minutes, many) in enumerate(LESSONS, 1):
        file = f"lesson-{place}.ipynb"
        nbformat.write(_lesson(title, [f"exercise-{next(numbers)}" for _ in range(many)]), folder / file)
        goals = "".join(f'{name} = ["g"]\n' for name in LANGUAGES)
        toml.append(
            f'[[lessons]]\nfile = "{file}"\nminutes = {minutes}\n'
            f"{_texts('lessons.title', title)}[lessons.goals]\n{goals}"
        )
    head = f'version = "1.0"\nlanguages = {json.dumps(LANGUAGES)}\nsector = "health"\nlevel = "introductory"\n'
    (folder / "course.toml").write_text(f'{head}licence = "CC-BY-4.0"\n{"".join(toml)}', encoding="utf-8")
    return folder


def _texts(name: str, text: str) -> str:
    return f"[{name}]\n" + "".join(f'{language} = "{text}"\n' for language in LANGUAGES)


def _lesson(title: str, exercises: list[str]) -> Any:
    cells = [v4.new_markdown_cell(f"# {title}")]
    for name in exercises:
        hint = v4.new_markdown_cell("Look again.", metadata={"tags": ["hint"]})
        solution = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"
        tests = f'check("{name}")\n### BEGIN HIDDEN TESTS\nassert x == 1, "no"\n### END HIDDEN TESTS'
        cells += [v4.new_code_cell(solution), v4.new_code_cell(tests), hint]
    kernel = {"name": "genai4eu", "display_name": "GenAI4EU (warm)", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def built(folder: Path) -> tuple[Path, dict[str, str]]:
    """Build that course, and return its lessons for participants and its solutions."""
    found = Course(course(folder / "imaging"))
    return build(found, folder / "built" / "imaging"), solutions(found)


def room(
    folder: Path, seats: int, lessons: Path, solved: dict[str, str], port: int = 8000
) -> tuple[Room, dict[str, str]]:
    """Make a room for that course, which began an hour ago."""
    made, codes = make(folder / "room", lessons, "lesson-1.ipynb", seats, "127.0.0.1", "localhost", port, solved)
    about = {**made.about, "began": time.time() - 60 * MINUTE}
    (made.folder / "room.json").write_text(json.dumps(about))
    return made, codes


def tell(room: Room, seat: str, *events: dict[str, Any]) -> None:
    """Let a seat tell what happened; ``ago`` is in minutes."""
    path = room.home(seat) / ".course" / "progress.jsonl"
    with path.open("a", encoding="utf-8") as file:
        for event in events:
            at = time.time() - event.pop("ago", 0) * MINUTE
            file.write(json.dumps({"at": at, **event}) + "\n")


def take(room: Room, codes: dict[str, str], seats: list[str]) -> None:
    """Let participants come: their codes are used."""
    path = room.folder / "codes.json"
    known = json.loads(path.read_text())
    for seat in seats:
        known[digest(codes[seat])]["used"] = time.time()
    path.write_text(json.dumps(known))


def _stay(room: Room, seat: str, lesson: str, since: float, until: float = 0) -> None:
    """Let a lesson be at the front: its toolbar tells so every minute."""
    minutes = int(since - until)
    tell(room, seat, *({"ago": since - minute, "event": "opened", "lesson": lesson} for minute in range(minutes + 1)))


def lively(room: Room, codes: dict[str, str]) -> None:
    """Put the room into the middle of its second lesson: some ahead, some behind, two hands up, one stuck."""
    seats = room.seats
    take(room, codes, seats[:-2])
    for number, seat in enumerate(seats[:-2]):
        ahead = (number * 7) % 5
        _stay(room, seat, "lesson-1.ipynb", 38, 15 if number != 3 else 0)
        tell(room, seat, {"ago": 37, "event": "language", "language": LANGUAGES[(number * 3) % 4]})
        for exercise in range(1, 4 if number != 3 else 3):
            tell(room, seat, {"ago": 30, "event": "tried", "exercise": f"exercise-{exercise}"})
            tell(room, seat, {"ago": 26, "event": "passed", "exercise": f"exercise-{exercise}"})
        if number != 3:
            _stay(room, seat, "lesson-2.ipynb", 14 - number / 3)
        for exercise in range(4, 4 + min(ahead, 4)) if number != 3 else ():
            tell(room, seat, {"ago": 5, "event": "passed", "exercise": f"exercise-{exercise}"})
        if ahead < 4 and number not in (3, 5):
            tries = [{"ago": 4, "event": "tried", "exercise": f"exercise-{4 + ahead}"}] * (number % 4)
            tell(room, seat, *[dict(one) for one in tries])
    tell(room, seats[3], *[{"ago": 3, "event": "tried", "exercise": "exercise-3"} for _ in range(7)])
    tell(room, seats[6], {"ago": 9, "event": "hand", "exercise": "exercise-6"})
    tell(room, seats[11], {"ago": 2, "event": "hand"})
    diary = Diary(room)
    diary.add("open", seat=None, lesson="lesson-2.ipynb")
    diary.add("name", seat=seats[1], name="Anna")
