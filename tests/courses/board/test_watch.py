"""A board that begins anew, over what the room kept of seats."""

from __future__ import annotations

from genai4eu.courses.board.diary import Diary
from genai4eu.courses.board.watch import Watch
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.keeping import Keeping

from . import stage


def test_no_character_in_what_was_kept_keeps_a_board_from_beginning(few: Room) -> None:
    happened = few.home("seat-01") / ".course" / "progress.jsonl"
    happened.write_text('{"at": 1, "event": "read", "id": "\u2028\u0085"}\n', encoding="utf-8")
    stage.tell(few, "seat-01", {"ago": 1, "event": "passed", "exercise": "exercise-1"})
    Keeping(few, "seat-01").look()
    of_before = few.folder / "kept" / "seat-02"
    of_before.mkdir(exist_ok=True)
    lines = '{"at": 1, "event": "read", "id": "\u2028"}\n{"at": 2, "event": "hand"}\n{"at": 3, "ev'
    (of_before / "progress.jsonl").write_text(lines, encoding="utf-8")
    happened.unlink()
    watch = Watch(few, Diary(few))
    assert watch.seats["seat-01"].attempts["exercise-1"].passed
    assert watch.seats["seat-02"].hand is not None
