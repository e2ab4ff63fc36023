"""Codes: each opens its seat once, guessing is slow, and nobody honest is locked out."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.hub.authenticator import CodeAuthenticator
from genai4eu.courses.room.hub.line import Line


def _handler(address: str = "192.0.2.1") -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(remote_ip=address), genai4eu_refusal="")


def _knows(room: Room) -> CodeAuthenticator:
    return CodeAuthenticator(folder=str(room.folder))


async def _try(knows: CodeAuthenticator, code: str, address: str = "192.0.2.1") -> tuple[str | None, str]:
    handler = _handler(address)
    return await knows.authenticate(handler, {"code": code}), handler.genai4eu_refusal


def test_a_code_opens_once_however_it_is_typed(closed: Room) -> None:
    code = closed.give_code("seat-01")
    knows = _knows(closed)
    assert asyncio.run(_try(knows, f" {code.lower().replace('-', ' ')} ")) == ("seat-01", "")
    assert asyncio.run(_try(knows, code)) == (None, "used")
    assert closed.unopened == ["seat-02"]
    assert (closed.folder / "codes.json").stat().st_mode & 0o077 == 0


def test_a_new_code_replaces_the_one_that_nobody_used(closed: Room) -> None:
    first, second = closed.give_code("seat-01"), closed.give_code("seat-01")
    knows = _knows(closed)
    assert asyncio.run(_try(knows, first)) == (None, "unknown")
    assert asyncio.run(_try(knows, second)) == ("seat-01", "")
    assert asyncio.run(_try(knows, closed.give_code("seat-01"))) == (
        "seat-01",
        "",
    )  # for a browser that lost its cookie


def test_forty_people_with_two_codes(closed: Room) -> None:
    codes = [closed.give_code(seat) for seat in closed.seats]
    knows = _knows(closed)

    async def all_at_once() -> list[tuple[str | None, str]]:
        return await asyncio.gather(*(_try(knows, codes[n % 2], f"192.0.2.{n}") for n in range(40)))

    found = asyncio.run(all_at_once())
    assert sorted(seat for seat, _ in found if seat) == closed.seats
    assert {why for seat, why in found if not seat} == {"used"}


def test_a_thousand_guesses_are_slowed_and_the_honest_get_in(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def counted(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0.001 if seconds else 0)

    monkeypatch.setattr("asyncio.sleep", counted)
    code, knows = closed.give_code("seat-01"), _knows(closed)

    async def attack() -> list[str]:
        guesses = [_try(knows, f"AAAA-{n:04}", f"192.0.2.{n % 3}") for n in range(1000)]
        return [why for _, why in await asyncio.gather(*guesses)]

    found = asyncio.run(attack())
    looked_at = found.count("unknown")
    assert found.count("slow") == 1000 - looked_at and looked_at < 200
    assert sum(waits) >= 2 * (looked_at - 3 * 11)  # but for the first ones of each address, each took two seconds
    assert asyncio.run(_try(knows, code, "192.0.2.1")) == ("seat-01", "")  # from the attackers' own address


def test_a_line_lets_few_in_and_tells_the_place() -> None:
    line, told, going = Line(2), [], asyncio.Event()

    async def one(name: str) -> None:
        async with line.turn(name):
            await going.wait()
            told.append(name)

    async def all_of_them() -> list[int]:
        tasks = [asyncio.create_task(one(name)) for name in "abcde"]
        await asyncio.sleep(0)
        places = [line.before(name) for name in "abcde"]
        tasks[2].cancel()  # who closes the page leaves the line
        await asyncio.sleep(0)
        places.append(line.before("d"))
        going.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        return places

    assert asyncio.run(all_of_them()) == [0, 0, 1, 2, 3, 1]
    assert sorted(told) == ["a", "b", "d", "e"]
