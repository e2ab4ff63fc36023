"""What a participant reads of a marked cell, in their language, in one card that changes in its place. By ``magic``."""

from __future__ import annotations

from typing import Any

from babel import numbers

from ...dashboards.pages.language import translations
from .. import showing


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
        self._sentence = ""
        self._shown: Any = None

    def tell(self, sentence: str) -> None:
        """Show a sentence in place of the one before."""
        from IPython.display import display

        if sentence == self._sentence:
            return
        self._sentence = sentence
        data = {"text/html": showing.note(sentence), "text/plain": sentence}
        if self._shown is None:
            self._shown = display(data, raw=True, display_id=True)
        else:
            self._shown.update(data, raw=True)

    def again(self) -> None:
        """Show it anew, because everything below the cell was cleared."""
        sentence, self._sentence, self._shown = self._sentence, "", None
        self.tell(sentence)

    def progress(self, said: dict[str, Any]) -> None:
        """Tell where the cell is: in the queue, about to begin, running."""
        _ = self._
        if said["say"] == "queue":
            words = _("Waiting for the factory: you are number %(place)d of %(of)d in the queue.")
            self.tell(words % {"place": said["place"], "of": said["of"]})
        elif said["say"] == "starting":
            self.tell(_("The factory starts a kernel for this cell …"))
        else:
            words = _("Running at the factory, at most %(seconds)d s. You have %(left)d s left in this course.")
            self.tell(words % {"seconds": round(said["seconds"]), "left": round(said["left"])})

    def end(self, said: dict[str, Any]) -> str:
        """Tell how the cell ended, and return the sentence."""
        seconds = numbers.format_decimal(round(said.get("seconds", 0), 1), locale=self._language)
        used = {"seconds": seconds, "left": round(said.get("left", 0))}
        sentence = self._why(said) % {
            **used, "budget": round(said.get("budget", 0)), "sentence": said.get("sentence", "")
        }  # fmt: skip
        self.tell(sentence)
        return sentence

    def _why(self, said: dict[str, Any]) -> str:
        _ = self._
        known = {
            "done": _("Ran at the factory for %(seconds)s s. You have %(left)d s left in this course."),
            "failed": _("Stopped with an error after %(seconds)s s. You have %(left)d s left in this course."),
            "limit": _(
                "The factory stopped this cell after %(seconds)s s: no cell may run longer. Make the work smaller. "
                "You have %(left)d s left in this course."
            ),
            "interrupted": _("Interrupted after %(seconds)s s. You have %(left)d s left in this course."),
            "output": _("The factory stopped this cell because it says or gives back too much: make that less."),
            "dead": _("The kernel at the factory died: execute the cell again, or make the work smaller."),
            "refused": _("The factory gives no kernel: “%(sentence)s”. Try again later, and tell your trainer."),
            "closing": _("The room closes: nothing more runs at the factory."),
            "budget": _("You have used the %(budget)d s at the factory that this course gives you."),
            "busy": _("Another cell of yours is at the factory: wait for it, or interrupt it."),
            "unknown": _("The room does not know this seat: restart the kernel, or tell your trainer."),
            "bad": _("This cell is too long for the factory: make it shorter."),
        }
        return known.get(said["why"], known["dead"])

    def absent(self) -> str:
        """Tell that there is no factory."""
        sentence = self._("This cell is for a factory's computer, and here is none.")
        self.tell(sentence)
        return sentence

    def lost(self) -> str:
        """Tell that whoever has the kernels does not answer."""
        sentence = self._("The factory cannot be reached from this room: execute the cell again, or tell your trainer.")
        self.tell(sentence)
        return sentence

    def here(self, why: str) -> None:
        """Tell that the cell runs on the seat's own kernel."""
        self.tell(f"{why} {self._('It runs on your own kernel instead, which may take longer.')}")

    def cut(self) -> None:
        """Tell that some output did not come through."""
        self.tell(self._("Some of what this cell said was too large to be shown."))
