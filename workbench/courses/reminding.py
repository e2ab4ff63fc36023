"""What a lesson adds to an error of Python: where an unknown name comes from. Listens in the notebook's kernel."""

from __future__ import annotations

from typing import Any

from ..dashboards.pages.language import N_, translations
from ..errors import WorkbenchError
from . import showing
from .desk import here

#: What asks for something and is no attempt.
ASKING = ("check(", "hint(", "help_me(", "progress(", "solution(")
_UNKNOWN = N_("Nothing is called “%(name)s” here yet.")
_REMEDY = N_(
    "If a cell above makes it, execute that cell first; after a restart of the kernel all are needed again: Run → Run"
    " All Above Selected Cell. Else look at how it is spelled."
)
#: How the last attempt ended, if with an error.
_errors: list[BaseException] = []


def register(shell: Any) -> None:
    """Look at every cell that is executed from now on; once more changes nothing."""
    shell.events.register("pre_run_cell", forget)
    shell.events.register("post_run_cell", look_back)


def forget(info: Any) -> None:
    """Know of no error once there is another attempt. Called by IPython."""
    if _attempt(info):
        _errors.clear()


def look_back(result: Any) -> None:
    """Keep how an attempt ended, and say below an unknown name what helps. Called by IPython."""
    failed = result.error_in_exec or result.error_before_exec
    if failed is not None and _attempt(result.info):
        _errors.append(failed)
    if type(failed) is not NameError:
        return
    try:
        language = here().language
    except WorkbenchError:  # a notebook of no course
        return
    _ = translations(language).gettext
    head, remedy = _(_UNKNOWN) % {"name": failed.name or failed}, _(_REMEDY)
    showing.display(showing.note(head, remedy), f"{head}\n{remedy}")


def _attempt(info: Any) -> bool:
    return not str(info.raw_cell).strip().startswith(ASKING)


def stopped(language: str) -> str:
    """Return a sentence about the last attempt if it ended with an error: what a check finds is older then."""
    if not _errors:
        return ""
    words = translations(language).gettext("Your last cell stopped with %(kind)s: this is about what was there before.")
    return str(words % {"kind": type(_errors[-1]).__name__})
