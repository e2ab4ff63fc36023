"""How a run ends, and when it is tried again: timeouts, deaths, memory, signals, retries."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import genai4eu
from genai4eu.errors import Stopped, WorkbenchError
from genai4eu.runs.endings import sentence_of, status_of
from genai4eu.runs.plan import Limits, plan
from genai4eu.runs.record import Record
from genai4eu.runs.runner import carry_out, create
from genai4eu.runs.store import all_runs

pytestmark = pytest.mark.usefixtures("forked_kernels")

Write = Callable[..., Path]
CLI = Callable[..., subprocess.CompletedProcess[str]]
PARAMETERS = ("parameters", "n: int = 3")
#: Dies at the first attempt, not at the second: the folder is the notebook's own.
FLAKY = """from pathlib import Path
import os, time
mark = Path('tried')
if not mark.exists():
    mark.touch()
    print('dying', flush=True)
    time.sleep(0.5)  # a kernel says only in the background what it prints
    os.kill(os.getpid(), 9)"""
KEEP = "import genai4eu\n(genai4eu.current_run().outputs / 'kept.txt').write_text('x')"


def cell_statuses(record: Record) -> list[str]:
    return [c["status"] for c in record.info["cells"]]


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"timeout": "3m"}, "timeout cannot be '3m': it takes seconds"),
        ({"timeout": -3}, "timeout cannot be -3"),
        ({"timeout": float("nan")}, "timeout cannot be nan"),
        ({"cell_timeout": True}, "cell_timeout cannot be True"),
        ({"retries": "3"}, "retries cannot be '3': it takes a whole number in 0..20"),
        ({"retries": 1.5}, "retries cannot be 1.5"),
    ],
)
def test_a_limit_that_is_none_leaves_no_record(limit: dict[str, Any], said: str, notebook: Write, house: Path) -> None:
    with pytest.raises(WorkbenchError, match=re.escape(said)):
        genai4eu.run(notebook(("parameters", "n = 1")), **limit)
    assert not (house / "runs").exists()


@pytest.mark.slow
def test_a_run_that_died_is_tried_again_and_its_first_attempt_is_kept(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, KEEP, FLAKY), retries=2)
    info = record.info
    assert info["status"] == "completed", info["error"]
    assert [a["status"] for a in info["attempts"]] == ["died", "completed"]
    assert info["attempts"][0]["error"] == "the kernel died: killed by SIGKILL"
    assert len({a["kernel_id"] for a in info["attempts"]}) == 2
    first = json.loads((record.folder / "attempts/1/notebook.ipynb").read_text())
    assert [c["metadata"]["papermill"]["status"] for c in first["cells"]][-1] == "died"
    assert "dying" in str(first["cells"][-1]["outputs"])
    assert (record.outputs / "kept.txt").exists()
    assert record.sealed


@pytest.mark.slow
def test_a_run_that_failed_is_not_tried_again(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "1 / 0"), retries=2)
    assert record.info["status"] == "failed"
    assert len(record.info["attempts"]) == 1


@pytest.mark.slow
def test_retries_end(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "import os\nos._exit(3)"), retries=1)
    assert record.info["status"] == "died"
    assert record.info["error"] == "the kernel died: its process ended with exit code 3"
    assert len(record.info["attempts"]) == 2


@pytest.mark.slow
def test_a_run_has_its_time(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, KEEP, "import time\ntime.sleep(60)", "1"), timeout=2, retries=1)
    assert record.info["status"] == "timeout"
    assert record.info["error"] == "the run took longer than the 2 s that it was given (--timeout)"
    assert cell_statuses(record)[-2:] == ["timeout", "not run"]
    assert len(record.info["attempts"]) == 1
    assert (record.outputs / "kept.txt").exists()


def test_python_out_of_memory_is_failed_with_its_name(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "raise MemoryError('no room for 1 TB')"))
    assert (record.info["status"], record.info["error"]) == ("failed", "MemoryError: no room for 1 TB")


@pytest.fixture
def small_memory() -> Iterator[Path]:
    """A control group of 700 MB."""
    group = Path("/sys/fs/cgroup/memory/genai4eu-test")
    if not group.parent.is_dir():
        group = Path("/sys/fs/cgroup/genai4eu-test")
    try:
        group.mkdir()
        limit = group / "memory.limit_in_bytes"
        (limit if limit.exists() else group / "memory.max").write_text("700000000")
    except OSError as error:
        pytest.skip(f"no control group can be made here ({error.strerror})")
    yield group
    group.rmdir()


@pytest.mark.slow
def test_a_kernel_that_the_system_ends_for_its_memory_is_said_to_be_that(
    notebook: Write, house: Path, small_memory: Path, ordinary: None
) -> None:
    path = notebook(PARAMETERS, "x = bytearray(10**9)")
    inside = f"echo $$ > {small_memory}/cgroup.procs; exec {sys.executable} -P -m genai4eu run {path}"
    done = subprocess.run(["sh", "-c", inside], cwd=house, capture_output=True, text=True, check=False)
    (record,) = all_runs()
    assert record.info["status"] == "died", done.stderr
    assert record.info["error"] == "the kernel died: out of memory, the system ended it"
    assert "out of memory" in done.stderr


@pytest.mark.slow
def test_sigterm_is_cancelled_and_says_so(notebook: Write, house: Path) -> None:
    path = notebook(PARAMETERS, KEEP, "from pathlib import Path\nPath('asleep').touch()\nimport time\ntime.sleep(300)")
    process = subprocess.Popen([sys.executable, "-P", "-m", "genai4eu", "run", str(path)], cwd=house)
    while not (house / "asleep").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    (record,) = all_runs()
    assert (record.info["status"], record.info["error"]) == ("cancelled", "ended by SIGTERM")
    assert record.sealed


def test_whoever_stops_a_run_may_say_how_it_ended(notebook: Write) -> None:
    def stop(event: str, data: object) -> None:
        if event == "stream":
            raise Stopped("preempted", "a job of higher priority took its place")

    planned = plan(notebook(PARAMETERS, "print('now')\nimport time\ntime.sleep(60)"), limits=Limits(retries=3))
    record = create(planned)
    with pytest.raises(Stopped):
        carry_out(planned, record, stop)
    assert record.info["status"] == "preempted"
    assert record.info["error"] == "a job of higher priority took its place"
    assert cell_statuses(record)[-1] == "preempted"
    assert record.sealed


@pytest.mark.parametrize(
    ("state", "status"),
    [("TIMEOUT", "timeout"), ("PREEMPTED", "preempted"), ("NODE_FAIL", "died"), ("OUT_OF_MEMORY", "died"),
     ("CANCELLED", "cancelled"), ("DEADLINE", "timeout"), ("FAILED, NonZeroExitCode, exit code 1", "died")],
)  # fmt: skip
def test_what_the_relay_says_of_its_job_decides(state: str, status: str) -> None:
    from genai4eu.kernels.slurm.job import _WORDS
    from genai4eu.runs.endings import KernelEnded

    ended = KernelEnded(f"Slurm job 12 ended ({state}): {_WORDS.get(state, 'it left no word')}")
    assert status_of(ended) == status
    assert sentence_of(ended).startswith("out of memory: " if state == "OUT_OF_MEMORY" else "Slurm job 12 ended")


def test_a_run_that_waits_may_be_carried_out_later_and_once(notebook: Write) -> None:
    planned = plan(notebook(PARAMETERS, "n"))
    record = create(planned, "pending")
    assert record.info["status"] == "pending"
    carry_out(planned, record, lambda event, data: None)
    assert record.info["status"] == "completed"
    with pytest.raises(WorkbenchError, match="has ended as completed and is sealed: start another run"):
        carry_out(planned, record, lambda event, data: None)


def test_two_runners_on_one_record(notebook: Write) -> None:
    refused: list[str] = []

    def again(event: str, data: object) -> None:
        if event == "cell" and not refused:
            with pytest.raises(WorkbenchError) as error:
                carry_out(planned, record, again)
            refused.append(str(error.value))

    planned = plan(notebook(PARAMETERS, "n"))
    record = create(planned)
    carry_out(planned, record, again)
    said = f"run {record.id} is carried out by process {os.getpid()} on {os.uname().nodename} already: wait for its end"
    assert refused == [said]
    assert record.info["status"] == "completed"


@pytest.mark.slow
def test_the_command_line_has_the_limits_and_streams_what_cells_print(notebook: Write, genai4eu: CLI) -> None:
    path = notebook(PARAMETERS, "import sys\nprint('to out')\nprint('to err', file=sys.stderr)\n6 * 7", FLAKY)
    done = genai4eu("run", str(path), "--timeout", "2m", "--cell-timeout", "30", "--retries", "1", "--stream", "--log")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("to out\n42\n")
    assert "[2/3] import sys\n" in done.stderr
    assert "to err\n" in done.stderr
    assert "attempt 2: the one before died (the kernel died: killed by SIGKILL)" in done.stderr
    (record,) = all_runs()
    assert record.info["limits"] == {"timeout": 120.0, "cell_timeout": 30, "retries": 1}
    assert "to out\n" in (record.folder / "log.txt").read_text()
    assert "dying\n" in (record.folder / "attempts/1/log.txt").read_text()


def test_a_wrong_length_of_time_is_refused(notebook: Write, genai4eu: CLI, house: Path) -> None:
    done = genai4eu("run", str(notebook(PARAMETERS, "n")), "--timeout", "soon")
    assert done.returncode == 1
    assert "'soon' is no length of time: write it like 30m, 8h or 2d" in done.stderr
    assert not (house / "runs").exists()


@pytest.mark.slow
def test_a_second_attempt_without_a_kernel_loses_nothing_of_the_first(notebook: Write, house: Path) -> None:
    spec = house / "jupyter" / "kernels" / "once"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    about = {"argv": argv, "display_name": "Once", "language": "python", "env": {"ONCE": "1"}}
    (spec / "kernel.json").write_text(json.dumps(about))
    broken = {**about, "argv": [sys.executable, "-c", "print('no more kernels')"]}
    cell = (
        f"from pathlib import Path\nimport os\nPath({str(spec / 'kernel.json')!r}).write_text({json.dumps(broken)!r})"
    )
    record = genai4eu.run(notebook(PARAMETERS, KEEP, cell + "\nos.kill(os.getpid(), 9)"), on="once", retries=1)
    info = record.info
    assert info["status"] == "died"
    assert info["error"] == "target once gave no kernel: no more kernels"
    assert [a["status"] for a in info["attempts"]] == ["died", "died"]
    assert "kept.txt" in (record.folder / "attempts/1/notebook.ipynb").read_text()
    assert record.sealed


def test_stopped_before_its_kernel_began_a_run_leaves_no_record_but_one_that_was_there(
    notebook: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: object) -> None:
        raise Stopped("cancelled", "ended by SIGTERM")

    monkeypatch.setattr("genai4eu.runs.attempts.Attempt.execute", stop)
    planned = plan(notebook(PARAMETERS, "n"))
    for status in ("running", "pending"):
        record = create(planned, status)
        with pytest.raises(Stopped):
            carry_out(planned, record, lambda event, data: None)
    (record,) = all_runs()
    assert (record.info["status"], record.info["error"]) == ("cancelled", "ended by SIGTERM")
    assert record.sealed
