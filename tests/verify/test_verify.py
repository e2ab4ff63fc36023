"""Verifying runs: done once more by real kernels, compared, and a verdict kept beside the record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.runs.archive import bring, export
from genai4eu.runs.record import Record
from genai4eu.runs.seal import check
from genai4eu.runs.store import all_runs
from genai4eu.runs.view import page
from genai4eu.verify.environment import MADE, environment
from genai4eu.verify.verdict import about, folder, verdicts
from genai4eu.verify.verify import verify

# Nearly every test starts kernels or servers.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_kernels")]

Write = Callable[..., Path]
CLI = Callable[..., subprocess.CompletedProcess[str]]
PARAMETERS = ("parameters", "n: int = 3")
STUDY = """import genai4eu, json
run = genai4eu.current_run()
(run.outputs / "table.json").write_text(json.dumps({"n": n, "half": n / 2}))
run.metric("half", n / 2)
print("half of", n, "is", n / 2)"""


def nobody(event: str, data: dict[str, Any]) -> None:
    """Listen to nothing."""


def test_a_run_is_had_again_and_the_verdict_is_kept(notebook: Write, genai4eu: CLI) -> None:
    path = notebook(PARAMETERS, STUDY)
    assert genai4eu("run", str(path), "-p", "n=5").returncode == 0
    (record,) = all_runs()
    done = genai4eu("runs", "verify", record.id)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "outputs/table.json" in done.stdout and "bit-identical" in done.stdout
    assert "tolerance: rtol 1e-06, atol 1e-09" in done.stdout
    (verdict,) = verdicts(record.folder)
    later = Record(record.folder.with_name(verdict.by))
    assert later.info["verifies"] == record.id and later.parameters == {"n": 5} and later.sealed
    names = ["metrics.json", "outputs/table.json", "notebook.ipynb"]
    assert {p: o["outcome"] for p, o in verdict.outputs.items()} == dict.fromkeys(names, "identical")
    (file,) = folder(record.folder).iterdir()
    assert file.name.endswith("-genai4eu.json") and check(record).whole  # the seal is as it was
    shown = genai4eu("runs", "show", record.id)
    said = f"verified, bit-identical on {verdict.started[:10]} on {os.uname().nodename} (3 bit-identical)"
    assert said in shown.stdout and said in done.stdout
    assert json.loads(genai4eu("runs", "show", record.id, "--json").stdout)["verdicts"][0]["by"] == later.id
    (record.outputs / "table.json").write_text("{}")
    again = genai4eu("runs", "verify", record.id)
    assert again.returncode == 1 and "changed outputs/table.json" in again.stderr and len(all_runs()) == 2
    assert genai4eu("runs", "rm", record.id, "--yes").returncode == 0
    assert not folder(record.folder).exists()


def test_what_cannot_be_had_again_is_found_and_said(notebook: Write, house: Path) -> None:
    chance = "import random\n(run.outputs / 'a.json').write_text(json.dumps({'a': [1, random.random()]}))"
    data = "from pathlib import Path\nlength = len(run.input('data.txt').read_text())\nrun.metric('length', length)"
    (house / "data.txt").write_text("123")
    record = genai4eu.run(notebook(PARAMETERS, STUDY, chance, data), listener=nobody)
    (house / "data.txt").write_text("1234")
    verdict = verify(record, listener=nobody)
    assert not verdict.verified and verdict.outcome == "different"
    found = verdict.outputs
    assert found["outputs/a.json"]["where"] == "a[1]" and 0 < found["outputs/a.json"]["max_abs"] < 1
    assert (
        found["metrics.json"]["said"]
        == "different; at length.value: 4 instead of 3; largest difference 1, relative 0.33"
    )
    assert found["outputs/table.json"]["outcome"] == "identical"
    (changed,) = verdict.around["inputs"]
    assert changed.startswith("data.txt ") and " instead of " in changed
    assert verify(record, tolerance={"rtol": 1e9}, listener=nobody).outcome == "equal"
    (house / "data.txt").unlink()
    verdict = verify(record, listener=nobody)
    assert verdict.outcome == "failed" and "there is no input data.txt" in verdict.sentence()
    assert [v["outcome"] for v in about(record.folder)] == ["failed", "equal", "different"]


def test_there_must_be_something_to_compare_with(notebook: Write, house: Path) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "1 / 0"), listener=nobody)
    with pytest.raises(WorkbenchError, match="is failed: only a completed run can be verified"):
        verify(record)
    with pytest.raises(WorkbenchError, match="leave out --on, or leave out --env"):
        verify(record, on="genai4eu", env=True)
    assert len(all_runs()) == 1


def test_a_verdict_is_on_one_record_and_no_other(notebook: Write, house: Path) -> None:
    record = genai4eu.run(notebook(PARAMETERS, STUDY), listener=nobody)
    verify(record, listener=nobody)
    assert len(about(record.folder)) == 1
    (file,) = folder(record.folder).iterdir()
    kept = file.read_text()
    there = bring(export(record, house / "run.zip"), house / "elsewhere")  # it goes along with the record
    assert about(there.folder) == about(record.folder) and "Verified, bit-identical" in page(there).fragment
    file.write_text(kept.replace(verdicts(record.folder)[0].seal, "0" * 64))
    assert about(record.folder) == []
    file.write_text("{")
    assert verdicts(record.folder) == []


def _index(house: Path) -> None:
    """Skip where pip has nowhere to install from."""
    pip = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "-q", "-d", str(house / "pip"), "ipykernel"]
    if subprocess.run(pip, capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no index from here")


def test_a_build_that_no_index_has_is_replaced_by_another_of_its_version(house: Path) -> None:
    _index(house)
    record = Record(house / "record")
    record.folder.mkdir()
    python = f"{sys.version_info.major}.{sys.version_info.minor}.0"
    record.write("environment.json", {"python": python})
    lock = "iniconfig==2.0.0  # here 2.0.0+ours; any build of 2.0.0 will do\n"
    (record.folder / "requirements.txt").write_text(lock)
    made = environment(record, lambda done, total, said: None)
    asked = [str(made.python), "-c", "import importlib.metadata as m; print(m.version('iniconfig'))"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == "2.0.0"
    record.write("environment.json", {"python": "3.4.1"})
    with pytest.raises(
        WorkbenchError, match=r"made with Python 3\.4, which is not on this computer: install python3\.4"
    ):
        environment(record, lambda done, total, said: None)


def test_a_fresh_environment_is_made_from_the_lock_file(
    notebook: Write, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record comes from a small environment; ours has other packages, which is noticed."""
    _index(house)
    monkeypatch.setenv("PIP_NO_COMPILE", "1")  # nobody stays long enough for it to pay
    small = house / "small env"
    subprocess.run([sys.executable, "-P", "-m", "venv", str(small)], check=True)
    pip = [str(small / "bin" / "python"), "-P", "-m", "pip", "install", "-q", "ipykernel", "iniconfig==2.0.0"]
    subprocess.run(pip, check=True)
    spec = {"argv": [str(small / "bin/python"), "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "small", "language": "python"}  # fmt: skip
    place = house / "jupyter" / "kernels" / "small"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps(spec))
    cell = "import importlib.metadata\nprint('iniconfig', importlib.metadata.version('iniconfig'))"
    record = genai4eu.run(notebook(PARAMETERS, cell), on="small", listener=nobody)
    assert record.info["status"] == "completed", record.info["error"]
    told: list[tuple[int, int, str]] = []
    same = verify(record, env=True, listener=nobody, tell=lambda *said: told.append(said))
    assert same.outcome == "identical" and same.environment == "lock file", same
    assert told[0][2] == "" and told[-1][0] == told[-1][1] > 5 and told[-1][2] == MADE
    assert "packages" not in same.around
    later = Record(record.folder.with_name(same.by))
    assert later.read("environment.json")["executable"].startswith(str(house / "cache"))
    other = verify(record, on="genai4eu", listener=nobody)
    assert other.outcome == "different" and other.outputs["notebook.ipynb"]["where"] == "cell 2: line 1"
    assert any(change.startswith("iniconfig ") for change in other.around["packages"])
    told.clear()
    assert verify(record, env=True, listener=nobody, tell=lambda *said: told.append(said)).verified
    assert told == []  # it was there


def test_what_pip_cannot_do_is_one_line_with_a_remedy(
    notebook: Write, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": str(house)}.items():
        monkeypatch.setenv(name, value)
    record = genai4eu.run(notebook(PARAMETERS, STUDY), listener=nobody)
    with pytest.raises(WorkbenchError) as error:
        verify(record, env=True, listener=nobody)
    assert "pip could not make the environment of the record (" in str(error.value)
    assert "PIP_INDEX_URL" in str(error.value) and "without --env" in str(error.value)
    assert len(all_runs()) == 1
    assert not list((house / "cache" / "genai4eu" / "environments").iterdir())  # half of one is not kept
