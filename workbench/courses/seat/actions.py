"""What a participant does with a lesson's toolbar: each becomes an event at their desk. Called by ``handlers``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from ...dashboards.pages.language import translations
from ...errors import WorkbenchError
from .. import news
from ..desk import Desk
from ..resetting import reset
from ..standing import over

Given = Mapping[str, Any]


def do(name: str, desk: Desk, given: Given) -> dict[str, Any]:
    """Do what is asked for, and return what the toolbar needs to know of it.

    Raises
    ------
    WorkbenchError
        If something is missing or cannot be done; nothing has changed then.
    """
    return ACTIONS[name](desk, given)


def _hand(desk: Desk, given: Given) -> dict[str, Any]:
    """Raise a hand, for an exercise or a lesson, or take it down."""
    about = {}
    if given.get("exercise") is not None:
        lesson, exercise = desk.exercise(_text(given, "exercise"))
        about = {"exercise": exercise["name"], "lesson": lesson["file"]}
    elif given.get("lesson") is not None:
        about = {"lesson": desk.lesson(_text(given, "lesson"))["file"]}
    up = _truth(given, "up")
    desk.note("hand" if up else "hand-down", **about)
    return {"hand": up}


def _reset(desk: Desk, given: Given) -> dict[str, Any]:
    kept = reset(desk, _text(given, "lesson"))
    return {"kept": kept.name if kept else None}


def _lay(desk: Desk, given: Given) -> dict[str, Any]:
    """Give back a lesson that is not there any more, before it is opened."""
    lesson = desk.lesson(_text(given, "lesson"))["file"]
    gone = not os.path.lexists(desk.folder / lesson)
    if gone:
        reset(desk, lesson)
    return {"laid": gone}


def _language(desk: Desk, given: Given) -> dict[str, Any]:
    name = _text(given, "language")
    desk.read_in(name)
    desk.note("language", language=name)
    return {"language": name}


def _consent(desk: Desk, given: Given) -> dict[str, Any]:
    """Answer a trainer who asks to look; what nobody asked for is not answered."""
    asked = _told(given, "ask-look")
    answer = _truth(given, "answer")
    if answer and time.time() > over(asked):
        raise WorkbenchError(translations(desk.language).gettext("Your trainer does not ask any more."))
    desk.note("consent", id=asked["id"], answer=answer)
    return {"answer": answer}


def _read(desk: Desk, given: Given) -> dict[str, Any]:
    desk.note("read", id=_told(given)["id"])
    return {}


def _opened(desk: Desk, given: Given) -> dict[str, Any]:
    desk.note("opened", lesson=desk.lesson(_text(given, "lesson"))["file"])
    return {}


def _solution_shown(desk: Desk, given: Given) -> dict[str, Any]:
    lesson, exercise = desk.exercise(_text(given, "exercise"))
    code = news.solution(exercise["name"])
    if code is None:
        raise WorkbenchError(f"the solution of {exercise['name']} has not been given")
    desk.note("solution-shown", exercise=exercise["name"], lesson=lesson["file"])
    return {"code": code}


ACTIONS: dict[str, Callable[[Desk, Given], dict[str, Any]]] = {
    "hand": _hand, "reset": _reset, "language": _language, "consent": _consent, "read": _read, "opened": _opened,
    "lay": _lay,
    "solution-shown": _solution_shown,
}  # fmt: skip


def _text(given: Given, name: str) -> str:
    if not isinstance(given.get(name), str):
        raise WorkbenchError(f"{name} must be a text")
    return str(given[name])


def _truth(given: Given, name: str) -> bool:
    if not isinstance(given.get(name), bool):
        raise WorkbenchError(f"{name} must be true or false")
    return bool(given[name])


def _told(given: Given, event: str = "") -> dict[str, Any]:
    """Return the news that is answered."""
    number = given.get("id")
    for told in news.read():
        if told["id"] == number and not isinstance(number, bool) and (not event or told["event"] == event):
            return told
    raise WorkbenchError(f"id {number!r} is no news of this seat")
