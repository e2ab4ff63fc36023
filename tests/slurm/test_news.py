"""What is made of Slurm's words: places in the queue, times by the node's clock, warnings once."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.slurm.queued import Job, parse, places
from genai4eu.kernels.slurm.reminder import Reminder, span
from genai4eu.kernels.slurm.snapshot import SharedQueue, private_folder
from genai4eu.kernels.slurm.targets import seconds

NOW = 1_800_000_000


def job(**about: object) -> Job:
    usual: dict[str, object] = {
        "id": "7", "state": "RUNNING", "reason": "None", "start": NOW, "end": NOW + 3600, "priority": 1,
        "partition": "cpu", "nodes": "node1", "submitted": NOW, "name": "genai4eu-far-0",
    }  # fmt: skip
    return Job(**{**usual, **about})  # type: ignore[arg-type]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [float(NOW)]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_squeue_is_read_whatever_the_name() -> None:
    line = "12_3|PENDING|Priority|N/A|NONE|4294901759|cpu,gpu||1800000000|genai4eu|odd|name"
    found = parse(f"{line}\nnonsense\n")["12_3"]
    assert (found.name, found.start, found.end, found.submitted) == ("genai4eu|odd|name", None, None, NOW)
    assert not found.over


def test_places_count_those_who_come_first_in_a_shared_partition() -> None:
    mine = {"7": job(state="PENDING", priority=50, partition="cpu,gpu")}
    rows = [
        "3|99|gpu|Priority",
        "5|50|cpu|Resources",
        "9|50|cpu|Priority",
        "4|80|other|Priority",
        "2|90|cpu|Dependency",
    ]
    assert places(mine, "\n".join([*rows, "7|50|cpu,gpu|Priority"]))["7"].place == 3
    assert places(mine, "\n".join(rows))["7"].place is None  # held, or started meanwhile
    assert places({"7": job()}, "\n".join(rows))["7"].place is None


def test_the_time_left_is_by_the_nodes_clock(clock: list[float]) -> None:
    reminder = Reminder()
    clock[0] = NOW - 500.0  # the login node is slow
    reminder.clock(NOW + 0.0)
    reminder.clock(NOW - 3.0)  # this one came late
    assert reminder.remaining(job()) == 3600
    assert reminder.remaining(job(state="PENDING")) is None
    assert reminder.remaining(job(end=None)) is None
    assert reminder.rows("7", job(), "")["time left"] == "1 h 0 min"


def test_warnings_come_once_each(clock: list[float]) -> None:
    reminder, said = Reminder(), []
    for left in (3600, 601, 600, 599, 300, 121, 119, 60, 1):
        clock[0] = NOW + 3600.0 - left
        if warning := reminder.due(job()):
            said.append((left, warning))
    assert [left for left, _ in said] == [600, 119]
    assert said[0][1] == "Slurm job 7 ends in 10 min, its time is up then: save what you need"


def test_a_short_job_is_not_warned_when_it_begins_and_one_cut_short_is(clock: list[float]) -> None:
    short = Reminder()
    assert short.due(job(end=NOW + 600)) == ""
    clock[0] = NOW + 500.0
    assert "1 min 40 s" in short.due(job(end=NOW + 600))
    cut = Reminder()
    clock[0] = float(NOW)
    assert cut.due(job()) == ""
    assert "30 s" in cut.due(job(end=NOW + 30))
    assert cut.due(job(end=NOW + 30)) == ""


def test_a_job_too_short_for_a_warning_is_warned_at_half_time(clock: list[float]) -> None:
    reminder, said = Reminder(), []
    for left in (60, 31, 30, 29, 1):
        clock[0] = NOW + 60.0 - left
        if warning := reminder.due(job(end=NOW + 60)):
            said.append((left, warning))
    assert said == [(30, "Slurm job 7 ends in 30 s, its time is up then: save what you need")]


def test_what_is_shown() -> None:
    rows = Reminder().rows
    assert rows("", None, "Slurm does not answer") == {"job": "not submitted yet", "but": "Slurm does not answer"}
    waiting = rows("7", job(state="PENDING", reason="Priority", start=None, place=4), "")
    assert waiting["place"] == "4 in partition cpu"
    assert waiting["reason"] == "Priority: others come first"
    assert waiting["start"] == "not known yet"
    assert (span(3900), span(540), span(90), span(45)) == ("1 h 5 min", "9 min", "1 min 30 s", "45 s")


def test_slurms_times() -> None:
    texts = ("10", "10:30", "1:00:00", "1-00", "1-02:03", "1-02:03:04", "infinite")
    assert [seconds(t) for t in texts] == [600, 630, 3600, 86400, 93780, 93784, float("inf")]


def test_an_error_keeps_what_was_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks while Slurm is away learns the last state and that it is old."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "squeue"
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    def be(script: str) -> None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    async def look() -> tuple[set[str], str]:
        snapshot = await SharedQueue(tmp_path).look(0.0)
        return set(snapshot.jobs), snapshot.error

    be("echo '7|RUNNING|None|1|2|1|cpu|node1|1|genai4eu-far-0'")
    assert asyncio.run(look()) == ({"7"}, "")
    be("echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1")
    assert asyncio.run(look()) == ({"7"}, "squeue: Unable to contact slurm controller (connect failure)")
    be("echo nothing is asked of a controller in trouble for a while")
    assert asyncio.run(look())[0] == {"7"}
    (file,) = tmp_path.glob("squeue-*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(json.dumps({"made": time.monotonic() + 1e6, "jobs": [], "error": ""}))  # of before a reboot
    be("echo '8|RUNNING|None|1|2|1|cpu|node1|1|genai4eu-far-0'")
    assert asyncio.run(look()) == ({"8"}, "")


def test_a_folder_of_somebody_elses_is_not_used(tmp_path: Path) -> None:
    folder = private_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(KernelsError, match="not a folder of yours alone"):
        private_folder()
