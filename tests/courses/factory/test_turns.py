"""Whose turn it is, and what each seat has used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from genai4eu.courses.factory.ledger import Ledger
from genai4eu.courses.factory.waiting import Waiting


class Crowd:
    """Seats that wait for a turn each, and end it when told."""

    def __init__(self, many: int) -> None:
        self.waiting = Waiting(many)
        self.ran: list[str] = []
        self.places: dict[str, list[tuple[int, int]]] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *seats: str) -> None:
        for seat in seats:
            self._ends[seat] = asyncio.Event()
            self._tasks[seat] = asyncio.create_task(self._wait(seat))
            await asyncio.sleep(0)
        await self.settle()

    async def _wait(self, seat: str) -> None:
        moved = self.places.setdefault(seat, [])
        async with self.waiting.turn(seat, lambda place, of: moved.append((place, of))):
            self.ran.append(seat)
            await self._ends[seat].wait()

    async def done(self, seat: str) -> None:
        self._ends[seat].set()
        await self.settle()

    async def give_up(self, seat: str) -> None:
        self._tasks[seat].cancel()
        await self.settle()

    @staticmethod
    async def settle() -> None:
        for _ in range(5):
            await asyncio.sleep(0)


def run(work: Awaitable[None]) -> None:
    async def all_of_it() -> None:
        await work

    asyncio.run(all_of_it())


def test_who_has_run_goes_behind_those_who_wait() -> None:
    async def story() -> None:
        crowd = Crowd(1)
        await crowd.come("a", "b", "c")
        assert crowd.waiting.seats == ["b", "c"]
        assert crowd.places["c"] == [(2, 2)]
        await crowd.done("a")
        await crowd.come("a")
        assert crowd.waiting.seats == ["c", "a"]
        assert crowd.places["c"][-1] == (1, 2)
        await crowd.done("b")
        await crowd.done("c")
        assert crowd.ran == ["a", "b", "c", "a"]
        assert crowd.places["a"][0] == (2, 2)

    run(story())


def test_as_many_at_once_as_there_are_places() -> None:
    async def story() -> None:
        crowd = Crowd(2)
        await crowd.come("a", "b", "c")
        assert crowd.ran == ["a", "b"]
        await crowd.done("b")
        assert crowd.ran == ["a", "b", "c"]

    run(story())


def test_who_gives_up_leaves_the_queue() -> None:
    async def story() -> None:
        crowd = Crowd(1)
        await crowd.come("a", "b", "c")
        await crowd.give_up("b")
        assert crowd.places["c"][-1] == (1, 1)
        await crowd.done("a")
        assert crowd.ran == ["a", "c"]

    run(story())


def test_a_turn_that_is_given_up_in_the_moment_it_comes_is_not_lost() -> None:
    async def story() -> None:
        crowd = Crowd(1)
        await crowd.come("a", "b", "c")
        crowd._ends["a"].set()
        while crowd.waiting.seats[0] == "b":
            await asyncio.sleep(0)
        crowd._tasks["b"].cancel()  # called, and not yet awake
        await crowd.settle()
        assert crowd.ran == ["a", "c"]

    run(story())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "factory.jsonl"


def test_a_seat_has_what_it_has_not_used(path: Path) -> None:
    ledger = Ledger(path, 100)
    ledger.end(ledger.begin("seat-01", 30), "seat-01", 12.5)
    for again in (ledger, Ledger(path, 100)):
        assert again.left("seat-01") == 87.5
        assert again.left("seat-02") == 100
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_cell_whose_broker_was_killed_is_counted_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.0)
    killed = Ledger(path, 100)
    killed.begin("seat-01", 30)
    killed.begin("seat-02", 5)
    ledger = Ledger(path, 100, seen=1008)  # alive eight seconds after both began
    assert (ledger.left("seat-01"), ledger.left("seat-02")) == (92, 95)
    assert Ledger(path, 100, seen=5000).left("seat-01") == 92


def test_nobody_owes_seconds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.0)
    Ledger(path, 100).begin("seat-01", 30)
    assert Ledger(path, 100, seen=0).left("seat-01") == 100
    ledger = Ledger(path, 10)
    ledger.end(ledger.begin("seat-02", 30), "seat-02", 31)
    assert ledger.left("seat-02") == 0


def test_a_torn_line_takes_no_other_along(path: Path) -> None:
    ledger = Ledger(path, 100)
    cell = ledger.begin("seat-01", 30)
    with path.open("ab") as file:
        file.write(b'{"at": 1, "ce')
    ledger.end(cell, "seat-01", 10)
    assert Ledger(path, 100).left("seat-01") == 90
