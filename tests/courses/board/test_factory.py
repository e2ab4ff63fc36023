"""What the board shows of a factory: who runs and who waits there, or that it does not answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from genai4eu.courses.factory.seen import seen
from genai4eu.courses.room.folder import Room

OFFER = {"target": "far-genai4eu", "kernels": 2, "seconds": 60, "budget": 600}


def _shown(ask: Callable[..., Any]) -> str:
    """Return the words about the factory."""
    machine = ask("api/state").json()["parts"]["machine"]
    assert "<dt>Memory</dt>" in machine
    found = re.search(r"<dt>Factory</dt><dd>(.*?)</dd>", machine)
    return re.sub(r"<[^>]+>", " ", found[1]) if found else ""


@pytest.fixture
def offers(few: Room) -> Room:
    """The room, with a factory."""
    (few.folder / "room.json").write_text(json.dumps({**few.about, "factory": OFFER}))
    return few


def test_a_room_without_a_factory_shows_none(few: Room, ask: Callable[..., Any]) -> None:
    assert seen(few) is None
    assert not _shown(ask)


def test_who_runs_and_who_waits(offers: Room, ask: Callable[..., Any]) -> None:
    assert "does not answer" in _shown(ask)  # the broker has written nothing yet
    told = {
        **OFFER, "at": time.time(), "running": [{"seat": "seat-01"}], "queue": ["seat-03"], "why": "the <quota>",
        "used": {"seat-01": 30.6, "seat-02": 10.0, "seat-03": 0.0},
    }  # fmt: skip
    (offers.folder / "run" / "factory.json").write_text(json.dumps(told))
    words = _shown(ask)
    assert "1 of 2 kernels in use" in words
    assert "waiting: Seat 3" in words
    assert "most used: 30 of 600 s" in words
    assert "the &lt;quota&gt;" in words


def test_a_broker_that_wrote_long_ago_does_not_answer(offers: Room) -> None:
    (offers.folder / "run" / "factory.json").write_text(json.dumps({"at": time.time() - 60}))
    found = seen(offers)
    assert found is not None
    assert not found.answers
