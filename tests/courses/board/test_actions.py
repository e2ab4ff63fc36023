"""What the trainer does: it reaches the seats, once, and is written down."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from typing import Any

import pytest

from genai4eu.courses import journal
from genai4eu.courses.board.diary import Diary
from genai4eu.courses.room.codes import digest
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.news import told
from genai4eu.errors import WorkbenchError

from . import stage


@pytest.fixture
def act(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Do something on the board; each call is a click of its own unless it names one."""
    clicks = iter(range(1000))

    def acted(what: str, /, **more: Any) -> Any:
        return ask("api/act", json={"act": what, "once": f"click-{next(clicks):04}", **more}).json()

    return acted


def _events(room: Room, seat: str) -> list[str]:
    return [news["event"] for news in told(room, seat)]


def test_a_message_reaches_every_seat_in_its_languages(few: Room, act: Callable[..., Any]) -> None:
    said = act("message", text={"en": "Coffee <b>now</b>", "nl": "Koffie", "de": "  "})
    assert said["said"] == "The message is sent to everybody."
    for seat in few.seats:
        assert told(few, seat)[-1]["text"] == {"en": "Coffee <b>now</b>", "nl": "Koffie"}


def test_a_message_to_one_is_for_nobody_else(few: Room, act: Callable[..., Any]) -> None:
    assert act("message", seat="seat-02", text={"en": "Well done"})["said"] == "The message is sent to Seat 2."
    assert [_events(few, seat) for seat in few.seats] == [[], ["message"], []]


