"""Codes: each opens its seat once, guessing is slow, and nobody honest is locked out."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from genai4eu.courses.room.codes import plain
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
    waited = found.count("unknown")
    assert found.count("slow") == 1000 - waited and waited < 200
    assert sum(waits) >= 2 * (waited - 3 * 11)  # but for the first ones of each address, each took two seconds
    assert asyncio.run(_try(knows, code, "192.0.2.1")) == ("seat-01", "")  # from the attackers' own address


def test_a_right_code_opens_at_once_while_as_many_guess_as_may_wait(closed: Room) -> None:
    """Of one address, which a classroom has in common, and of everywhere; more wrong ones are refused at once."""
    codes, knows = [closed.give_code(seat) for seat in closed.seats], _knows(closed)

    async def attack() -> list[tuple[str | None, str]]:
        guesses = [
            asyncio.create_task(_try(knows, "AAAA-AAAA", address))
            for address in ["192.0.2.1"] * 150 + [f"198.51.100.{n}" for n in range(150)]
        ]
        while knows._slowed[""] < 50:
            await asyncio.sleep(0)
        found = [
            await _try(knows, codes[0]),
            await _try(knows, "AAAA-AAAB"),
            await _try(knows, codes[1], "203.0.113.1"),
        ]
        assert knows._slowed[""] == 50 and sum(not guess.done() for guess in guesses) >= 50  # it goes on
        for guess in guesses:
            guess.cancel()
        await asyncio.gather(*guesses, return_exceptions=True)
        return found

    assert asyncio.run(attack()) == [("seat-01", ""), (None, "slow"), ("seat-02", "")]


def test_a_code_is_not_searched_in_a_book() -> None:
    assert plain("-" * 20 + "kz7m-4pqx" + "A" * 1_000_000) == "KZ7M4PQX" + "A" * 11


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
