"""What a participant gets for an attempt: words, hints at their time, a clean notebook with nothing lost."""

from __future__ import annotations

import json
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest

from genai4eu.courses import (
    check,
    exercise,
    help_me,
    hint,
    language,
    news,
    progress,
    reminding,
    reset,
    showing,
    solution,
)
from genai4eu.courses.checking import look
from genai4eu.courses.desk import ASIDE, HAPPENED, LANGUAGE, PRISTINE, SHARED, VARIABLE, Desk, here, states
from genai4eu.courses.resetting import reset as give_back
from genai4eu.courses.standing import AWAY, looking, raised, spent
from genai4eu.errors import WorkbenchError


class Notebook:
    """Stands for the kernel: variables, what was executed, what was shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.space: dict[str, Any] = {"values": [2, 3, 2, 4, 40]}
        self.inputs: list[str] = []
        self.shown: list[dict[str, Any]] = []
        monkeypatch.setattr(exercise, "_space", lambda: dict(self.space))
        monkeypatch.setattr(exercise, "_inputs", lambda: self.inputs)
        monkeypatch.setattr(reminding, "_errors", [])
        monkeypatch.setattr("IPython.display.display", lambda data, raw: self.shown.append(data))

    def execute(self, code: str) -> None:
        """Execute a cell."""
        exec(code, self.space)
        self.inputs.append(code)

    @property
    def last(self) -> str:
        """What was shown last, as HTML."""
        return str(self.shown[-1]["text/html"])


@pytest.fixture
def notebook(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    return Notebook(monkeypatch)


def test_an_attempt_is_answered_in_words(notebook: Notebook, desk: Desk) -> None:
    check("exercise-1")
    assert "There is no “middle” yet" in notebook.last
    assert states(desk) == {"exercise-1": "trying"}
    notebook.execute("middle = sum(values) / len(values)")
    check("exercise-1")
    assert "That is the mean" in notebook.last
    assert "0 of 1 exercise is right" in notebook.last
    notebook.execute("middle = 3")
    check("exercise-1")
    assert "Right." in notebook.last
    assert "1 of 1 exercise is right" in notebook.last
    assert notebook.shown[-1][showing.MIME]["passed"] is True
    assert states(desk) == {"exercise-1": "passed"}
    assert "mean" not in notebook.space, "what the check assigns stays in the check"


def test_hints_come_when_asked_for_or_after_honest_attempts(notebook: Notebook, desk: Desk) -> None:
    for _ in range(9):  # the same again is no attempt
        check("exercise-1")
    assert not any("Hint" in str(shown) for shown in notebook.shown)
    for value in (10, 20):  # with the first one of all, three honest attempts
        notebook.execute(f"middle = {value}")
        check("exercise-1")
    assert "Hint 1 of 2" in notebook.last
    assert "<code>sorted(values)</code>" in notebook.last
    hint("exercise-1")
    assert "Hint 2 of 2" in notebook.last
    hint("exercise-1")
    assert "Hint 2 of 2" in notebook.last
    assert sum(event["event"] == "hint" for event in desk.happened()) == 2


def test_a_raised_hand_is_noted(
    notebook: Notebook, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    help_me("exercise-1")  # at home
    assert "nobody sees a raised hand" in notebook.last
    assert desk.happened() == []
    monkeypatch.setenv(news.VARIABLE, str(tmp_path / "news.jsonl"))
    help_me("exercise-1")
    assert desk.happened()[-1]["event"] == "hand"
    assert "the trainer sees it" in notebook.last
    progress()
    assert "The mean hides" in notebook.last
    for wrong in (check, hint, help_me):
        with pytest.raises(WorkbenchError, match="no exercise 'exercise-9': it has exercise-1"):
            wrong("exercise-9")


def test_who_is_stuck_is_told_what_to_execute(
    notebook: Notebook, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check("exercise-1")
    assert "<code>hint(&quot;exercise-1&quot;)</code> for a hint; there are 2" in notebook.last
    assert "help_me" not in notebook.last, "at home nobody comes"
    assert notebook.shown[-1]["text/plain"].splitlines()[0] == "Not yet."
    hint("exercise-1")
    file = tmp_path / "news.jsonl"
    monkeypatch.setenv(news.VARIABLE, str(file))
    check("exercise-1")
    assert "there is 1" in notebook.last
    assert "<code>help_me(&quot;exercise-1&quot;)</code>" in notebook.last
    solution("exercise-1")
    assert "has not been given" in notebook.last
    file.write_text('{"id": 1, "at": 1, "event": "solution", "exercise": "exercise-1", "code": "middle = 3 < 4"}\n')
    check("exercise-1")
    assert "<code>solution(&quot;exercise-1&quot;)</code>" in notebook.last
    solution("exercise-1")
    assert "<code>middle = 3 &lt; 4</code>" in notebook.last
    assert desk.happened()[-1]["event"] == "solution-shown"


def test_a_full_disk_keeps_nobody_from_knowing_what_is_right(notebook: Notebook, desk: Desk) -> None:
    (desk.folder / ASIDE / HAPPENED).mkdir()
    notebook.execute("middle = 3")
    check("exercise-1")
    assert "Right." in notebook.shown[-2]["text/html"]
    assert "could not be noted" in notebook.last


def test_words_are_the_participants(notebook: Notebook, desk: Desk) -> None:
    (desk.folder / ASIDE / LANGUAGE).write_text("nl")
    check("exercise-1")
    assert "Nog niet." in notebook.last
    (desk.folder / ASIDE / LANGUAGE).write_text("it")  # not a language of the course
    assert desk.language == "en"
    told = look("e", 'assert False, {"en": "no", "nl": "nee"}', {}, "nl")
    assert told.sentence == "nee"


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("assert False", "not what the exercise asks for"),
        ("1 / 0", "stopped the check with ZeroDivisionError: division by zero"),
        ("assert [] == 1, 'x <script>'", "x <script>"),
        ("import sys\nsys.exit(3)", "Your code ends the program"),
        ("class Own:\n    def __eq__(self, other):\n        raise SystemExit\nassert Own() == 1", "ends the program"),
    ],
)
def test_whatever_a_check_meets_becomes_a_sentence(tests: str, said: str) -> None:
    verdict = look("e", tests, {}, "en")
    assert not verdict.passed
    assert said in verdict.sentence
    assert "<script>" not in showing.failed(verdict.sentence, "en")


def test_reset_gives_the_lesson_back_and_keeps_what_was_there(
    notebook: Notebook, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = desk.folder / "lesson-1.ipynb"
    pristine = own.read_bytes()
    for number in range(3):
        own.write_text(f"spoilt {number}")
        reset("lesson-1.ipynb")
        assert own.read_bytes() == pristine
        (kept,) = {path for path in desk.folder.glob("lesson-1 (*).ipynb") if path.name in notebook.last}
        assert kept.read_text() == f"spoilt {number}"
        assert "Reload Notebook from Disk" in notebook.last
    assert len(list(desk.folder.glob("lesson-1 (*).ipynb"))) == 3
    own.unlink()
    monkeypatch.setenv("JPY_SESSION_NAME", str(own))
    reset()
    assert own.read_bytes() == pristine
    with pytest.raises(WorkbenchError, match=r"mine.ipynb is no lesson of this course: it has lesson-1.ipynb"):
        reset("mine.ipynb")


def test_reset_gives_back_what_lessons_read(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "room"
    shutil.copytree(desk.folder, room)
    (room / "material").mkdir()
    (room / "material" / "values.csv").write_text("2,3")
    monkeypatch.setenv(SHARED, str(room))
    reset("lesson-1.ipynb")
    assert (desk.folder / "material" / "values.csv").read_text() == "2,3"
    (desk.folder / "material" / "values.csv").write_text("mine")
    reset("lesson-1.ipynb")
    assert (desk.folder / "material" / "values.csv").read_text() == "mine"


def test_a_full_disk_loses_nothing(desk: Desk) -> None:
    own = desk.folder / "lesson-1.ipynb"
    own.write_text("mine")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))  # no file grows longer
    try:
        with pytest.raises(WorkbenchError, match="nothing was changed"):
            reset("lesson-1.ipynb")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert own.read_text() == "mine"
    assert {path.name for path in desk.folder.iterdir()} == {ASIDE, "lesson-1.ipynb"}
    assert desk.happened() == []


def test_a_lesson_that_became_a_folder_or_a_link_is_kept_as_it_is(desk: Desk, tmp_path: Path) -> None:
    own = desk.folder / "lesson-1.ipynb"
    pristine = own.read_bytes()
    (tmp_path / "elsewhere").write_text("elsewhere")
    own.unlink()
    own.symlink_to(tmp_path / "elsewhere")
    first = give_back(desk, "lesson-1.ipynb")
    assert first is not None and first.is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "elsewhere"
    own.unlink()
    (own / "inner").mkdir(parents=True)
    second = give_back(desk, "lesson-1.ipynb")
    assert second is not None and (second / "inner").is_dir()
    assert own.read_bytes() == pristine
    (desk.folder / "below").mkdir()
    with pytest.raises(WorkbenchError, match="is no lesson"):
        reset("below/lesson-1.ipynb")


def test_the_rooms_copy_stands_in_for_what_is_gone(
    notebook: Notebook, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(desk.folder, tmp_path / "shared")
    shutil.rmtree(desk.folder / ASIDE)
    with pytest.raises(WorkbenchError, match="holds no course"):
        here()
    monkeypatch.setenv(VARIABLE, str(desk.folder))
    monkeypatch.setenv(SHARED, str(tmp_path / "shared"))
    notebook.execute("middle = 3")
    check("exercise-1")
    assert "Right." in notebook.last
    assert states(here()) == {"exercise-1": "passed"}
    language("nl")
    assert here().language == "nl"
    (tmp_path / "shared" / ASIDE / PRISTINE / f"{desk.about['lessons'][0]['sha256']}.ipynb").write_text("forged")
    with pytest.raises(WorkbenchError, match="as it was at the beginning is gone"):
        reset("lesson-1.ipynb")


def test_where_a_participant_stands_follows_from_what_happened() -> None:
    def at(second: float, event: str, **more: Any) -> dict[str, Any]:
        return {"at": second, "event": event, **more}

    hand = at(1, "hand", exercise="a")
    assert raised([hand, at(2, "passed", exercise="b")]) == hand
    assert raised([hand, at(2, "passed", exercise="a")]) is None
    assert raised([at(1, "hand"), at(2, "passed", exercise="b")]) is None
    assert raised([hand], [at(2, "hand-down")]) is None
    assert raised([hand, at(3, "hand")], [at(2, "hand-down")]) == at(3, "hand")
    opened = [at(0, "opened", lesson="1"), at(60, "opened", lesson="1"), at(100, "opened", lesson="2")]
    assert spent([*opened, at(10_000, "tried")]) == {"1": 100, "2": AWAY}


def test_a_look_is_over_with_its_minutes_or_when_the_participant_ends_it() -> None:
    asked = [{"id": 3, "at": 0, "event": "ask-look", "minutes": 5}]
    yes = {"id": 3, "at": 100, "event": "consent", "answer": True}
    assert looking([], asked, 10) is None
    assert looking([yes], asked, 299) == {"id": 3, "until": 300}
    assert looking([yes], asked, 301) is None
    assert looking([yes, {**yes, "answer": False}], asked, 200) is None
    assert looking([{**yes, "answer": "yes"}, {**yes, "id": 4}], asked, 200) is None


def test_a_torn_line_and_nonsense_lose_no_progress(desk: Desk) -> None:
    desk.note("passed", exercise="exercise-1")
    with (desk.folder / ASIDE / HAPPENED).open("a") as file:
        file.write('[1]\n{"at": 1, "ev')
    assert [event["event"] for event in desk.happened()] == ["passed"]
    assert states(desk) == {"exercise-1": "passed"}


def test_who_stands_in_no_course_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkbenchError, match="holds no course"):
        here()


def test_a_desk_is_found_from_below(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.folder / "data" / "deep").mkdir(parents=True)
    monkeypatch.chdir(desk.folder / "data" / "deep")
    assert here() == desk
    assert json.loads(json.dumps(here().about)) == desk.about


def test_after_an_error_a_check_says_that_it_looks_at_what_was_before(notebook: Notebook, desk: Desk) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    reminding.register(shell)
    reminding.register(shell)
    notebook.execute("middle = sum(values) / len(values)")
    shell.run_cell("1 / 0")
    check("exercise-1")
    assert "Your last cell stopped with ZeroDivisionError" in notebook.last
    assert "That is the mean" in notebook.last
    assert "ZeroDivisionError" in notebook.shown[-1]["text/plain"]
    shell.run_cell("check('exercise-1')")  # asks, and is no attempt
    check("exercise-1")
    assert "ZeroDivisionError" in notebook.last
    shell.run_cell("(")
    check("exercise-1")
    assert "stopped with SyntaxError" in notebook.last
    shell.run_cell("1")
    check("exercise-1")
    assert "stopped" not in notebook.last


def test_an_unknown_name_is_answered_once_with_what_to_execute(
    notebook: Notebook, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    reminding.register(shell)
    reminding.register(shell)
    shell.run_cell("check_me('exercise-1')")
    assert len(notebook.shown) == 1
    assert "Nothing is called “check_me” here yet" in notebook.last
    language("nl")
    shell.run_cell("tussen")
    assert "tussen" in notebook.last and "Run All Above Selected Cell" in notebook.last
    assert "Nothing is called" not in notebook.last
    shell.run_cell("def f():\n    x = y1\n    y1 = 2\nf()")  # a fault of the code, not of the order
    monkeypatch.chdir(tmp_path)
    shell.run_cell("elsewhere")
    assert len(notebook.shown) == 2


def test_a_name_that_no_exercise_has_is_told_in_one_sentence(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell(user_ns={"check": check}).run_cell("check('exercise-9')")
    assert capsys.readouterr().out.strip() == "this course has no exercise 'exercise-9': it has exercise-1"
