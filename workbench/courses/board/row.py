"""What is shown of a seat: its exercises, its lesson, whether its server runs. Called by ``shown``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...dashboards.pages.language import N_, translations
from . import hub, looking
from .diary import Diary
from .programme import Part
from .seat import Attempt, Seat
from .watch import View, Watch
from .words import clock, person, span, spot

#: Attempts without success after which somebody may be stuck and not say so.
STUCK = 5
#: Each state of an exercise has a shape and a word; the colour comes on top.
MARKS = {"open": "○", "trying": "◐", "passed": "●", "help": "▲"}
STATES = {"open": N_("not begun"), "trying": N_("trying (times)"), "passed": N_("right"), "help": N_("asks for help")}


@dataclass(frozen=True)
class Row:
    """Puts a seat into words.

    Attributes
    ----------
    watch, diary : Watch, Diary
        What is known of the seats, and what the trainer did.
    view : View
        What was seen now.
    language : str
        In which the trainer reads.
    shown : Part
        The lesson whose exercises are shown.
    """

    watch: Watch
    diary: Diary
    view: View
    language: str
    shown: Part

    @property
    def _(self) -> Callable[[str], str]:
        return translations(self.language).gettext

    def of(self, name: str) -> dict[str, Any]:
        """Return what is shown of a seat."""
        seat, part = self.view.seats[name], self.view.course.part(self.view.seats[name].lesson)
        use, (trouble, running) = self.watch.use(name), self._server(name)
        look = looking.look(self.diary, seat, self.view.at)
        return {
            "name": name, "person": person(name, self.diary, self.language), "own_name": self.diary.name(name),
            "about": self.diary.about(name), "language": self.watch.language(name),
            **self._hand(seat), **self._time(seat, part), "part": part,
            "cells": [self._cell(seat, exercise) for exercise in self.shown.exercises],
            "right": seat.counted(tuple(self.view.course.exercises)), "stuck": self._stuck(seat),
            "trouble": trouble, "running": running, "memory": use.memory if use else 0,
            "look": look, "look_until": clock(look.until) if look.until else "",
        }  # fmt: skip

    def _hand(self, seat: Seat) -> dict[str, Any]:
        """Return since when a seat waits for help, and with what."""
        hand = self.watch.hand(seat.name)
        at, exercise = hand or (0.0, "")
        return {
            "hand": hand, "hand_for": spot(exercise, self.language), "waits": span(self.view.at - at, self.language),
            "hand_free": hand is not None and exercise not in self.shown.exercises,
            "effort": self._effort(seat, exercise),
        }  # fmt: skip

    def _time(self, seat: Seat, part: Part | None) -> dict[str, Any]:
        spent = seat.spent(self.view.at)
        ready = part is not None and seat.counted(part.exercises) == len(part.exercises)
        late = part is not None and not ready and spent > part.minutes * 60
        return {"spent": span(spent, self.language), "late": late}

    def _cell(self, seat: Seat, exercise: str) -> dict[str, Any]:
        """Return an exercise's mark and words."""
        attempt, hand = seat.attempts.get(exercise, Attempt()), self.watch.hand(seat.name)
        state = "help" if hand and hand[1] == exercise else attempt.state
        tries = self._many("tries", attempt.tries)
        word = (tries or self._("begun")) if state == "trying" else self._(STATES[state])
        more = [tries if state == "help" else "", self._("solution seen") if attempt.solved else ""]
        return {
            "name": exercise, "state": state, "mark": MARKS[state], "word": word, "more": ", ".join(filter(None, more)),
        }  # fmt: skip

    def _effort(self, seat: Seat, exercise: str) -> str:
        """Return what a participant has tried at an exercise."""
        attempt = seat.attempts.get(exercise, Attempt())
        return ", ".join(filter(None, (self._many("tries", attempt.tries), self._many("hints", attempt.hints))))

    def _many(self, what: str, many: int) -> str:
        words = translations(self.language)
        if what == "tries":
            told = words.ngettext("%(num)d try", "%(num)d tries", many)
        elif what == "hints":
            told = words.ngettext("%(num)d hint", "%(num)d hints", many)
        else:
            told = words.ngettext("%(num)d kernel", "%(num)d kernels", many)
        return told % {"num": many} if many else ""

    def _stuck(self, seat: Seat) -> str:
        """Return where somebody may be stuck who does not ask."""
        for exercise, attempt in seat.attempts.items() if self.watch.hand(seat.name) is None else ():
            if attempt.tries >= STUCK and not attempt.passed and not attempt.solved:
                return f"{spot(exercise, self.language)}, {self._effort(seat, exercise)}"
        return ""

    def _server(self, name: str) -> tuple[str, str]:
        """Return what is wrong with a seat's server or kernel, or else how it runs."""
        if self.view.servers is None:
            return "", self._("unknown")
        server, come = self.view.servers.get(name, hub.Server("off")), name in self.view.come
        if server.state == "waiting":
            place = hub.queue(self.view.servers).index(name) + 1
            return self._("waits, place %(place)d") % {"place": place}, ""
        if not come:
            return "", self._("ready, nobody has come") if server.state == "on" else self._("nobody has come")
        if server.state == "off":
            return self._("server does not run"), ""
        use = self.watch.use(name)
        if use is None:
            return "", self._("server runs")
        return "", self._many("kernels", use.kernels) or self._("no kernel")
