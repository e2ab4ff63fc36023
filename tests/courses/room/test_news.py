"""What a room tells its seats."""

from __future__ import annotations

import json
import stat
import threading

import pytest

from genai4eu.courses.room.news import tell, told
from genai4eu.courses.room.room import Room
from genai4eu.errors import WorkbenchError


def test_everybody_is_told_and_each_line_has_its_number(closed: Room) -> None:
    tell(closed, None, "message", text={"en": "Coffee", "nl": "Koffie"})
    tell(closed, "seat-02", "open", lesson="lesson-1.ipynb")
    assert [(n["id"], n["event"]) for n in told(closed, "seat-01")] == [(1, "message")]
    assert [(n["id"], n["event"]) for n in told(closed, "seat-02")] == [(1, "message"), (2, "open")]
    assert told(closed, "seat-02")[0]["text"]["nl"] == "Koffie"


def test_who_does_not_exist_cannot_be_told(closed: Room) -> None:
    with pytest.raises(WorkbenchError, match="seat-01 to seat-02"):
        tell(closed, "seat-03", "message", text="x")
    with pytest.raises(WorkbenchError, match="they know message"):
        tell(closed, None, "shout")


def test_what_a_trainer_pastes_may_hold_any_character(closed: Room) -> None:
    text = "one\u2028two\u0085three\ud800"
    tell(closed, None, "message", text=text)
    with closed.news("seat-01").open("a", encoding="utf-8") as file:
        file.write('{"id": 2, "event": "message", "text": "of before\u2028"}\n{"torn')
    assert [n["text"] for n in told(closed, "seat-01")] == [text, "of before\u2028"]


def test_many_at_once_leave_whole_lines_with_numbers_of_their_own(closed: Room) -> None:
    many = [
        threading.Thread(target=tell, args=(closed, None, "message"), kwargs={"text": "x" * 5000}) for _ in range(8)
    ]
    for thread in many:
        thread.start()
    for thread in many:
        thread.join()
    assert [n["id"] for n in told(closed, "seat-01")] == list(range(1, 9))


def test_what_the_room_keeps_to_itself_is_its_owners_alone(closed: Room) -> None:
    for name in ("room.json", "codes.json", "solutions.json", "news/seat-01.jsonl"):
        assert stat.S_IMODE((closed.folder / name).stat().st_mode) == 0o600, name
    for name in ("run", "hub", "kept"):
        assert stat.S_IMODE((closed.folder / name).stat().st_mode) == 0o700, name


def test_solutions_stand_without_marks_and_the_course_is_the_rooms_own(closed: Room) -> None:
    found = json.loads((closed.folder / "solutions.json").read_text())
    assert found == {"exercise-1": "middle = sorted(values)[len(values) // 2]"}
    assert (closed.folder / "course" / ".course" / "course.json").is_file()
    assert "board_key" in closed.about and closed.about["board_port"] != closed.about["hub_port"]
