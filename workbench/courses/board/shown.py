"""What the board's templates show, made of what was seen. Called by the handlers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...dashboards.pages.language import translations
from ..factory.seen import seen
from ..home.categories import CATEGORIES, HEADS
from ..room.folder import SOLUTIONS
from . import deletion, hub, looking
from .diary import Diary
from .programme import Part, Programme
from .row import MARKS, STATES, Row
from .seat import Attempt
from .told import Told
from .watch import View, Watch
from .words import person


@dataclass(frozen=True)
class Shown:
    """Puts the board together for one answer.

    Attributes
    ----------
    watch, diary : Watch, Diary
        What is known of the seats, and what the trainer did.
    view : View
        What was seen now.
    language : str
        In which the trainer reads.
    lesson : str
        Whose exercises are shown; empty for the one where most are.
    """

    watch: Watch
    diary: Diary
    view: View
    language: str
    lesson: str = ""

    @property
    def course(self) -> Programme:
        """The course."""
        return self.view.course

    @property
    def most(self) -> Part:
        """The lesson where most seats are; at the beginning the first."""
        found = Counter(seat.lesson for seat in self.view.seats.values() if seat.lesson)
        most = max(found, key=lambda file: found[file], default=None)
        return self.course.part(most) or self.course.parts[0]

    @property
    def row(self) -> Row:
        """What puts seats into words."""
        return Row(self.watch, self.diary, self.view, self.language, self.course.part(self.lesson) or self.most)

    def all(self) -> dict[str, Any]:
        """Return everything that the page and its parts show."""
        row = self.row
        seats = [row.of(name) for name in self.view.seats]
        _ = translations(self.language).gettext
        return {
            "course": self.course, "offered": self.course.offered, "seats": seats, "shown": row.shown,
            "waiting": sorted((seat for seat in seats if seat["hand"]), key=lambda seat: float(seat["hand"][0])),
            "stuck": [seat for seat in seats if seat["stuck"]], "come": self.view.come,
            "right": sum(seat["right"] for seat in seats), "possible": len(seats) * len(self.course.exercises),
            "legend": [(state, MARKS[state], _(word)) for state, word in STATES.items()],
            "solutions": self._solutions(), "done": list(Told(self.diary, self.view, self.language).last()),
            **self._lessons(), **self._computer(), **self._days(),
        }  # fmt: skip

    def of_seat(self, name: str) -> dict[str, Any]:
        """Return what the dialog of a seat shows."""
        _ = translations(self.language).gettext
        return {
            "seat": self.row.of(name), "course": self.course, "solutions": self._solutions(),
            "categories": {kind: {code: _(name) for code, name in known.items()} for kind, known in CATEGORIES.items()},
            "heads": {kind: _(head) for kind, head in HEADS.items()}, "look_minutes": looking.MINUTES,
        }  # fmt: skip

    def _lessons(self) -> dict[str, Any]:
        """Return the lesson that was opened last for everybody, or where most are, and the one after it."""
        entries = [e for e in self.diary.entries if e["event"] == "open" and not e.get("seat")]
        current = (self.course.part(entries[-1]["lesson"]) if entries else None) or self.most
        upcoming = next((part for part in self.course.parts if part.number == current.number + 1), None)
        return {"current": current, "upcoming": upcoming}

    def _computer(self) -> dict[str, Any]:
        servers, uses = self.view.servers or {}, self.view.machine.seats.values()
        return {
            "computer": self.view.machine, "hub": self.view.servers is not None,
            "servers_on": sum(server.state == "on" for server in servers.values()),
            "queue": [person(name, self.diary, self.language) for name in hub.queue(servers)],
            "kernels": sum(use.kernels for use in uses) if self.watch.isolated else None, **self._factory(),
        }  # fmt: skip

    def _factory(self) -> dict[str, Any]:
        found = seen(self.watch.room)
        waiting = [person(name, self.diary, self.language) for name in found.queue] if found else []
        return {"factory": found, "factory_queue": waiting}

    def _days(self) -> dict[str, Any]:
        day = deletion.day(self.watch.room)
        spoken = deletion.spoken(day, self.language)
        return {"day": day, "day_spoken": spoken, "days_left": deletion.left(day), **deletion.bounds()}

    def _solutions(self) -> list[tuple[str, Part, bool, int]]:
        """Return exercises that have a solution: whether everybody got it, and how many have not solved it."""
        path = self.watch.room.folder / SOLUTIONS
        known: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        given = {e["exercise"] for e in self.diary.entries if e["event"] == "solution" and not e.get("seat")}
        return [
            (name, part, name in given, sum(not self._passed(seat, name) for seat in self.view.seats))
            for name, part in self.course.exercises.items()
            if name in known
        ]

    def _passed(self, seat: str, exercise: str) -> bool:
        return self.view.seats[seat].attempts.get(exercise, Attempt()).passed
