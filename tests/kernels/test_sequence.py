"""Numbered frames: whatever a connection does, every message arrives once and in order."""

from __future__ import annotations

import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genai4eu.kernels import handover, sequence
from genai4eu.kernels.sequence import ACKNOWLEDGEMENT, LAST, Inbox, Outbox, pack, unpack
from genai4eu.kernels.wire import BadMessage


def deliver(outbox: Outbox, inbox: Inbox, chance: random.Random) -> list[bytes]:
    """Let everything through a connection that breaks at random, losing what is under way, acknowledgements too."""
    arrived: list[bytes] = []
    while not outbox.empty:
        outbox.acknowledge(inbox.received)  # what both sides agree on after a break
        outbox.rewind()
        while frames := outbox.next():
            if chance.random() < 0.1:
                break
            for kind, number, _, data in unpack(pack(frames, 0)):
                if (message := inbox.take(kind, number, data)) is not None:
                    arrived.append(bytes(message))
            if chance.random() < 0.2:
                outbox.acknowledge(inbox.tell())
    return arrived


@given(st.lists(st.integers(0, 5000), max_size=40), st.integers(0, 99), st.booleans())
@settings(deadline=None, max_examples=60)
def test_every_message_arrives_once_and_in_order(sizes: list[int], seed: int, disk: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequence, "PIECE", 1000)
        patch.setattr(sequence, "BUNDLE", 1500)
        patch.setattr(sequence, "WINDOW", 4000)
        patch.setattr(sequence, "MEMORY", 3000)
        outbox, inbox = Outbox(Path("/tmp") if disk else None), Inbox()
        messages = [os.urandom(size) for size in sizes]
        assert all(outbox.put(message) for message in messages)
        assert outbox.kept <= 3000 or not disk
        assert deliver(outbox, inbox, random.Random(seed)) == messages
        assert outbox.kept == 0
        outbox.close()


def test_what_is_under_way_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "WINDOW", 1000)
    outbox = Outbox()
    for _ in range(100):
        outbox.put(b"x" * 100)
    assert len(outbox.next()) == 11
    assert outbox.next() == []
    outbox.acknowledge(5)
    assert len(outbox.next()) == 5


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "MEMORY", 1000)
    outbox = Outbox(tmp_path, disk=2000)
    assert [outbox.put(b"x" * 900) for _ in range(5)] == [True, True, True, False, False]
    assert not list(tmp_path.iterdir())  # the file has no name
    assert len(outbox.unsent()) == 3
    outbox.close()


def test_unsent_messages_are_those_of_which_nothing_went(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "PIECE", 10)
    outbox = Outbox()
    for letter in (b"a", b"b", b"c"):
        outbox.put(letter * 25)
    monkeypatch.setattr(sequence, "BUNDLE", 1)
    for _ in range(4):
        outbox.next()
    assert outbox.unsent() == [b"c" * 25]
    outbox.acknowledge(2)
    outbox.rewind()
    assert outbox.unsent() == [b"c" * 25]


def test_gaps_and_rubbish_are_refused() -> None:
    inbox = Inbox()
    inbox.take(LAST, 1, memoryview(b"x"))
    assert inbox.take(LAST, 1, memoryview(b"x")) is None
    with pytest.raises(BadMessage):
        inbox.take(LAST, 3, memoryview(b"x"))
    for data in (b"", b"\0" * 23, bytes([ACKNOWLEDGEMENT + 1]) + bytes(30), "text"):
        with pytest.raises(BadMessage):
            list(unpack(data))
    with pytest.raises(BadMessage):
        Outbox().acknowledge(1)


def test_one_process_takes_what_was_handed_over(tmp_path: Path) -> None:
    file = tmp_path / "kernel.json"
    assert handover.take(file) is None
    handover.give(file, {"kernel_id": "x"})
    assert handover.path_of(file).stat().st_mode & 0o777 == 0o600
    with ThreadPoolExecutor(1) as pool:
        answers = list(pool.map(lambda _: handover.take(file), range(8)))
    assert answers.count({"kernel_id": "x"}) == 1 and answers.count(None) == 7
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"given": 0, "content": {}}', '{"given": "x", "content": {}}'])
def test_an_old_or_broken_hand_over_is_nobodys(tmp_path: Path, content: str) -> None:
    file = tmp_path / "kernel.json"
    handover.path_of(file).write_text(content)
    assert handover.take(file) is None
    handover.path_of(file).write_text(json.dumps({"given": time.time() - 31, "content": {}}))
    assert handover.take(file) is None
    assert not list(tmp_path.iterdir())