def test_a_double_click_does_it_once(few: Room, act: Callable[..., Any]) -> None:
    threads = [threading.Thread(target=act, args=("message",), kwargs={"once": "the-same-click", "text": {"en": "x"}})
               for _ in range(4)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _events(few, "seat-01") == ["message"]


def test_a_click_is_known_after_the_board_was_started_again(
    few: Room, serve: Callable[[Room], Any], act: Callable[..., Any]
) -> None:
    act("open", lesson="lesson-2.ipynb", once="the-same-click")
    again = serve(few).board.actions
    assert again.do({"act": "open", "lesson": "lesson-2.ipynb", "once": "the-same-click"}, "nl").said
    assert _events(few, "seat-01") == ["open"]


def test_the_solution_goes_to_all_and_not_twice(few: Room, act: Callable[..., Any]) -> None:
    assert act("solution", exercise="exercise-2")["said"] == "The solution of exercise 2 is given to everybody."
    assert "before" in act("solution", exercise="exercise-2")["said"]
    assert "before" in act("solution", exercise="exercise-2", seat="seat-01")["said"]
    assert [(n["event"], n["code"]) for n in told(few, "seat-03")] == [("solution", "x = 1")]


def test_a_hand_is_taken_down_and_put_up_again(few: Room, act: Callable[..., Any], ask: Callable[..., Any]) -> None:
    stage.tell(few, "seat-02", {"ago": 3, "event": "hand", "exercise": "exercise-1"})
    assert list(ask("api/state").json()["hands"]) == ["seat-02"]
    done = act("hand-down", seat="seat-02")
    assert ask("api/state").json()["hands"] == {} and _events(few, "seat-02") == ["hand-down"]
    act(done["undo"]["act"], seat=done["undo"]["seat"])
    assert list(ask("api/state").json()["hands"]) == ["seat-02"]


def test_a_hand_raised_after_it_was_taken_down_is_up(few: Room, serve: Callable[[Room], Any]) -> None:
    server = serve(few)
    stage.tell(few, "seat-02", {"ago": 3, "event": "hand"})
    server.watch.read()
    server.board.actions.do({"act": "hand-down", "seat": "seat-02", "once": "click-1234"}, "en")
    assert server.watch.hand("seat-02") is None
    stage.tell(few, "seat-02", {"event": "hand-down"}, {"event": "hand"})
    server.watch.read()
    assert server.watch.hand("seat-02") is not None


def test_a_new_code_opens_the_seat_and_the_old_one_does_not(few: Room, act: Callable[..., Any]) -> None:
    before = json.loads((few.folder / "codes.json").read_text())
    card = act("code", seat="seat-02")["card"]
    after = json.loads((few.folder / "codes.json").read_text())
    (new,) = set(after) - set(before)
    assert after[new]["seat"] == "seat-02" and sum(entry["seat"] == "seat-02" for entry in after.values()) == 1
    printed = json.loads((few.folder / "print" / "codes.json").read_text())["seat-02"]
    assert digest(printed) == new and printed in card
    assert printed not in (few.folder / "board.jsonl").read_text()


def test_names_and_organisations_stay_in_the_rooms_own_file(few: Room, act: Callable[..., Any]) -> None:
    undo = act("name", seat="seat-01", name="  Anna\n<i> ")["undo"]
    act("about", seat="seat-01", organisation="small", sector="health", service="test")
    for wrong in ({"organisation": "club"}, {"sector": "helth"}, {"service": "<i>"}):
        assert act("about", seat="seat-01", **wrong)["said"] == "Choose from the lists."
    diary = Diary(few)
    assert diary.name("seat-01") == "Anna <i>"
    about = next(e for e in journal.entries(few.folder / "board.jsonl") if e["event"] == "about")
    assert (about["seat"], about["organisation"], about["sector"]) == ("seat-01", "small", "health")
    assert stat.S_IMODE((few.folder / "board.jsonl").stat().st_mode) == 0o600
    assert "Anna" not in "".join(path.read_text() for path in (few.folder / "news").iterdir())
    act(undo["act"], seat=undo["seat"], name=undo["name"])
    assert Diary(few).name("seat-01") == ""


def test_the_day_of_deletion_moves_and_moves_back(few: Room, act: Callable[..., Any]) -> None:
    from genai4eu.courses.board import deletion

    before = deletion.day(few)
    day = deletion.bounds()["day_last"]
    undo = act("keep", day=day)["undo"]
    assert deletion.day(few) == day and few.about["seats"] and undo["day"] == before
    for wrong in ("2020-01-01", "soon", "9999-01-01", ""):
        assert "within a year" in act("keep", day=wrong)["said"]
    assert deletion.day(few) == day
    assert stat.S_IMODE((few.folder / "room.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "asked",
    [
        {"act": "message", "text": {"en": "x" * 1001}}, {"act": "message", "text": "x"}, {"act": "message", "text": {}},
        {"act": "open", "lesson": "../room.json"}, {"act": "open", "lesson": 3}, {"act": "solution", "exercise": "x"},
        {"act": "hand-down"}, {"act": "hand-down", "seat": "seat-99"}, {"act": "hand-down", "seat": {"a": 1}},
        {"act": "nothing"}, {"act": "name", "seat": "seat-01", "name": "x" * 81}, {"act": ["open"]},
        {"act": "message", "text": {"en": "x"}, "once": "short"},
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_words_and_leaves_no_trace(
    few: Room, ask: Callable[..., Any], asked: dict[str, Any]
) -> None:
    answer = ask("api/act?lang=nl", json={"once": "click-1234", **asked})
    assert answer.status_code == 409 and answer.json()["said"].endswith((".", "!"))
    assert not (few.folder / "board.jsonl").exists()
    assert all(not told(few, seat) for seat in few.seats)


def test_a_torn_line_costs_that_line_alone(few: Room) -> None:
    Diary(few).add("name", seat="seat-01", name="Anna")
    with (few.folder / "board.jsonl").open("a") as file:
        file.write('{"at": 1, "event": "na')
    Diary(few).add("name", seat="seat-02", name="Bo")
    assert (Diary(few).name("seat-01"), Diary(few).name("seat-02")) == ("Anna", "Bo")


def test_a_diary_that_cannot_be_written_is_told(few: Room) -> None:
    diary = Diary(few)
    diary.path.symlink_to("/dev/full")  # no link is followed either
    with pytest.raises(WorkbenchError, match="cannot be written"):
        diary.add("name", seat="seat-01", name="x")
    assert not diary.entries
