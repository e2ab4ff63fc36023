"""What the trainer did, in words. Called by ``shown``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...dashboards.pages.language import N_, translations
from . import deletion
from .diary import Diary
from .watch import View
from .words import clock, person, spot

#: Entries that are shown, and letters of a message.
_ENTRIES, _LETTERS = 12, 80
_PLAIN = {
    "hand-down": N_("Hand down: %(whom)s"),
    "hand-up": N_("Hand up again: %(whom)s"),
    "ask-look": N_("Asked to look: %(whom)s"),
    "look-end": N_("Looking ended: %(whom)s"),
    "code": N_("New code: %(whom)s"),
    "name": N_("Named: %(whom)s"),
    "about": N_("For the report: %(whom)s"),
}


@dataclass(frozen=True)
class Told:
    """Puts entries of the diary into words.

    Attributes
    ----------
    diary : Diary
        What the trainer did.
    view : View
        What was seen now: who has read a message.
    language : str
        In which the trainer reads.
    """

    diary: Diary
    view: View
    language: str

    @property
    def _(self) -> Callable[[str], str]:
        return translations(self.language).gettext

    def last(self) -> Iterator[dict[str, str]]:
        """Yield what was done last, the latest first."""
        for entry in reversed(self.diary.entries[-_ENTRIES:]):
            if words := self._words(entry):
                yield {"time": clock(entry["at"]), "words": words}

    def _words(self, entry: Mapping[str, Any]) -> str:
        seat, event = entry.get("seat"), entry["event"]
        whom = person(seat, self.diary, self.language) if seat else self._("everybody")
        if event == "open":
            part = self.view.course.part(entry["lesson"])
            title = f"{part.number}. {part.title(self.language)}" if part else entry["lesson"]
            return self._("Lesson for %(whom)s: %(title)s") % {"whom": whom, "title": title}
        if event == "message":
            return self._message(entry, whom)
        if event == "solution":
            known = {"whom": whom, "exercise": spot(entry["exercise"], self.language)}
            return self._("Solution of %(exercise)s for %(whom)s") % known
        if event == "keep":
            return self._("Deletion on %(day)s") % {"day": deletion.spoken(entry["day"], self.language)}
        return self._(_PLAIN[event]) % {"whom": whom} if event in _PLAIN else ""

    def _message(self, entry: Mapping[str, Any], whom: str) -> str:
        """Return a message's beginning, and how many have read it."""
        numbers, seats = entry.get("numbers", {}), self.view.seats
        read = sum(number in seats[name].read for name, number in numbers.items() if name in seats)
        text = next(iter(entry["text"].values()), "")
        text = text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"
        said = self._("Message to %(whom)s: “%(text)s”; read by %(read)d of %(many)d")
        return said % {"whom": whom, "text": text, "read": read, "many": len(numbers)}
