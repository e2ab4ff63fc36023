"""What a participant reads of a marked cell, in their language, in one card that changes in its place. By ``magic``."""

from __future__ import annotations

from html import escape
from typing import Any

from babel import numbers

from ...dashboards.pages.language import translations
from .. import showing

_RIGHT, _STOPPED, _TOLD = ("✓", "#1a7f37"), ("!", "#9a6700"), ("i", "#0b57d0")


class Card:
    """The card below a marked cell.

    Parameters
    ----------
    language : str
        In which the participant reads.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._ = translations(language).gettext
        self._now: tuple[Any, ...] = ()
        self._shown: Any = None

    def tell(self, head: str, *more: str, sign: tuple[str, str] = _TOLD) -> str:
        """Show a head and sentences in place of those before, and return them as text."""
        from IPython.display import display

        text, now = " ".join((f"{head.rstrip('.')}." if more else head, *more)), (head, more, sign)
        if now != self._now:
            self._now = now
            body = f"<div>{escape(' '.join(more))}</div>" if more else ""
            data = {"text/html": showing.card(*sign, head, body), "text/plain": text}
            if self._shown is None:
                self._shown = display(data, raw=True, display_id=True)
            else:
                self._shown.update(data, raw=True)
        return text

    def again(self) -> None:
        """Show it anew, because everything below the cell was cleared."""
        (head, more, sign), self._now, self._shown = self._now, (), None
        self.tell(head, *more, sign=sign)

    def progress(self, said: dict[str, Any]) -> None:
        """Tell where the cell is: in the queue, about to begin, running."""
        _ = self._
        if said["say"] == "queue":
            place = {"place": said["place"], "of": said["of"]}
            self.tell(_("Waiting for the factory"), _("You are number %(place)d of %(of)d in the queue.") % place)
        elif said["say"] == "starting":
            self.tell(_("The factory starts a kernel for this cell …"))
        else:
            limit = _("At most %(seconds)d s.") % {"seconds": round(said["seconds"])}
            self.tell(_("Running at the factory"), limit, self._left(said))

    def end(self, said: dict[str, Any]) -> str:
        """Tell how the cell ended, and return that as text."""
        _, why = self._, said["why"]
        seconds = {"seconds": numbers.format_decimal(round(said.get("seconds", 0), 1), locale=self._language)}
        if why == "done":
            return self.tell(_("Ran at the factory for %(seconds)s s") % seconds, self._left(said), sign=_RIGHT)
        if why in ("failed", "limit", "interrupted"):
            heads = {
                "failed": _("Stopped with an error after %(seconds)s s"),
                "limit": _("The factory stopped this cell after %(seconds)s s"),
                "interrupted": _("Interrupted after %(seconds)s s"),
            }
            more = [_("No cell may run longer: make the work smaller.")] if why == "limit" else []
            return self.tell(heads[why] % seconds, *more, self._left(said), sign=_STOPPED)
        told = {"budget": round(said.get("budget", 0)), "sentence": said.get("sentence", "")}
        return self.tell(*(words % told for words in self._refusal(why)), sign=_STOPPED)

    def _left(self, said: dict[str, Any]) -> str:
        return self._("You have %(left)d s left in this course.") % {"left": round(said.get("left", 0))}

    def _refusal(self, why: str) -> tuple[str, ...]:
        _ = self._
        known = {
            "output": (_("The factory stopped this cell"), _("It says or gives back too much: make that less.")),
            "refused": (
                _("The factory gives no kernel"),
                "%(sentence)s.",
                _("Tell your trainer, and try again later."),
            ),
            "closing": (_("The room closes: nothing more runs at the factory."),),
            "budget": (_("You have used the %(budget)d s at the factory that this course gives you."),),
            "busy": (_("Another cell of yours is at the factory: wait for it, or interrupt it."),),
            "unknown": (_("The room does not know this seat: restart the kernel, or tell your trainer."),),
            "bad": (_("This cell is too long for the factory: make it shorter."),),
        }
        died = (_("The kernel at the factory died"), _("Execute the cell again, or make the work smaller."))
        return known.get(why, died)

    def absent(self) -> str:
        """Tell that there is no factory."""
        return self.tell(self._("This cell is for a factory's computer, and here is none."), sign=_STOPPED)

    def lost(self) -> str:
        """Tell that whoever has the kernels does not answer."""
        more = self._("Execute the cell again, or tell your trainer.")
        return self.tell(self._("The factory cannot be reached from this room"), more, sign=_STOPPED)

    def here(self) -> None:
        """Tell that the cell runs on the seat's own kernel."""
        (head, more, _), here = self._now, self._("It runs on your own kernel instead, which may take longer.")
        self.tell(head, *more, here)

    def cut(self) -> None:
        """Tell that some output did not come through."""
        self.tell(self._("Some of what this cell said was too large to be shown."), sign=_STOPPED)
