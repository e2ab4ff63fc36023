"""The seal: later changes are found, each named; a record that nobody finished is finished by the next command."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

import genai4eu as workbench
from genai4eu.runs import control
from genai4eu.runs.presence import gone, here
from genai4eu.runs.record import Record
from genai4eu.runs.seal import check, fingerprint
from genai4eu.runs.settle import settle
from genai4eu.runs.store import all_runs

from ..conftest import as_notebook

# Nearly every test starts kernels or servers.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_kernels")]

CLI = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]
KEEP = """import genai4eu
run = genai4eu.current_run()
(run.outputs / 'ä b.txt').write_text('x')
run.metric('m', 1)"""


@pytest.fixture(scope="module")
def made(apart: Callable[[], AbstractContextManager[Path]]) -> Record:
    """A run of a light notebook."""
    with apart() as folder:
        path = folder / "study.ipynb"
        path.write_text(json.dumps(as_notebook(("parameters", "n = 1"), KEEP)))
        return workbench.run(path, listener=lambda event, data: None)


@pytest.fixture
def record(made: Record, house: Path) -> Record:
    """A copy of its record, to be changed."""
    return Record(shutil.copytree(made.folder, house / "runs" / made.id))


def test_check_names_every_change(record: Record, genai4eu: CLI) -> None:
    assert check(record).whole
    first = genai4eu("runs", "check", record.id)
    assert first.returncode == 0 and "unchanged" in first.stdout
    (record.folder / "metrics.json").write_text('{"m": {"value": 2, "unit": "1"}}')
    (record.outputs / "ä b.txt").unlink()
    (record.outputs / ".new").touch()
    (record.folder / "log.txt").unlink()
    (record.folder / "log.txt").symlink_to("/dev/null")  # as empty as the log was
    found = check(record)
    assert (found.changed, found.missing, found.added) == (
        ["log.txt", "metrics.json"], ["outputs/ä b.txt"], ["outputs/.new"]
    )  # fmt: skip
    done = genai4eu("runs", "check", "--all", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["missing"] == ["outputs/ä b.txt"]
    said = genai4eu("runs", "check", record.id).stdout
    assert "changed log.txt, metrics.json; missing outputs/ä b.txt; added outputs/.new" in said


def test_a_seal_that_was_lost_is_said_to_have_been(notebook: Write, genai4eu: CLI) -> None:
    assert genai4eu("run", str(notebook(("parameters", "n = 1"), KEEP))).returncode == 0
    (record,) = all_runs()
    (record.folder / "ro-crate-metadata.json").unlink()
    said = genai4eu("runs", "check", record.id).stdout
    assert "by a later command: the seal of the run itself was missing" in said
    assert check(record).whole  # what is there now has not changed since


def test_a_record_without_its_run_file_is_damaged_and_does_not_vanish(record: Record, genai4eu: CLI) -> None:
    (record.folder / "run.json").unlink()
    (listed,) = json.loads(genai4eu("runs", "list", "--json").stdout)
    assert (listed["id"], listed["status"]) == (record.id, "damaged")
    done = genai4eu("runs", "check", "--all")
    assert done.returncode == 1 and "missing run.json" in done.stdout


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: os.mkfifo(path)])
def test_what_is_no_file_is_damaged_and_nobody_waits_for_it(
    house: Path, genai4eu: CLI, make: Callable[[Path], None]
) -> None:
    place = house / "runs" / "odd" / "run.json"
    place.parent.mkdir(parents=True)
    make(place)
    (listed,) = json.loads(genai4eu("runs", "list", "--json", timeout=30).stdout)
    assert listed["error"] == "record odd: run.json is no file, run again"


def test_a_new_seal_is_found_by_the_fingerprint_noted_before(record: Record, genai4eu: CLI) -> None:
    from genai4eu.runs.crate import seal

    noted = fingerprint(record)
    assert genai4eu("runs", "check", record.id, "--seal", noted).returncode == 0
    (record.folder / "ro-crate-metadata.json").unlink()
    record.write("metrics.json", {"m": {"value": 2, "unit": "1"}})
    seal(record)
    assert genai4eu("runs", "check", record.id).returncode == 0  # this alone cannot know
    done = genai4eu("runs", "check", record.id, "--seal", noted)
    assert done.returncode == 1
    assert "changed ro-crate-metadata.json" in done.stdout


def test_a_damaged_seal_is_no_seal(record: Record) -> None:
    for content in ("", "[]", '{"@graph": 3}', '{"@graph": [3]}', '{"@graph": []}'):
        (record.folder / "ro-crate-metadata.json").write_text(content)
        assert check(record).changed == ["ro-crate-metadata.json"]


@pytest.fixture
def abandoned(notebook: Write, house: Path) -> Record:
    """The record of a run whose process was killed while a cell ran."""
    sleep = "from pathlib import Path\nPath('asleep').touch()\nimport time\ntime.sleep(300)"
    command = [
        str(Path(sys.executable).with_name("genai4eu")),
        "run",
        str(notebook(("parameters", "n = 1"), KEEP, sleep)),
    ]
    process = subprocess.Popen(command, cwd=house, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    kept = ("metrics.json", "cells/0002.json")  # within two seconds: the cell that sleeps, and those before it
    while not ((house / "asleep").exists() and all(list(house.glob(f"runs/*/{name}")) for name in kept)):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = (p for p in (house / "runs").iterdir())
    kernel = json.loads((folder / "environment.json").read_text())["pid"]
    with contextlib.suppress(psutil.NoSuchProcess):  # it has ended already
        psutil.Process(kernel).wait(30)
    return Record(folder)


def test_the_next_command_seals_what_a_killed_runner_left(abandoned: Record, genai4eu: CLI, house: Path) -> None:
    assert not abandoned.sealed
    (listed,) = json.loads(genai4eu("runs", "list", "--json").stdout)
    assert (listed["status"], listed["sealed"]) == ("died", True)
    assert listed["metrics"] == {"m": 1.0}
    stored = json.loads((abandoned.folder / "run.json").read_text())
    assert stored["status"] == "died" and stored["ended"] >= stored["started"]
    assert check(abandoned).whole
    assert not settle(abandoned)
    assert [c["status"] for c in stored["cells"]] == ["completed", "completed", "died"]
    shown = json.loads(abandoned.notebook_path.read_text())
    assert "".join(shown["cells"][1]["outputs"][0]["data"]["text/plain"]) == "m = 1"
    assert not (abandoned.folder / "cells").exists() and not list(abandoned.folder.glob(".*"))


def test_a_run_that_may_live_elsewhere_is_left_alone() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    about = here(ended.pid)
    ended.wait()
    assert gone({**about, "pid_started": about["pid_started"]})
    assert not gone(here())
    assert not gone({**about, "host": "another"})
    assert not gone({**about, "machine": "another"})
    assert not gone({**about, "space": -1})
    assert gone({**about, "boot": "an earlier one"})
    assert not gone({**about, "machine": None, "boot": "an earlier one"})
    assert not gone({})


def test_a_process_number_that_was_given_anew_is_another_process() -> None:
    assert gone({**here(), "pid_started": 1})


def _unfinished(record: Record, about: dict[str, Any]) -> None:
    (record.folder / "ro-crate-metadata.json").unlink()
    record.write("run.json", {**record.read("run.json"), **about})


@pytest.mark.parametrize(
    ("about", "settled"),
    [
        ({"status": "running", "host": "another"}, False),
        ({"status": "pending", "pid_started": 1}, False),
        ({"status": "running"}, False),
        ({"status": "running", "pid_started": 1}, True),
        ({"status": "completed", "pid_started": 1}, True),
    ],
)
def test_what_is_settled(record: Record, about: dict[str, Any], settled: bool) -> None:
    _unfinished(record, about)
    before = (record.folder / "run.json").read_bytes()
    assert settle(record) is settled
    assert record.sealed is settled
    if not settled:
        assert (record.folder / "run.json").read_bytes() == before
    elif about["status"] == "completed":  # it had ended before it could be sealed
        assert record.info["status"] == "completed"


def test_a_record_that_cannot_be_written_reads_as_died(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    _unfinished(record, {"status": "running", "pid_started": 1})

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("genai4eu.runs.files.tempfile.mkstemp", refuse)
    assert not settle(record)
    assert record.summary()["status"] == "died"


def test_rm_removes_and_refuses(record: Record, genai4eu: CLI, house: Path) -> None:
    assert "say --yes" in genai4eu("runs", "rm", record.id).stderr
    dashboard = house / "dashboards" / "study-1"
    bundle = dashboard / "versions" / "1"
    bundle.mkdir(parents=True)
    (dashboard / "site.json").write_text('{"current": 1}')
    about = {"slug": "study-1", "question": "", "answer": "", "run": record.id, "published": "", "where": ""}
    (bundle / "dashboard.json").write_text(json.dumps({**about, "sector": None, "started": None, "figure": None}))
    refused = genai4eu("runs", "rm", record.id, "--yes")
    assert refused.returncode == 1 and "the dashboard study-1 was published from" in refused.stderr
    shutil.rmtree(dashboard)
    _unfinished(record, {"status": "running", **here(os.getpid())})
    assert "still runs: stop it first" in genai4eu("runs", "rm", record.id, "--yes").stderr
    (house / "runs" / ".removed-before" / "a").mkdir(parents=True)  # that was stopped in the middle
    done = genai4eu("runs", "rm", record.id, "--yes", "--force")
    assert done.stdout == f"removed {record.id}\n", done.stderr
    assert [p.name for p in (house / "runs").rglob("*")] == []


def test_who_waits_sees_the_seal_of_a_run_that_has_just_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slurm may say that it is over between two looks, and what is left of it may hold the record for a moment."""
    sealing = iter([False, False, True])
    monkeypatch.setattr(control, "settle", lambda _: next(sealing))
    monkeypatch.setattr(control, "end_of", lambda _: ("died", "its node failed"))
    monkeypatch.setattr(control, "EVERY", 0.01)
    record: Any = SimpleNamespace(sealed=False, running=False, read=lambda _: {"status": "running"})
    assert control.wait(record, 60)
    assert next(sealing, None) is None


@pytest.mark.parametrize(("status", "grace"), [("completed", 60.0), ("running", 0.0)])
def test_who_waits_does_not_wait_for_a_seal_that_cannot_come(
    status: str, grace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "settle", lambda _: False)
    monkeypatch.setattr(control, "end_of", lambda _: (status, None))
    monkeypatch.setattr(control, "EVERY", 0.01)
    monkeypatch.setattr(control, "GRACE", grace)
    record: Any = SimpleNamespace(sealed=False, running=False, read=lambda _: {"status": status})
    assert control.wait(record, 30)
