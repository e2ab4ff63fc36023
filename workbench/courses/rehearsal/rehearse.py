"""Rehearse a course: open a room as on the day, let everybody come and work, and judge. Called by the command line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from ...errors import WorkbenchError
from ..course import Course
from ..room.command import fill
from ..room.supervisor import opened
from . import chromium, report, stock, temporary
from .crowd import Crowd, Outcome, looking
from .lesson import cells, first, kernelspec
from .memory import Measured, Memory, Watch, family, measured
from .places import GO, Finding, findings
from .report import Limits, Report


@dataclass(frozen=True)
class Plan:
    """What is to be rehearsed.

    Attributes
    ----------
    course : Course
        In the trainer's version.
    lesson : int
        From 1.
    place : Path
        Folder in which the temporary room is made.
    browsers : int
        How many of the participants use a real Chromium.
    stock : bool
        Whether a stock JupyterHub is measured beside it.
    """

    course: Course
    participants: int
    place: Path
    lesson: int = 1
    host: str = "127.0.0.1"
    name: str = "127.0.0.1"
    port: int = 8000
    browsers: int = 0
    stock: bool = False
    limits: Limits = field(default_factory=Limits)

    def crowd(self, address: str, forms: dict[str, dict[str, str]], kernel: str | None = None) -> Crowd:
        """Return who comes to an address."""
        about = self.course.about.lessons[self.lesson - 1]
        made = cells(self.course, self.lesson)
        asked = kernel or kernelspec(self.course, self.lesson)
        real = 0 if kernel or chromium.absent() else self.browsers
        return Crowd(address, forms, about.file, asked, first(made), made, max(60.0, about.minutes * 60.0), real)


def rehearse(plan: Plan, told: Callable[[str], None]) -> Report:
    """Rehearse a course in a room of its own.

    Raises
    ------
    WorkbenchError
        If the course contradicts itself, or the room cannot be made or opened.
    """
    if not plan.place.is_dir():
        raise WorkbenchError(f"{plan.place} is no folder: name one that is there with --room")
    if plan.browsers > plan.participants:
        raise WorkbenchError(
            f"{plan.browsers} browsers are more than {plan.participants} participants have: ask for fewer"
        )
    cells(plan.course, plan.lesson)  # what is wrong with the course is said before anything starts
    file = plan.course.about.lessons[plan.lesson - 1].file
    found = Report(plan.course.name, file, plan.participants)
    found.findings += findings(plan.place, plan.participants, plan.host, plan.name, plan.port)
    if not found.go:
        return found
    outcome, seen, seconds = _held(plan, told)
    found.findings += [
        Finding("opening", GO, f"the room was open, with all seats ready, after {seconds:.0f} s"),
        report.arrival(outcome, plan.limits),
    ]
    if any(not came.fault for came in outcome.came):
        found.findings += _judged(plan, outcome, seen.after)
    found.findings += report.browsers(outcome, plan.browsers, chromium.absent())
    found.figures["room"] = {**report.figures(outcome, seen), "open": round(seconds, 1)}
    if plan.stock:
        found.figures["stock"] = _stock(plan, told)
        found.figures["stock in rooms"] = report.ratios(found.figures["stock"], found.figures["room"])
    return found


def _judged(plan: Plan, outcome: Outcome, after: Memory) -> list[Finding]:
    """Judge what only participants who came in can tell."""
    about = plan.course.about.lessons[plan.lesson - 1]
    return [
        report.network(outcome, plan.limits),
        report.memory(after, plan.participants, psutil.virtual_memory().total, plan.limits),
        report.lesson(outcome, about.file, about.minutes),
    ]


def _held(plan: Plan, told: Callable[[str], None]) -> tuple[Outcome, Measured, float]:
    """Hold the course as far as the lesson."""
    before, began = measured([]), time.monotonic()
    others = psutil.Process().children()  # whoever calls may have some: a notebook, a test
    with (
        temporary.made(plan.course, plan.lesson, plan.participants, plan.place, plan.host, plan.name, plan.port) as (
            room,
            codes,
        ),
        contextlib.ExitStack() as until,
        opened(room, told) as look,
    ):
        seats = temporary.users(room.about["prefix"], room.seats)
        if failed := fill(room, told):
            raise WorkbenchError(f"the server of {failed[0]} did not start: the rehearsal needs every seat")
        until.callback(temporary.finish, family(others=others))  # servers outlive what forked them
        seconds = time.monotonic() - began
        mothers = [process.pid for process in psutil.Process().children() if process not in others]
        crowd = plan.crowd(f"http://127.0.0.1:{plan.port}/", {seat: {"code": code} for seat, code in codes.items()})
        with looking(look):
            watch = Watch(seats, mothers, others)
            outcome = crowd.run(told, watch)
    return outcome, Measured(before, watch.memory, watch.busy), seconds


def _stock(plan: Plan, told: Callable[[str], None]) -> dict[str, Any]:
    """Do the same with a stock JupyterHub, and return its figures."""
    before, others = measured([]), psutil.Process().children()
    told("the same with a stock JupyterHub")
    with stock.stock(plan.course, plan.lesson, plan.participants, plan.place) as hub:
        crowd = plan.crowd(hub.address, hub.forms, stock.KERNELSPEC)
        watch = Watch(hub.users, (), others)
        outcome = crowd.run(told, watch)
    return report.figures(outcome, Measured(before, watch.memory, watch.busy))
