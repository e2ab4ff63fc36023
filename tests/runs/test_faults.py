"""What is wrong is said in one line, before a kernel starts where that can be; what happens later loses nothing."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import psutil
import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.kernels.warm import ports
from genai4eu.runs.large import restore
from genai4eu.runs.store import all_runs

# Nearly every test starts kernels or servers.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_kernels")]

Write = Callable[..., Path]
CLI = Callable[..., subprocess.CompletedProcess[str]]
PARAMETERS = ("parameters", "n: int = 3")


def mount(house: Path, *options: str) -> None:
    """Mount a small file system of its own on the folder of the records; skip where that is not allowed."""
    folder = house / "runs"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(house: Path) -> Iterator[Path]:
    """A folder for the records of 8 MB."""
    mount(house, "-t", "tmpfs", "-o", "size=8m", "tmpfs")
    yield house / "runs"
    subprocess.run(["umount", "-l", str(house / "runs")], check=True)


@pytest.fixture
def read_only(house: Path) -> Iterator[Path]:
    """A folder for the records that nobody may write, not even root."""
    mount(house, "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs")
    yield house / "runs"
    subprocess.run(["umount", "-l", str(house / "runs")], check=True)


FILL = """import os
for i in range(30):
    print(str(i) * 400_000, flush=True)
    display({'text/plain': os.urandom(600_000).hex()}, raw=True)
"""


def test_a_full_disk_fails_the_run_in_one_line_and_the_record_says_so(
    notebook: Write, small_disk: Path, genai4eu: CLI
) -> None:
    done = genai4eu("run", str(notebook(PARAMETERS, "print('first')", FILL + "import time\ntime.sleep(600)")))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot be written (No space left on device): free some space" in done.stderr
    (record,) = all_runs()
    info = record.info
    assert info["status"] == "failed"
    assert "No space left on device" in info["error"]
    assert [a["status"] for a in info["attempts"]] in ([], ["failed"])
    assert "first" in (record.folder / "notebook.ipynb").read_text() + str(list(record.folder.glob("cells/*")))


def test_a_text_that_a_full_disk_cut_is_what_the_notebook_says(notebook: Write, small_disk: Path) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "for _ in range(60_000): print('x' * 999)"))
    assert "No space left on device" in record.info["error"]
    made = json.loads(record.notebook_path.read_text())
    (about,) = made["cells"][-1]["metadata"]["genai4eu"]["large"]
    assert about["size"] == (record.folder / about["file"]).stat().st_size
    assert about["left_out"] > 0
    restore(made, record.folder)  # holds every text to its checksum


def test_a_killed_runner_worked_until_it_was_killed(notebook: Write, house: Path, genai4eu: CLI) -> None:
    """Also where its cell said nothing meanwhile."""
    path = notebook(PARAMETERS, "import time\nopen('begun', 'w')\ntime.sleep(600)")
    process = subprocess.Popen([sys.executable, "-P", "-m", "genai4eu", "run", str(path)], cwd=house,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    while not (house / "begun").exists():
        assert process.poll() is None
        time.sleep(0.1)
    began = time.time()
    time.sleep(5)
    process.kill()
    process.wait()
    last = time.time()
    (listed,) = json.loads(genai4eu("runs", "list", "--json").stdout)
    assert listed["status"] == "died"
    assert listed["duration"] >= 2  # ran for five, kept current to two, told in whole seconds
    ended = datetime.fromisoformat(all_runs()[0].info["ended"]).timestamp()
    assert began <= ended <= last + 1


def test_a_folder_that_cannot_be_written_is_refused_before_a_kernel_starts(
    notebook: Write, read_only: Path, genai4eu: CLI
) -> None:
    done = genai4eu("run", str(notebook(PARAMETERS, "1")))
    assert done.returncode == 1
    said = f"genai4eu: {read_only} cannot be written (Read-only file system): set GENAI4EU_RUNS to a folder of your own"
    assert done.stderr.strip() == said


WRONG: dict[str, tuple[list[tuple[str, str] | str], str]] = {
    "no parameters cell": (["x = 1"], "has no cell tagged 'parameters': tag one"),
    "two parameters cells": ([PARAMETERS, PARAMETERS], "has 2 cells tagged 'parameters': tag one"),
    "no Python in the parameters cell": (
        [("parameters", "n: int = = 3")],
        "the parameters cell is not Python, line 1: invalid syntax",
    ),
    "no Python in another cell": (
        [PARAMETERS, "ok = 1", "def f(:\n    pass"],
        "cell 3 is not Python, line 1: invalid syntax: mend it, nothing was started",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_notebook_is_refused_before_a_kernel_starts(case: str, notebook: Write, house: Path) -> None:
    cells, said = WRONG[case]
    with pytest.raises(WorkbenchError) as error:
        genai4eu.run(notebook(*cells))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert not (house / "runs").exists()


def test_what_only_the_kernel_reads_is_no_syntax_error(notebook: Write) -> None:
    cells = [
        "%%time\nx = 1",
        "!true",
        "y = !echo 1",
        "import asyncio\nawait asyncio.sleep(0)",
        "%%bash\nif :; then :; fi",
        "len?",
    ]
    record = genai4eu.run(notebook(PARAMETERS, *cells))
    assert record.info["status"] == "completed", record.info["error"]


def asking(path: Path, kernel: str, language: str = "python") -> Path:
    """Let a notebook ask for a kernel."""
    made = json.loads(path.read_text())
    made["metadata"]["kernelspec"] = {"name": kernel, "display_name": kernel, "language": language}
    path.write_text(json.dumps(made))
    return path


def test_an_unknown_kernel_is_refused_and_may_be_chosen_otherwise(notebook: Write, house: Path, ordinary: None) -> None:
    path = asking(notebook(PARAMETERS, "n"), "conda-env-mine-py")
    with pytest.raises(WorkbenchError) as error:
        genai4eu.run(path)
    assert "asks for the kernel 'conda-env-mine-py', which is not known here: choose another with --on" in str(
        error.value
    )
    assert not (house / "runs").exists()
    record = genai4eu.run(path, on="genai4eu")
    assert record.info["kernel"] == {"asked": "genai4eu", "used": "genai4eu", "warm": False}


def test_a_kernel_of_another_language_is_refused(notebook: Write, house: Path) -> None:
    spec = house / "jupyter" / "kernels" / "sh"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["sh"], "display_name": "Shell", "language": "bash"}))
    with pytest.raises(WorkbenchError, match="the kernel sh runs bash: a run needs Python, choose with --on"):
        genai4eu.run(asking(notebook(PARAMETERS, "n"), "sh", "bash"))


def test_python3_gets_the_kernel_of_this_interpreter_and_the_record_names_both(notebook: Write, ordinary: None) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "import sys\nassert sys.executable == " + repr(sys.executable)))
    assert record.info["status"] == "completed", record.info["error"]
    assert record.info["kernel"] == {"asked": "python3", "used": "genai4eu", "warm": False}


def test_a_python3_of_another_interpreter_is_used_as_it_is(notebook: Write, house: Path) -> None:
    spec = house / "jupyter" / "kernels" / "mine"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    about = {"argv": argv, "display_name": "Mine", "language": "python", "env": {"MINE": "1"}}
    (spec / "kernel.json").write_text(json.dumps(about))
    record = genai4eu.run(asking(notebook(PARAMETERS, "import os\nassert os.environ['MINE'] == '1'"), "mine"))
    assert record.info["status"] == "completed", record.info["error"]
    assert record.info["kernel"] == {"asked": "mine", "used": "mine", "warm": False}


def test_a_gigabyte_of_print_needs_no_gigabyte(notebook: Write, house: Path) -> None:
    """A tenth of it, several times what may wait anywhere; ``tests/benchmarks/runs.py`` prints all of it."""
    # not ru_maxrss: a process begins with its parent's
    most = "int(re.search(r'VmHWM:\\s*(\\d+) kB', open('/proc/self/status').read())[1])"
    flood = f"""import re
