"""What a participant's folder can do to the room that walks through it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from genai4eu.courses.room import walking, watching
from genai4eu.courses.room.room import Room
from genai4eu.courses.room.walking import Walk


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """Fail, instead of waiting for ever, where something waits."""

    def late(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _seen(walk: Walk) -> list[str]:
    return [path for path, _ in walk]


def test_files_come_before_those_deeper_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "desk" / "a" / "b").mkdir(parents=True)
    (tmp_path / "desk" / ".hidden").mkdir()
    for name in ("z", "a/y", "a/b/x", ".hidden/w"):
        (tmp_path / "desk" / name).touch()
    (tmp_path / "secret").touch()
    (tmp_path / "desk" / "link").symlink_to(tmp_path)
    walk = Walk(tmp_path / "desk", 100, 5, skip=(".",))
    assert _seen(walk) == [".hidden", "a", "link", "z", "a/b", "a/y", "a/b/x"] and walk.whole
    assert _seen(Walk(tmp_path / "desk" / "link", 100, 5)) == [] == _seen(Walk(tmp_path / "gone", 100, 5))


@pytest.mark.parametrize("other", ["pipe", "link"])
def test_what_is_exchanged_for_a_folder_is_not_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    (tmp_path / "desk" / "a").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").touch()
    real = walking._is_folder

    def exchanged(entry: os.DirEntry[str]) -> bool:
        found = real(entry)
        (tmp_path / "desk" / "a").rmdir()
        if other == "pipe":
            os.mkfifo(tmp_path / "desk" / "a")
        else:
            (tmp_path / "desk" / "a").symlink_to(tmp_path / "elsewhere")
        return found

    monkeypatch.setattr(walking, "_is_folder", exchanged)
    with _in_time():
        assert _seen(Walk(tmp_path / "desk", 100, 5)) == ["a"]


def test_a_walk_has_an_end_in_entries_and_in_depth_and_leaves_no_handle_open(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / "many" / f"{number:02}").mkdir(parents=True)
        (tmp_path / "many" / f"{number:02}" / "file").touch()
    at = tmp_path / "deep"
    for _ in range(30):
        at = at / "d"
    at.mkdir(parents=True)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for walk, many in (
        (Walk(tmp_path / "many", 40, 5), 40),
        (Walk(tmp_path / "many", 100, 5, each=10), 20),
        (Walk(tmp_path / "deep", 100, 5), 6),
    ):
        assert len(_seen(walk)) == many and not walk.whole
    next(iter(Walk(tmp_path, 100, 5)))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_file_of_many_names_is_weighed_once_and_too_many_are_not_counted(
    closed: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = closed.home("seat-01")
    before = watching.disk(closed, "seat-01")
    (home / "large").write_bytes(b"x" * (1 << 20))
    (home / "large-2").hardlink_to(home / "large")
    after = watching.disk(closed, "seat-01")
    assert before is not None and after is not None and 1 << 20 <= after - before < 2 << 20
    monkeypatch.setattr(watching, "_ENTRIES", 3)
    assert watching.disk(closed, "seat-01") is None
