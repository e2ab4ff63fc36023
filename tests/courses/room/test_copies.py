"""What a seat can fill the room's disk with."""

from __future__ import annotations

from pathlib import Path

import pytest

from genai4eu.courses import journal
from genai4eu.courses.room.copies import Copies, entries
from genai4eu.courses.room.keeping import Keeping, kept, restore
from genai4eu.courses.room.room import Room
from genai4eu.errors import WorkbenchError


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for three versions of thirty bytes."""
    monkeypatch.setattr("genai4eu.courses.room.copies._ALL", 100)


def _copies(folder: Path) -> set[str]:
    return {path.read_text()[0] for path in folder.glob("*.ipynb")}


@pytest.mark.usefixtures("small")
def test_ever_new_names_fill_no_disk(closed: Room) -> None:
    home, keeping = closed.home("seat-01"), Keeping(closed, "seat-01")
    (home / "lesson-1.ipynb").write_text("L" * 30)
    keeping.look()
    for letter in "abcdefgh":
        (home / f"{letter}.ipynb").write_text(letter * 30)
        keeping.look()
        (home / f"{letter}.ipynb").unlink()
    assert _copies(closed.folder / "kept" / "seat-01") == {"L", "g", "h"}
    assert restore(closed, "seat-01") == ["g.ipynb", "h.ipynb"], "what was let go of is not promised"


@pytest.mark.usefixtures("small")
def test_where_nothing_may_go_nothing_more_is_kept(tmp_path: Path) -> None:
    copies, there = Copies(tmp_path), [f"{letter}.ipynb" for letter in "abcd"]
    for path in there[:3]:
        copies.add(path, path[0].encode() * 30, there)
    with pytest.raises(WorkbenchError, match=r"'d\.ipynb' has no room"):
        copies.add("d.ipynb", b"d" * 30, there)
    assert _copies(tmp_path) == {"a", "b", "c"} and len(entries(tmp_path)) == 3
    copies.add("a.ipynb", b"A" * 30, there)
    assert _copies(tmp_path) == {"A", "b", "c"}, "its own next version takes its place"
    copies.add("d.ipynb", b"d" * 30, ["c.ipynb", "d.ipynb", "a.ipynb"])
    assert _copies(tmp_path) == {"A", "d", "c"}, "a deleted one makes room"
    copies.add("b.ipynb", b"b" * 30, ["b.ipynb", "a.ipynb", "d.ipynb"])
    assert _copies(tmp_path) == {"A", "d", "b"}, "what comes back is kept again"


@pytest.mark.usefixtures("small")
def test_a_version_that_nobody_noted_goes_first(tmp_path: Path) -> None:
    (tmp_path / f"{'0' * 64}.ipynb").write_text("x" * 60)
    copies = Copies(tmp_path)
    for letter in "ab":
        copies.add("a.ipynb", letter.encode() * 30, ["a.ipynb"])
    assert _copies(tmp_path) == {"a", "b"}


def test_versions_are_bounded_in_number_and_the_latest_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai4eu.courses.room.copies._VERSIONS", 10)
    copies, there = Copies(tmp_path), ["first.ipynb", "a.ipynb"]
    copies.add("first.ipynb", b"first", there)
    for number in range(50):
        copies.add("a.ipynb", f"{number}".encode(), there)
    found = entries(tmp_path)
    assert len(found) <= 10 and found[0]["file"] == "first.ipynb"
    assert {path.stem for path in tmp_path.glob("*.ipynb")} == {entry["sha256"] for entry in found}
    with pytest.raises(WorkbenchError, match="too long"):
        copies.add("x" * 600, b"x", there)


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    Copies(tmp_path).add("a.ipynb", b"a", ["a.ipynb"])
    with (tmp_path / "kept.jsonl").open("a") as file:
        file.write('{"at": 1, "fi')
    journal.add(tmp_path / "kept.jsonl", {"at": 2, "file": "b.ipynb", "sha256": "b"})
    assert [entry["file"] for entry in entries(tmp_path)] == ["a.ipynb", "b.ipynb"]


def test_names_that_are_no_text_are_kept_as_they_are(closed: Room) -> None:
    (closed.home("seat-01") / "a\udcff.ipynb").write_text("mine")
    Keeping(closed, "seat-01").look()
    (closed.home("seat-01") / "a\udcff.ipynb").unlink()
    assert "a\udcff.ipynb" in [entry["file"] for entry in kept(closed, "seat-01")]
    assert restore(closed, "seat-01") == ["a\udcff.ipynb"]
