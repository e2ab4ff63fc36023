"""The report of a rehearsal: arithmetic, limits, words."""

from __future__ import annotations

import json

import pytest

from genai4eu.courses.rehearsal import report
from genai4eu.courses.rehearsal.chromium import Visit
from genai4eu.courses.rehearsal.crowd import Outcome, spread, stages
from genai4eu.courses.rehearsal.memory import Measured, Memory
from genai4eu.courses.rehearsal.participant import Came, Worked
from genai4eu.courses.rehearsal.places import GO, REMARK, STOP, Finding
from genai4eu.courses.rehearsal.report import Limits, Report

GB = 10**9


def came(seconds: float, **more: object) -> Came:
    """One who came in, a quarter of the time in each stage after the code."""
    parts = dict.fromkeys(("code", "lab", "kernel", "cell"), seconds / 4)
    return Came("seat-01", {"page": 5.0, **parts}, requests=150, received=10_000_000, **more)  # type: ignore[arg-type]


def test_spread_of_twenty() -> None:
    """95 of 100 of twenty are nineteen."""
    assert spread([float(n) for n in range(20, 0, -1)]) == {"p50": 10.5, "p95": 19.0, "max": 20.0}
    assert spread([3.0]) == {"p50": 3.0, "p95": 3.0, "max": 3.0}
    assert spread([]) == {}


def test_time_begins_with_the_code() -> None:
    """The login page is no part of it; who failed is in no figure."""
    found = stages([came(8.0), came(99.0, fault="no")])
    assert found["code to first cell"]["max"] == 8.0
    assert found["page"]["p50"] == 5.0


def test_in_time_is_a_go_and_a_second_late_is_not() -> None:
    """The last one counts, and the remedy is a number of seats."""
    crowd = [came(10.0)] * 19
    assert report.arrival(Outcome([*crowd, came(59.9)]), Limits()).verdict == GO
    late = report.arrival(Outcome([*crowd, came(80.0)]), Limits())
    assert late.verdict == STOP
    assert "80.0 s for the last of 20" in late.sentence
    assert "15" in late.remedy  # 20 * 60 / 80


def test_who_does_not_come_in_is_a_no_go() -> None:
    """With the first reasons in its words."""
    found = report.arrival(Outcome([came(1.0), came(1.0, fault="the kernel ended")]), Limits())
    assert found.verdict == STOP
    assert "1 of 2" in found.sentence
    assert "the kernel ended" in found.sentence


def test_memory_that_is_left() -> None:
    """A tenth has to be; the remedy counts what the room itself has as free."""
    after = Memory(own={"kernels": 2 * GB}, shared={"servers": GB}, rest=GB, available=3 * GB)
    assert after.whole == 4 * GB
    assert report.memory(after, 4, 24 * GB, Limits()).verdict == GO
    little = report.memory(after, 4, 40 * GB, Limits())
    assert little.verdict == STOP
    assert "have 3 seats" in little.remedy  # (3 + 4 - 4) / 1


def test_lesson_with_a_failure_is_a_no_go() -> None:
    """One participant is enough."""
    worked = [Worked("seat-01", 3.0, 1.0), Worked("seat-02", 2.0, 1.0, ["cell 4: NameError: x"])]
    found = report.lesson(Outcome(worked=worked, together=3.0), "a.ipynb", 10)
    assert (found.verdict, "seat-02, cell 4: NameError: x" in found.sentence) == (STOP, True)
    assert report.lesson(Outcome(worked=worked[:1], together=3.0), "a.ipynb", 10).verdict == GO
    assert report.lesson(Outcome(worked=worked[:1], together=601.0), "a.ipynb", 10).verdict == STOP


def test_slow_network_is_a_remark() -> None:
    """Twenty times ten megabytes are 16 s at 100 Mbit/s, and 160 s at 10."""
    outcome = Outcome([came(5.0)] * 20)
    assert "16 s for all" in report.network(outcome, Limits()).sentence
    assert report.network(outcome, Limits(network=10e6)).verdict == REMARK


def test_real_browsers() -> None:
    """None asked for, none to be had, one that did not come in."""
    assert not list(report.browsers(Outcome(), 0, "no Chromium is installed"))
    (absent,) = report.browsers(Outcome(), 2, "no Chromium is installed")
    assert (absent.verdict, "no Chromium" in absent.sentence) == (REMARK, True)
    (failed,) = report.browsers(Outcome(visits=[Visit(0.0, "Timeout"), Visit(9.0)]), 2, "")
    assert failed.verdict == STOP
    (fine,) = report.browsers(Outcome(visits=[Visit(7.0), Visit(9.0)]), 2, "")
    assert (fine.verdict, "9.0 s" in fine.sentence) == (GO, True)


def test_ratio_is_stock_in_ours() -> None:
    """More than one means that the room took less."""
    memory = Memory(own={"kernels": GB}, available=GB)
    room = report.figures(Outcome([came(10.0)]), Measured(memory, memory, {}))
    memory = Memory(own={"kernels": 3 * GB}, available=GB)
    stock = report.figures(Outcome([came(25.0)]), Measured(memory, memory, {}))
    assert report.ratios(stock, room) == {"p50 seconds": 2.5, "p95 seconds": 2.5, "max seconds": 2.5, "memory": 3.0}


@pytest.mark.parametrize("verdict", [GO, REMARK, STOP])
def test_verdict_in_words_and_as_data(verdict: str) -> None:
    """A remark stops nothing; the remedy stands under its finding."""
    found = Report("mean", "a.ipynb", 20, [Finding("disk", verdict, "little is free", "make room")])
    lines = "\n".join(found.lines())
    assert found.go == (verdict != STOP)
    assert ("NO-GO" in lines) == (verdict == STOP)
    assert ("make room" in lines) == (verdict != GO)
    assert json.loads(json.dumps(found.data()))["verdict"] == (STOP if verdict == STOP else GO)
