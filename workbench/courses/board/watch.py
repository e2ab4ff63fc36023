"""Looks at everything that the board shows, as often as somebody looks at the board. Held by the server."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

from ..desk import HAPPENED
from ..room.folder import CODES, Room
from ..room.keeping import KEPT
from ..room.reading import events, read
from . import hub, machine
from .diary import Diary
from .programme import Programme, Programmes
from .seat import Seat

#: Seconds for which what was seen is good: seats, JupyterHub, and the computer, whose processes take time to count.
_SEATS, _HUB, _MACHINE = 1.0, 3.0, 10.0
#: Pieces of a megabyte that are read of a seat at once: who writes faster is behind, and nobody else is.
_PIECES = 4
#: Events of a seat that are known again.
_SEEN = 20_000


@dataclass
class View:
    """What was seen.

    Attributes
    ----------
    at : float
        When.
    course : Programme
        The course as it is now.
    seats : dict of str to Seat
        By name.
    servers : dict of str to Server, or None
        By seat; None while JupyterHub does not answer.
    machine : Machine
        The computer.
    come : frozenset of str
        Seats whose code was used.
    """

    at: float
    course: Programme
    seats: dict[str, Seat]
    servers: dict[str, hub.Server] | None
    machine: machine.Machine
    come: frozenset[str]


class Watch:
    """Follows what the seats tell.

    Parameters
    ----------
    room : Room
        Whose seats.
    diary : Diary
        What the trainer did: hands that were taken down.
    """

    def __init__(self, room: Room, diary: Diary) -> None:
        self.room, self.diary = room, diary
        self._programmes = Programmes(room)
        about = room.about
        self._began = float(about["began"])
        self._users = {name: room.people.owner(name)[0] for name in about["seats"]} if about["prefix"] else {}
        self.seats = {name: Seat(name) for name in about["seats"]}
        self._positions = dict.fromkeys(self.seats, 0)
        self._looked = dict.fromkeys(self.seats, self._began)
        self._seen: dict[str, set[int]] = {name: set() for name in self.seats}
        self._client = httpx.AsyncClient(trust_env=False)
        self._lock = asyncio.Lock()
        self._view: View | None = None
        self._due = {"hub": 0.0, "machine": 0.0}
        self._kept()

    @property
    def course(self) -> Programme:
        """The course as it is now."""
        return self._programmes.now()

    @property
    def isolated(self) -> bool:
        """Whether each seat is a user of its own, so that its processes are known."""
        return bool(self._users)

    async def now(self, fresh: bool = False) -> View:
        """Return what there is to see, which is looked at again after a second, or at once where ``fresh``."""
        async with self._lock:
            if self._view is None or fresh or time.time() - self._view.at >= _SEATS:
                self._view = await self._look()
            return self._view

    async def close(self) -> None:
        """Let go of the connection to JupyterHub."""
        await self._client.aclose()

    async def _look(self) -> View:
        loop, before, clock = asyncio.get_running_loop(), self._view, time.monotonic()
        course = await loop.run_in_executor(None, self.read)
        servers, computer = (before.servers, before.machine) if before else (None, None)
        if clock >= self._due["hub"]:
            servers = await hub.servers(self.room, self._client)
            self._due["hub"] = clock + _HUB
        if computer is None or clock >= self._due["machine"]:
            computer = await loop.run_in_executor(None, machine.look, self.room.folder, set(self._users.values()))
            self._due["machine"] = time.monotonic() + _MACHINE
        return View(time.time(), course, self.seats, servers, computer, self._come())

    def read(self) -> Programme:
        """Take in what the seats told since the last look, and return the course."""
        course = self._programmes.now()
        for name in self.seats:
            now = time.time()
            for _ in range(_PIECES):
                found, position = events(self.room, name, self._positions[name])
                self._take(name, found, course, self._looked[name], now)
                if position == self._positions[name]:
                    break
                self._positions[name] = position
            self._looked[name] = now
        return course

    def _take(self, name: str, found: list[dict[str, Any]], course: Programme, earliest: float, now: float) -> None:
        """Fold in what is new: a participant's file that was deleted is given back, and is read once more then."""
        for event in found:
            mark = hash(json.dumps(event, sort_keys=True))
            if mark not in self._seen[name]:
                self.seats[name].take(event, course, earliest, now)
                if len(self._seen[name]) < _SEEN:
                    self._seen[name].add(mark)

    def _kept(self) -> None:
        """Take in what the room kept of the seats: a participant may have deleted it since."""
        course, now = self._programmes.now(), time.time()
        for name in self.seats:
            path = self.room.folder / KEPT / name / HAPPENED
            found = list(read(path.read_bytes())) if path.exists() else []
            self._take(name, found, course, self._began, now)

    def _come(self) -> frozenset[str]:
        known = json.loads((self.room.folder / CODES).read_text(encoding="utf-8"))
        return frozenset(entry["seat"] for entry in known.values() if entry.get("used"))

    def use(self, seat: str) -> machine.Use | None:
        """Return what a seat's processes take; None where seats are not users of their own."""
        user = self._users.get(seat)
        return None if user is None or self._view is None else self._view.machine.seats.get(user, machine.Use())

    def hand(self, seat: str) -> tuple[float, str] | None:
        """Return since when a seat's hand is up and for what, unless the trainer took it down since."""
        raised = self.seats[seat].hand
        if raised is None:
            return None
        down = self.diary.last("hand-down", "hand-up", seat=seat)
        taken = down is not None and down["event"] == "hand-down" and down["at"] >= raised[0]
        return None if taken else raised

    def language(self, seat: str) -> str:
        """Return the language in which a seat reads."""
        return self.seats[seat].language or self._programmes.now().languages[0]