line = 'x' * 999
before = {most}
for _ in range(150_000):
    print(line)
used = ({most} - before) / 1e3
assert used < 120, used"""
    path = notebook(PARAMETERS, flood)
    script = f"""import re, genai4eu
record = genai4eu.run({str(path)!r})
print({most}, record.info['status'], record.info['error'])"""
    done = subprocess.run([sys.executable, "-P", "-c", script], cwd=house, capture_output=True, text=True, check=False)
    used, status, *why = done.stdout.split(maxsplit=2)
    assert status == "completed", (why, done.stderr)
    assert int(used) < 330_000  # kB; papermill and all it imports have 120 MB of it
    (record,) = all_runs()
    kept = [p for p in record.folder.rglob("*") if p.is_file() and p.parent.name != "wheels"]
    assert sum(p.stat().st_size for p in kept) < 101_000_000


@pytest.mark.parametrize("victim", ["kernel", "runner"])
def test_killed_at_a_random_point(victim: str, notebook: Write, house: Path, genai4eu: CLI) -> None:
    """A few rounds; ``tests/benchmarks/chaos.py`` does a hundred."""
    path = notebook(PARAMETERS, *["import time\nprint('x' * 2000)\ntime.sleep(0.2)"] * 8)
    for round_ in range(3):
        process = subprocess.Popen([sys.executable, "-P", "-m", "genai4eu", "run", str(path)], cwd=house,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        family = _kill(process, victim, 1.0 + random.Random(round_).random() * 3)
        process.wait(120)
        assert not psutil.wait_procs(family, timeout=30)[1]
    done = genai4eu("runs", "list", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {r["status"] for r in found} <= {"died", "completed"}
    assert all(r["error"] for r in found if r["status"] == "died")
    assert all(r.sealed for r in all_runs())


def _kill(process: subprocess.Popen[bytes], victim: str, after: float) -> list[psutil.Process]:
    """Kill the runner or its kernel after a while; return all that belongs to the run."""
    time.sleep(after)
    runner = psutil.Process(process.pid)
    family = runner.children(recursive=True)
    for target in [runner] if victim == "runner" else family:
        target.kill()
    return family


def test_a_port_that_was_taken_meanwhile_costs_another_start(
    notebook: Write,
    house: Path,
    ordinary: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = ports.find
        chosen: list[int] = []

        def choose(ip: str) -> int:
            chosen.append(taken.getsockname()[1] if len(chosen) in wrong else free(ip))
            return chosen[-1]

        monkeypatch.setattr(ports, "find", choose)
        wrong: Sequence[int] = [0]
        records = [genai4eu.run(notebook(PARAMETERS, "n"))]
        assert len(chosen) == 10
        assert capsys.readouterr().err.count("a port of the kernel was taken meanwhile") == 1
        chosen.clear()
        wrong = [2]  # without this one of its ports an ordinary kernel hangs instead of ending
        records.append(genai4eu.run(notebook(PARAMETERS, "n")))
        assert len(chosen) == 10
        log = (records[1].folder / "log.txt").read_text()
        assert f"another process listens on port {taken.getsockname()[1]}: Address already in use" in log
        assert {record.info["status"] for record in records} == {"completed"}
        wrong = range(1000)
        chosen.clear()
        with pytest.raises(WorkbenchError, match=r"gave no kernel: .*Address already in use"):
            genai4eu.run(notebook(PARAMETERS, "n"))
        assert len(chosen) == 20
    assert {r.id for r in all_runs()} == {record.id for record in records}
