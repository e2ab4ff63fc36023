"""What a seat's trouble costs the room: nothing."""

from __future__ import annotations

from typing import Any

import httpx
import psutil
import pytest

from genai4eu.courses.room import caretaker, supervisor
from genai4eu.courses.room.caretaker import Caretaker
from genai4eu.courses.room.confining import Means
from genai4eu.courses.room.keeping import Keeping, kept
from genai4eu.courses.room.room import Room


def test_one_seats_trouble_is_told_once_and_nobody_elses(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Keeping.look

    def look(keeping: Keeping) -> None:
        if keeping.seat == "seat-01":
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        real(keeping)

    monkeypatch.setattr(Keeping, "look", look)
    told = list[str]()
    found = Caretaker(closed, told.append)
    found.keep()
    found.keep()
    assert len(kept(closed, "seat-02")) == 1
    (said,) = told
    assert said.startswith("the work of seat-01 could not be kept: UnicodeEncodeError: ")


def test_a_kernel_that_has_ended_by_itself_is_no_trouble(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def kill(self) -> None:
            raise psutil.NoSuchProcess(1)

    monkeypatch.setattr(caretaker, "largest", lambda room, seat, most: Gone() if seat == "seat-01" else None)
    monkeypatch.setattr(caretaker, "means_of", lambda _: Means(view=True, groups=[]))
    told = list[str]()
    Caretaker(closed, told.append).watch()
    assert len(told) == 1 and told[0].startswith("seat-01 took more")


def test_a_server_that_does_not_end_keeps_no_other(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    server = {"": {"ready": True, "last_activity": "2020-01-01T00:00:00Z"}}

    def request(method: str, address: str, **_: Any) -> httpx.Response:
        to = httpx.Request(method, address)
        if method == "GET":
            return httpx.Response(200, json=[{"name": seat, "servers": server} for seat in closed.seats], request=to)
        asked.append(address.split("/users/")[1])
        return httpx.Response(500 if "seat-01" in address else 204, request=to)

    monkeypatch.setattr(httpx, "request", request)
    told = list[str]()
    found = Caretaker(closed, told.append)
    found._opened -= caretaker.UNOPENED + 1
    found.cull()
    assert asked == ["seat-01/server", "seat-02/server"]
    assert len(told) == 1 and "seat-01" in told[0]


def test_what_fails_is_due_again_in_its_time_and_keeps_nothing_else_off(
    closed: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[str]()

    def fails(_: Caretaker) -> None:
        calls.append("cull")
        raise ValueError("no JSON")

    for name in ("keep", "watch", "weigh"):
        monkeypatch.setattr(Caretaker, name, lambda _, name=name: calls.append(name))
    monkeypatch.setattr(Caretaker, "cull", fails)
    told = list[str]()
    keeper = supervisor._Keeper(closed, told.append)
    keeper.look()
    keeper.look()
    assert calls == ["keep", "watch", "weigh", "cull"] and told == ["ValueError: no JSON"]


def test_a_room_closes_whatever_fails(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Caretaker) -> None:
        raise RecursionError("too deep")

    left = list[bool]()
    monkeypatch.setattr(Caretaker, "keep", fails)
    monkeypatch.setattr(supervisor._Keeper, "_leave", lambda _: left.append(True))

    def broken(_: str) -> None:
        raise BrokenPipeError("the terminal is gone")

    with pytest.raises(BrokenPipeError):
        supervisor._Keeper(closed, broken).close()
    told = list[str]()
    supervisor._Keeper(closed, told.append).close()
    assert left == [True, True] and told == ["RecursionError: too deep"]
