"""The words of a lesson's toolbar, by what the script calls them."""

from __future__ import annotations

from ...dashboards.pages.language import translations
from ..resetting import FRESH, KEPT


def words(language: str) -> dict[str, str]:
    """Return all words in a language; what stands in ``%(name)s`` the script fills in."""
    _ = translations(language).gettext
    return {
        "lesson": _("Lesson"),
        "language": _("Language of the lesson"),
        "unreviewed": _("not yet reviewed"),
        "raise": _("Raise your hand"),
        "lower": _("Take your hand down"),
        "raised": _("Your hand is raised: the trainer sees it."),
        "lowered": _("Your hand is down."),
        "reset": _("Begin this notebook anew"),
        "sure": _(
            "You get the notebook as it was at the beginning. "
            "What you have now stays beside it, as a copy with its date."
        ),
        "kept": _(KEPT),
        "fresh": _(FRESH),
        "unreset": _("The notebook was not changed"),
        "unsaved": _("Your notebook could not be saved, so nothing was changed."),
        "time": _("%(spent)d of %(planned)d min"),
        "time-told": _("You have been in this lesson for %(spent)d of about %(planned)d minutes."),
        "passed": _("right"),
        "trying": _("tried"),
        "open": _("not begun"),
        "trainer": _("From your trainer: %(text)s"),
        "read": _("Got it"),
        "opens": _("Your trainer opens the lesson “%(title)s”."),
        "go": _("Go there"),
        "solution": _("Your trainer gives the solution of %(exercise)s."),
        "show": _("Show"),
        "insert": _("Insert"),
        "solution-of": _("Solution of %(exercise)s"),
        "where": _("Open the lesson with this exercise first."),
        "look": _("May your trainer look at your notebook?"),
        "look-more": _(
            "Your trainer would like to see this notebook as it is now, for %(minutes)d minutes, "
            "and can change nothing. You may refuse, and you may end it at any time."
        ),
        "allow": _("Allow"),
        "refuse": _("Refuse"),
        "looking": _("Your trainer may look at your notebook until %(time)s."),
        "end-look": _("End it now"),
        "changed": _("Your trainer has improved the lesson “%(title)s”. Begin it anew to get it; yours is kept."),
        "ends": _("The course ends at %(time)s. Save your work: what you have is kept."),
        "memory": _(
            "The memory of your seat was full, so a kernel was ended; nothing you saved is lost. "
            "Execute the cells again from the top, with less data, or raise your hand."
        ),
        "cancel": _("Cancel"),
        "close": _("Close"),
        "lost": _("The connection to your seat is lost. Your notebook stays here; this page tries again."),
        "back": _("The connection to your seat is back."),
        "failed": _("That did not work: %(why)s"),
    }
