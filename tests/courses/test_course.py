"""A course's folder: what it says of itself, what contradicts itself, what participants get of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from typer.testing import CliRunner

from genai4eu.cli import app
from genai4eu.courses.build import build
from genai4eu.courses.course import Course
from genai4eu.courses.desk import ABOUT, ASIDE, PRISTINE
from genai4eu.courses.example import WORDS
from genai4eu.courses.lesson import exercises, read
from genai4eu.courses.review import read_through, review
from genai4eu.courses.skeleton import make
from genai4eu.errors import WorkbenchError

Change = Callable[[Callable[[Any], None]], Course]


def test_participants_get_no_solution_no_hidden_check_and_no_hint(folder: Path, tmp_path: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text("1\n")
    (folder / "data" / "template.ipynb").write_text("{}")
    (folder / "draft.ipynb").write_text("the trainer's own")
    made = build(Course(folder), tmp_path / "desk")
    text = (made / "lesson-1.ipynb").read_text("utf-8")
    for kept in ("BEGIN", "sorted(values)", "pulls it up", "Python counts from 0"):
        assert kept in (folder / "lesson-1.ipynb").read_text("utf-8")
        assert kept not in text
    assert "YOUR CODE HERE" in text
    assert 'check(\\"exercise-1\\")' in text
    assert (made / "data" / "a.csv").read_text() == "1\n"
    assert (made / "data" / "template.ipynb").exists()
    assert not (made / "course.toml").exists()
    assert not (made / "draft.ipynb").exists()
    (about,) = json.loads((made / ASIDE / ABOUT).read_text("utf-8"))["lessons"]
    pristine = (made / ASIDE / PRISTINE / f"{about['sha256']}.ipynb").read_bytes()
    assert hashlib.sha256(pristine).hexdigest() == about["sha256"]
    assert pristine.decode() == text
    assert [len(e["hints"]) for e in about["exercises"]] == [2]


def test_building_again_replaces_the_course_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    out = build(Course(folder), tmp_path / "desk")
    (out / "left.txt").write_text("of the version before")
    assert build(Course(folder), out) == out
    assert not (out / "left.txt").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    with pytest.raises(WorkbenchError, match="no participants' version of a course"):
        build(Course(folder), other)
    assert (other / "mine.txt").read_text() == "mine"
    assert {p.name for p in tmp_path.iterdir()} == {"mean", "desk", "other"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('languages = ["en", "nl"]', 'languages = ["en", "nl", "de"]', "title is not there in de"),
        ("minutes = 10", "minutes = 0", "minutes"),
        ('file = "lesson-1.ipynb"', 'file = "../lesson-1.ipynb"', "file"),
        ('file = "lesson-1.ipynb"', 'file = "lesson-2.ipynb"', "names the lesson lesson-2.ipynb, which is not there"),
        ("unreviewed = []", 'unreviewed = ["fr"]', "fr is unreviewed and not among the languages"),
        ("requires = []", 'requires = ["health, torch"]', r"requires\[1\]"),
        ("requires = []", 'requires = ["helth"]', "requires names 'helth', which genai4eu has not"),
        ('version = "0.1"', "version = 0.1", "version is a text: write it between quotes"),
        ('version = "0.1"', 'version = "0.1"\nlevl = 1', "levl is not known: perhaps level"),
        ('"introductory"', '"guru"', "level is 'guru': input should be 'introductory'"),
        ("minutes = 10", "minutes = true", r"lessons\[1\].minutes is a whole number"),
        ("minutes = 10", "minuts = 10", r"lessons\[1\].minuts is not known: perhaps minutes"),
        ('languages = ["en", "nl"]', 'languages = ["en", "nl", "nl"]', "language nl stands twice"),
        ('languages = ["en", "nl"]', 'languages = ["english"]', r"languages\[1\] is no language"),
        (
            'en = ["say why a mean alone misleads"]',
            'en = ["say why", "say how"]',
            r"\(2 in en, 1 in nl\): translate each",
        ),
        ("[title]", "[title", "cannot be read"),
    ],
)
def test_a_course_that_contradicts_itself_is_told_so(
    tell: Callable[[str, str], Path], old: str, new: str, said: str
) -> None:
    with pytest.raises(WorkbenchError, match=said):
        Course(tell(old, new))


def test_what_is_no_course_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="holds no course"):
        Course(tmp_path)
    with pytest.raises(WorkbenchError, match="is no language"):
        make(tmp_path / "new", ("xx-nonsense",))
    (tmp_path / "a").write_text("there")
    with pytest.raises(WorkbenchError, match="is there already"):
        make(tmp_path, ("en",))


def test_exercises_are_found_with_what_belongs_to_them(folder: Path) -> None:
    (found,) = exercises(read(folder / "lesson-1.ipynb"), "en")
    assert (found.name, found.cell, found.solved) == ("exercise-1", 4, [3])
    assert "assert middle == 3" in found.tests
    assert [set(hint) for hint in found.hints] == [{"en", "nl"}] * 2


def _without_hints(notebook: Any) -> None:
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("tags")]


def _source(number: int, text: str) -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        notebook.cells[number].source = text

    return change


def _added(text: str, dutch: str = "tekst") -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        cell = nbformat.v4.new_markdown_cell(text, metadata={"genai4eu": {"text": {"nl": dutch}}})
        notebook.cells.append(cell)

    return change


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (_without_hints, "exercise-1 has no hint"),
        (_source(3, "middle = 3"), "exercise-1 has no solution"),
        (_source(4, 'check("exercise-1")'), "has nothing that checks it"),
        (_source(4, 'check("Exercise 1")'), "is no name of an exercise"),
        (
            _source(4, 'check("exercise-1")\n### BEGIN HIDDEN TESTS\nassert middle == 3\n### END HIDDEN TESTS'),
            "line 1 of the check of exercise-1 says nothing when it fails",
        ),
        (
            _source(4, 'check("exercise-1")\n### BEGIN HIDDEN TESTS\nassert middle == 3, "no"\n### END HIDDEN TESTS'),
            "cell 5: line 1 of the check of exercise-1 speaks one language",
        ),
        (_source(0, "no title"), "has no title"),
        (_source(1, 'questions("none")'), "none is no file of questions beside the lessons"),
        (_added("What is left as it was.", "What is left as it was."), "the same in en and nl: not translated yet"),
        (_added("[more](https://example.org)"), "needs the internet"),
        (_added("[more](none.csv)"), "leads nowhere"),
        (_added("write to ann@uni.eu"), "names the address ann@uni.eu"),
        (_added("call +49 30 1234 5678"), "looks like a telephone number"),
        (_added("ghp_" + "a" * 36), "looks like a token of GitHub"),
        (lambda notebook: notebook.cells[0].metadata.pop("genai4eu"), "its text is not there in nl"),
    ],
)
def test_what_a_lesson_lacks_is_said_before_anything_is_executed(change: Change, how: Any, said: str) -> None:
    (found,) = review(change(how))
    assert said in "\n".join(found.faults)
    assert found.seconds == 0


def test_an_address_that_can_be_read_is_no_link_that_needs_the_internet(change: Change) -> None:
    from genai4eu.courses import texts

    course = change(_added("<https://doi.org/10.1000/1>, [here](lesson-1.ipynb), [down](#exercise-1), a@example.org"))
    assert list(texts.faults(course, read(course.folder / "lesson-1.ipynb"))) == []


def test_what_is_the_same_in_every_language_needs_no_translation(change: Callable[..., Course]) -> None:
    from genai4eu.courses import texts

    for same in ("## Python", "`sorted(values)` and `min(values)`", "```python\nvalues are here and there\n```"):
        course = change(_added(same, same))
        assert list(texts.faults(course, read(course.folder / "lesson-1.ipynb"))) == [], same


@pytest.mark.parametrize("languages", [("en",), ("en", "nl"), ("nl", "de"), ("fr", "en", "nl", "de")])
def test_a_new_course_is_complete_in_its_languages(tmp_path: Path, languages: tuple[str, ...]) -> None:
    course = Course(make(tmp_path / "new", languages))
    notebook = read(course.folder / "lesson-1.ipynb")
    assert read_through(course, notebook) == []
    assert course.about.title[languages[0]] == WORDS[languages[0]]["title"]
    assert notebook.cells[0].source.startswith(f"# {WORDS[languages[0]]['lesson']}")
    assert len({tuple(goals) for goals in course.about.lessons[0].goals.values()}) == len(languages)


def test_a_new_course_says_what_is_to_be_translated(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["course", "new", str(tmp_path / "new"), "--languages", "nl,it,nl"])
    assert "to be translated, in the lesson and in course.toml, where it is English: it\n" in told.stdout
    course = Course(tmp_path / "new")
    found = read_through(course, read(course.folder / "lesson-1.ipynb"))
    assert len(found) == 7  # five texts and two messages
    assert all("not there in it" in fault for fault in found)
    main = Course(make(tmp_path / "main", ("it", "en")))
    found = read_through(main, read(main.folder / "lesson-1.ipynb"))
    assert len(found) == 7
    assert all("the same in it and en: not translated yet" in fault for fault in found)
    silent = CliRunner().invoke(app, ["course", "new", str(tmp_path / "known"), "--languages", "en,nl"])
    assert "translated" not in silent.stdout


@pytest.mark.slow
def test_a_course_is_executed_with_and_without_its_solutions(change: Change) -> None:
    (good,) = review(change(lambda _: None))
    assert good.faults == []
    assert good.exercises == 1
    assert good.seconds > 0
    (wrong,) = review(change(_source(3, "### BEGIN SOLUTION\nmiddle = 40\n### END SOLUTION")))
    assert "the solution of exercise-1 does not pass its own check: Sort the values first" in "\n".join(wrong.faults)
    (open_,) = review(change(_source(3, "middle = 3\n### BEGIN SOLUTION\nmiddle = 3\n### END SOLUTION")))
    assert any("passes without a solution" in fault for fault in open_.faults)


def test_the_legal_basis_stands_in_every_language(tell: Callable[[str, str], Path]) -> None:
    folder = tell("[title]", '[privacy]\nresponsible = "Hub"\n[privacy.legal_basis]\nen = "consent"\n[title]')
    with pytest.raises(WorkbenchError, match=r"privacy.legal_basis is not there in nl"):
        Course(folder)


def test_a_course_written_on_windows_is_read(tell: Callable[[str, str], Path]) -> None:
    folder = tell('version = "0.1"', 'version = "0.2"')
    (folder / "course.toml").write_bytes(b"\xef\xbb\xbf" + (folder / "course.toml").read_bytes())
    assert Course(folder).about.version == "0.2"


def test_a_course_is_not_made_where_none_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("there")
    with pytest.raises(WorkbenchError, match=r"cannot be made \(Not a directory\)"):
        make(tmp_path / "file" / "mine", ("en",))
    with pytest.raises(WorkbenchError, match="is a file: name the folder"):
        Course(tmp_path / "file")
