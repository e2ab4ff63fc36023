"""What the trainer may do, each confirmed in words, done once however often it is clicked. Called by the handlers."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...dashboards.pages.language import translations
from ..home.categories import CATEGORIES
from ..room.folder import SOLUTIONS, Room
from ..room.news import tell, told
from . import deletion
from .asked import Asked, Refused
from .diary import Diary
from .looking import MINUTES
from .programme import Part
from .sheets import Sheets
from .watch import Watch
from .words import person, spot

#: Letters of a message, and of what is typed about a seat.
MESSAGE, TYPED = 1000, 80
#: Actions that are remembered, so that a second click finds what the first did.
_REMEMBERED = 500


@dataclass(frozen=True)
class Done:
    """What was done.

    Attributes
    ----------
    said : str
        In words.
    undo : dict
        The action that takes it back; empty where none can.
    code : str
        A new code, which is shown once.
    """

    said: str
    undo: dict[str, Any] = field(default_factory=dict)
    code: str = ""


class Actions:
    """Does what the trainer asks for.

    Parameters
    ----------
    room : Room
        In which.
    diary : Diary
        Where it is written down.
    watch : Watch
        What is known of seats.
    sheets : Sheets
        Where a new code is printed.
    """

    def __init__(self, room: Room, diary: Diary, watch: Watch, sheets: Sheets) -> None:
        self.room, self.diary, self.watch, self.sheets = room, diary, watch, sheets
        self._done: OrderedDict[str, Done] = OrderedDict()
        self._known: dict[str, Callable[[Asked], Done]] = {
            "open": self._open, "message": self._message, "solution": self._solution, "hand-down": self._hand_down,
            "hand-up": self._hand_up, "ask-look": self._ask_look, "look-end": self._look_end, "code": self._code,
            "name": self._name, "about": self._about, "keep": self._keep,
        }  # fmt: skip

    def do(self, asked: Mapping[str, Any], language: str) -> Done:
        """Do it, unless the same click was heard before.

        Parameters
        ----------
        asked : mapping
            ``act``, ``once`` (the click's own mark) and what the action needs.

        Raises
        ------
        Refused
            If it cannot be done; then nothing was.
        """
        _ = translations(language).gettext
        once, act = asked.get("once"), self._known.get(str(asked.get("act")))
        if act is None or not isinstance(once, str) or not 8 <= len(once) <= 64:
            raise Refused(_("The board does not know this. Load the page again."))
        if once in self._done:
            return self._done[once]
        if any(entry.get("once") == once for entry in self.diary.entries):
            return Done(_("This was done already."))
        done = act(Asked(asked, language, self.room, once))
        self._done[once] = done
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        return done

    def _open(self, asked: Asked) -> Done:
        part = self._part(asked, asked.text("lesson"))
        tell(self.room, asked.seat, "open", lesson=part.file)
        self.diary.add("open", seat=asked.seat, lesson=part.file, once=asked.once)
        said = asked.gettext("Lesson %(number)d, “%(title)s”, opens for %(whom)s.")
        return Done(said % {"number": part.number, "title": part.title(asked.language), "whom": self._whom(asked)})

    def _message(self, asked: Asked) -> Done:
        texts = asked.texts()
        if not any(texts.values()):
            raise Refused(asked.gettext("The message is empty: type what participants are to read."))
        if any(len(text) > MESSAGE for text in texts.values()):
            raise Refused(asked.gettext("The message is too long: %(many)d letters are enough.") % {"many": MESSAGE})
        tell(self.room, asked.seat, "message", text=texts)
        numbers = {name: self._number(name) for name in ([asked.seat] if asked.seat else self.room.seats)}
        self.diary.add("message", seat=asked.seat, text=texts, numbers=numbers, once=asked.once)
        return Done(asked.gettext("The message is sent to %(whom)s.") % {"whom": self._whom(asked)})

    def _solution(self, asked: Asked) -> Done:
        exercise = asked.text("exercise")
        solutions = json.loads((self.room.folder / SOLUTIONS).read_text(encoding="utf-8"))
        if exercise not in solutions:
            raise Refused(asked.gettext("There is no solution of “%(exercise)s”.") % {"exercise": exercise})
        known = {"exercise": spot(exercise, asked.language), "whom": self._whom(asked)}
        if self._given(exercise, asked.seat):
            return Done(asked.gettext("The solution of %(exercise)s was given to %(whom)s before.") % known)
        tell(self.room, asked.seat, "solution", exercise=exercise, code=solutions[exercise])
        self.diary.add("solution", seat=asked.seat, exercise=exercise, once=asked.once)
        return Done(asked.gettext("The solution of %(exercise)s is given to %(whom)s.") % known)

    def _given(self, exercise: str, seat: str | None) -> bool:
        found = (e for e in self.diary.entries if e["event"] == "solution" and e["exercise"] == exercise)
        return any(e.get("seat") in (None, seat) for e in found)

    def _hand_down(self, asked: Asked) -> Done:
        seat = asked.one()
        known = {"seat": person(seat, self.diary, asked.language)}
        if self.watch.hand(seat) is None:
            return Done(asked.gettext("The hand of %(seat)s is down already.") % known)
        tell(self.room, seat, "hand-down")
        self.diary.add("hand-down", seat=seat, once=asked.once)
        return Done(asked.gettext("The hand of %(seat)s is down.") % known, {"act": "hand-up", "seat": seat})

    def _hand_up(self, asked: Asked) -> Done:
        seat = asked.one()
        self.diary.add("hand-up", seat=seat, once=asked.once)
        return Done(
            asked.gettext("%(seat)s waits for help again.") % {"seat": person(seat, self.diary, asked.language)}
        )

    def _ask_look(self, asked: Asked) -> Done:
        seat, minutes = asked.one(), asked.number("minutes", MINUTES)
        tell(self.room, seat, "ask-look", minutes=minutes)
        self.diary.add("ask-look", seat=seat, question=self._number(seat), minutes=minutes, once=asked.once)
        said = asked.gettext("%(seat)s is asked whether you may look for %(minutes)d minutes.")
        return Done(said % {"seat": person(seat, self.diary, asked.language), "minutes": minutes})

    def _look_end(self, asked: Asked) -> Done:
        seat = asked.one()
        question = self.diary.last("ask-look", "look-end", seat=seat)
        if question is not None and question["event"] == "ask-look":
            tell(self.room, seat, "look-end", question=question["question"])
            self.diary.add("look-end", seat=seat, once=asked.once)
        said = asked.gettext("You no longer look at the notebook of %(seat)s.")
        return Done(said % {"seat": person(seat, self.diary, asked.language)})

    def _code(self, asked: Asked) -> Done:
        seat = asked.one()
        code = self.room.give_code(seat)
        self.sheets.write({seat: code})
        self.diary.add("code", seat=seat, once=asked.once)
        said = asked.gettext("%(seat)s has a new code. An earlier one that nobody used opens nothing any more.")
        return Done(said % {"seat": person(seat, self.diary, asked.language)}, code=code)

    def _name(self, asked: Asked) -> Done:
        seat, name, before = asked.one(), asked.text("name", TYPED), self.diary.name(asked.one())
        self.diary.add("name", seat=seat, name=name, once=asked.once)
        said = (
            asked.gettext("You call it %(seat)s.") if name else asked.gettext("The name is taken away: it is %(seat)s.")
        )
        undo = {"act": "name", "seat": seat, "name": before} if before != name else {}
        return Done(said % {"seat": person(seat, self.diary, asked.language)}, undo)

    def _about(self, asked: Asked) -> Done:
        seat, before = asked.one(), self.diary.about(asked.one())
        now = {key: asked.text(key, TYPED) for key in before}
        if any(now[kind] not in ("", *known) for kind, known in CATEGORIES.items()):
            raise Refused(asked.gettext("Choose from the lists."))
        self.diary.add("about", seat=seat, **now, once=asked.once)
        undo = {"act": "about", "seat": seat, **before} if before != now else {}
        said = asked.gettext("What the report counts for %(seat)s is written down.")
        return Done(said % {"seat": person(seat, self.diary, asked.language)}, undo)

    def _keep(self, asked: Asked) -> Done:
        day = asked.text("day")
        before = deletion.day(self.room)
        try:
            deletion.set_day(self.room, day)
        except ValueError:
            raise Refused(asked.gettext("Choose a day from tomorrow on, and within a year.")) from None
        self.diary.add("keep", day=day, once=asked.once)
        undo = {"act": "keep", "day": before} if before != day else {}
        said = asked.gettext("All data of this room are deleted on %(day)s.")
        return Done(said % {"day": deletion.spoken(day, asked.language)}, undo)

    def _part(self, asked: Asked, file: str) -> Part:
        part = self.watch.course.part(file)
        if part is None:
            raise Refused(
                asked.gettext("This course has no lesson “%(lesson)s”. Load the page again.") % {"lesson": file}
            )
        return part

    def _number(self, seat: str) -> int:
        """Return the number of what a seat was told last."""
        return int(told(self.room, seat)[-1]["id"])

    def _whom(self, asked: Asked) -> str:
        return person(asked.seat, self.diary, asked.language) if asked.seat else asked.gettext("everybody")
