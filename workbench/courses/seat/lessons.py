"""A desk's lessons as the toolbar shows them: titles, states, time, all in the participant's language."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ...dashboards.pages.language import own_name
from .. import news
from ..desk import Desk, states, text_in
from ..showing import told as sentence
from ..standing import looking, open_questions, raised, spent
from .words import words


def about(desk: Desk, root: Path) -> dict[str, Any]:
    """Return what the toolbar is made of.

    Parameters
    ----------
    root : Path
        What the notebook server shows; a lesson's path is below it.
    """
    course, language = desk.about["course"], desk.language
    lessons = {
        lesson["file"]: {
            "path": _path(desk.folder / lesson["file"], root),
            "title": text_in(lesson["title"], language),
            "minutes": lesson["minutes"],
        }
        for lesson in course["lessons"]
    }
    languages = [
        {"name": name, "own": own_name(name), "unreviewed": name in course.get("unreviewed", [])}
        for name in course["languages"]
    ]
    room = news.path() is not None  # at home nobody would see a raised hand
    return {"language": language, "languages": languages, "lessons": lessons, "words": words(language), "room": room}


def progress(desk: Desk) -> dict[str, Any]:
    """Return how far the participant is, and whether a hand is raised."""
    events, language = desk.happened(), desk.language
    found, seconds = states(desk, events), spent(events)
    lessons = {}
    for lesson in desk.about["lessons"]:
        names = [exercise["name"] for exercise in lesson["exercises"]]
        lessons[lesson["file"]] = {
            "exercises": [{"name": name, "state": found[name]} for name in names],
            "told": sentence(found, names, language),
            "seconds": round(seconds.get(lesson["file"], 0)),
        }
    told = news.read()
    return {"lessons": lessons, "hand": raised(events, told) is not None, "looking": looking(events, told, time.time())}


def unread(desk: Desk, after: int, now: float) -> list[dict[str, Any]]:
    """Return news after a number that still says something: not read, not answered, not over.

    Whether a hand is raised stands in :func:`progress`.
    """
    events, language = desk.happened(), desk.language
    read = {event.get("id") for event in events if event["event"] in ("read", "consent")}
    where = {e["name"]: lesson["file"] for lesson in desk.about["lessons"] for e in lesson["exercises"]}
    asked = {one["id"] for one in open_questions(news.read(), now)}
    found = [one for one in news.read(after) if one["id"] not in read and one["event"] not in ("hand-down", "look-end")]
    return [
        {"lesson": where.get(one.get("exercise", "")), **one, "text": _text(one.get("text"), language)}
        for one in found
        if one["event"] != "ask-look" or one["id"] in asked
    ]


def _text(text: Any, language: str) -> str:
    return text_in(text, language) if isinstance(text, dict) and text else str(text or "")


def _path(file: Path, root: Path) -> str:
    """Return a file's path as JupyterLab names it; empty where the server does not show it."""
    try:
        return file.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return ""
