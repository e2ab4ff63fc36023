"""Lines of JSON to which is only ever added."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from genai4eu.courses import journal


def test_what_was_added_is_there_in_its_order_and_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert list(journal.entries(path)) == []
    journal.add(path, {"text": "one\u2028line\x85\ud800"}, {"n": 2}, durable=True)
    assert list(journal.entries(path)) == [{"text": "one\u2028line\x85\ud800"}, {"n": 2}]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_torn_line_is_none_and_the_next_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n[1]\n"text"\n{"n": ')
    journal.add(path, {"n": 3})
    assert [entry["n"] for entry in journal.entries(path)] == [1, 3]


def test_a_full_disk_leaves_it_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write = tmp_path / "a.jsonl", os.write
    journal.add(path, {"n": 1})
    monkeypatch.setattr("os.write", lambda handle, content: write(handle, content[:4]))
    with pytest.raises(OSError, match="No space"):
        journal.add(path, {"n": 2})
    assert path.read_text() == '{"n": 1}\n'


def test_neither_a_link_is_followed_nor_a_file_made_that_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name, make in (("link", True), ("none", False)):
        with pytest.raises(OSError):
            journal.add(tmp_path / name, {"n": 1}, make=make)
    assert not (tmp_path / "target").exists()
