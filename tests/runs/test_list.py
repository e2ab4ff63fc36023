"""The list of runs: filters, and an index that is never wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.errors import WorkbenchError
from genai4eu.runs import index
from genai4eu.runs.filters import Condition, Filters, moment
from genai4eu.runs.presence import here
from genai4eu.runs.store import find

CLI = Callable[..., subprocess.CompletedProcess[str]]


def write(root: Path, number: int, **more: Any) -> Path:
    folder = root / f"20261126-{number:06d}-study-{number:04x}"
    folder.mkdir(parents=True)
    info = {
        "id": folder.name, "template": "study.ipynb", "title": "t", "usecase": None, "usecase_version": None,
        "status": "completed", "started": f"2026-11-{1 + number:02d}T12:00:00+00:00", "ended": None, "duration": 9.0,
        "target": "genai4eu", "kernel_id": "k", "cells": [], "error": None, **more,
    }  # fmt: skip
    contents = {
        "run.json": info,
        "parameters.json": {
            "epochs": number,
            "profile": "smoke",
            "warm": number > 2,
            "size": None,
            "day": "2026-01-01",
        },
        "metrics.json": {"dice": {"value": number / 10 if number else None, "unit": "1"}},
        "ro-crate-metadata.json": {"@graph": []},
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.fixture
def root(house: Path) -> Path:
    """Five records."""
    for number in range(5):
        write(house / "runs", number)
    return house / "runs"


def chosen(root: Path, **filters: Any) -> list[int]:
    return [s["parameters"]["epochs"] for s in Filters(**filters).select(index.summaries(root))]


@pytest.mark.parametrize(
    ("kind", "text", "left"),
    [
        ("parameter", "epochs=2", [2]),
        ("parameter", "epochs>=3", [4, 3]),
        ("parameter", "epochs != 2.0", [4, 3, 1, 0]),
        ("parameter", "profile=smoke", [4, 3, 2, 1, 0]),
        ("parameter", "warm=true", [4, 3]),
        ("parameter", "size=null", [4, 3, 2, 1, 0]),
        ("parameter", "day<2026-02-01", [4, 3, 2, 1, 0]),
        ("parameter", "profile<3", []),
        ("metric", "dice>0.2", [4, 3]),
        ("metric", "dice<9", [4, 3, 2, 1]),  # the undefined one is neither
    ],
)
def test_conditions(root: Path, kind: str, text: str, left: list[int]) -> None:
    assert chosen(root, **{f"{kind}s": (Condition.read(text, kind),)}) == left


def test_times(root: Path) -> None:
    assert chosen(root, since=moment("2026-11-04", "--since")) == [4, 3]
    assert chosen(root, until=moment("2026-11-02", "--until", end=True)) == [1, 0]
    assert chosen(root, since=moment("2026-11-02T12:00+00:00", "x"), until=moment("2026-11-03T12:00+00:00", "x")) == [1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--metric", "dise>0.1"], "no run has a metric 'dise': there are dice"),
        (["--metric", "dice"], "--metric 'dice' is not of the form NAME=VALUE"),
        (["--metric", "dice>x"], "--metric 'dice>x' compares with 'x', which is no number: give such as dice>0.8"),
        (["--status", "bogus"], "--status 'bogus' is none that a run has: give pending, running, cancelled, completed"),
        (["-p", "epochs="], "--parameter 'epochs=' is not of the form"),
        (["--since", "yesterday"], "--since 'yesterday' is no time: give 2026-11-26"),
    ],
)
def test_a_slip_is_one_line(root: Path, genai4eu: CLI, arguments: list[str], said: str) -> None:
    done = genai4eu("runs", "list", *arguments)
    assert done.returncode == 1
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_list_has_a_column_for_what_was_asked_and_says_what_it_left_out(root: Path, genai4eu: CLI) -> None:
    done = genai4eu("runs", "list", "--metric", "dice>0.1", "--limit", "2")
    heading, *rows = done.stdout.splitlines()
    assert heading.split() == ["run", "status", "target", "time", "dice"]
    assert [row.split()[-1] for row in rows] == ["0.4", "0.3"]
    assert done.stderr == "2 of 3 runs; --limit 0 shows all\n"


def test_latest_is_no_run_that_verifies_another(root: Path) -> None:
    before = sorted(p.name for p in root.iterdir())
    write(root, 5, verifies=before[-1])
    write(root, 6)
    write(root, 7, verifies=before[-1])
    assert [find(name).id[9:15] for name in ("latest", "latest~1", "latest~2")] == ["000006", "000004", "000003"]
    assert find("20261126-000007").info["verifies"] == before[-1]
    with pytest.raises(WorkbenchError, match="unknown run 'latest~6'"):
        find("latest~6")


def test_removing_and_waiting_answer_a_script(root: Path, genai4eu: CLI) -> None:
    done = genai4eu("runs", "rm", "latest", "--yes", "--json")
    assert json.loads(done.stdout) == {"removed": ["20261126-000004-study-0004"]}
    ended = json.loads(genai4eu("runs", "wait", "latest", "--json").stdout)
    assert (ended["id"], ended["status"]) == ("20261126-000003-study-0003", "completed")
    refused = genai4eu("runs", "cancel", "latest", "--json")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)


def test_the_index_follows_every_change(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_FRESH", -(10**12))  # files of this moment are kept too

    def epochs() -> list[int]:
        return [s["parameters"]["epochs"] for s in index.summaries(root)]

    assert epochs() == [4, 3, 2, 1, 0]
    assert index.place(root).is_file()
    folders = sorted(root.iterdir())
    (folders[0] / "parameters.json").write_text('{"epochs": 77}')  # in place
    shutil.rmtree(folders[1])
    write(root, 9)
    folders[2].rename(root / "20300101-000000-copy-0000")
    assert epochs() == [2, 9, 4, 3, 77]
    (folders[3] / "run.json").write_text("{")
    assert index.summaries(root)[3]["status"] == "damaged"
    (folders[4] / "ro-crate-metadata.json").unlink()
    assert [s["sealed"] for s in index.summaries(root)] == [True, True, False, False, True]


def test_unchanged_records_are_not_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_FRESH", -(10**12))
    before = index.summaries(root)
    monkeypatch.setattr(index, "_read", lambda folder: pytest.fail(f"{folder} was read again"))
    assert index.summaries(root) == before


def test_a_run_that_goes_on_is_read_each_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_FRESH", -(10**12))
    folder = write(root, 8, status="running", **here())
    (folder / "ro-crate-metadata.json").unlink()
    assert index.summaries(root)[0]["status"] == "running"
    about = (folder / "run.json").stat()
    info = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**info, "pid_started": 1}))
    os.utime(folder / "run.json", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert index.summaries(root)[0]["status"] == "died"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"version": 0, "root": "", "runs": {}}'])
def test_a_damaged_index_is_made_again(root: Path, genai4eu: CLI, content: str) -> None:
    index.place(root).parent.mkdir(parents=True)
    index.place(root).write_text(content)
    assert len(json.loads(genai4eu("runs", "list", "--json").stdout)) == 5
    assert genai4eu("runs", "reindex").stdout == f"5 runs in {root}\n"
