"""Checkpoints and going on from them: what is kept, what outlives a kernel, and that the result is the same."""

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
from genai4eu import redact
from genai4eu.errors import WorkbenchError
from genai4eu.runs import state
from genai4eu.runs.carry import kept, place
from genai4eu.runs.checkpoints import Checkpoints
from genai4eu.runs.record import Record
from genai4eu.runs.seal import check
from genai4eu.runs.store import all_runs

pytestmark = pytest.mark.slow  # nearly every test starts kernels or servers

Write = Callable[..., Path]
CLI = Callable[..., subprocess.CompletedProcess[str]]
#: Counts to ten and dies at five, unless it began later.
COUNT = """import genai4eu, os
run = genai4eu.current_run()
found = run.restore("count") or {"n": 0, "seen": []}
began = found["n"]
for n in range(began, 10):
    found = {"n": n + 1, "seen": [*found["seen"], n]}
    run.checkpoint("count", found)
    if n == 5 and began == 0:
        %s
(run.outputs / "seen.txt").write_text(str(found["seen"]))
run.metric("began", began)"""
PARAMETERS = ("parameters", "n: int = 3")


def nobody(event: str, data: dict[str, Any]) -> None:
    """Listen to nothing."""


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    torch, np = pytest.importorskip("torch"), pytest.importorskip("numpy")
    tensor = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    whole = {
        "tensor": tensor, "bf16": torch.randn(3).bfloat16(), "number": torch.tensor(2.5), "mask": torch.tensor([True]),
        "none": torch.empty(0, 3), "every": torch.randn(4, 4)[::2, ::2], "array": np.arange(6).reshape(2, 3).T,
        "scalar": np.float32(2.5), 3: b"\0bytes", "plain": (1, [2.5, None, True], {"x": float("inf")}, "ü"),
        "rng": np.random.default_rng(3).bit_generator.state,
    }  # fmt: skip
    state.write(tmp_path / "a", whole)
    found = state.read(tmp_path / "a")
    assert list(found) == list(whole)
    for name, value in whole.items():
        if isinstance(value, torch.Tensor):
            assert found[name].dtype == value.dtype and torch.equal(found[name], value)
        elif isinstance(value, np.ndarray):
            assert found[name].strides == value.strides and (found[name] == value).all()
        else:
            assert found[name] == value and type(found[name]) is type(value)
    assert found["tensor"].stride() == tensor.stride()  # sums over another layout may round otherwise


@pytest.mark.parametrize(("bad", "said"), [({"a": [1, {2, 3}]}, r"state\['a'\]\[1\] is of type set"),
                                           ({(1, 2): 3}, r"state has the key \(1, 2\)")])  # fmt: skip
def test_what_cannot_be_kept_is_named_and_nothing_is_written(tmp_path: Path, bad: Any, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        state.write(tmp_path / "a", bad)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_checkpoint_is_said_and_begins_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoints = Checkpoints(tmp_path, scratch=False)
    assert checkpoints.find("a/ü 1") is None
    assert checkpoints.keep("a/ü 1", {"x": b"1234"})
    assert checkpoints.find("a/ü 1") == {"x": b"1234"}
    (path,) = (tmp_path / "checkpoints").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert checkpoints.find("a/ü 1") is None
    assert "is damaged" in capsys.readouterr().err


def test_a_state_that_holds_a_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_SHOWN", {"correct horse": "secret:token"})
    checkpoints = Checkpoints(tmp_path, scratch=False)
    with pytest.raises(WorkbenchError, match="would hold the value of secret:token: leave that out"):
        checkpoints.keep("a", {"header": "Bearer correct horse"})
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_state_is_asked_for_when_it_is_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def current() -> dict[str, Any]:
        asked.append(1)
        return {}

    assert not Checkpoints(tmp_path, scratch=False).keep("a", current)
    assert asked == []
    monkeypatch.setenv("GENAI4EU_CHECKPOINT_SECONDS", "0")
    assert Checkpoints(tmp_path, scratch=False).keep("a", current)
    assert asked == [1]


def test_outside_a_run_nothing_old_is_taken_for_new(house: Path) -> None:
    script = "import genai4eu\nrun = genai4eu.current_run()\nprint(run.restore('a'))\nrun.checkpoint('a', {'x': 1})"

    def said(**more: str) -> str:
        command = [sys.executable, "-P", "-c", script]
        done = subprocess.run(
            command, cwd=house, env={**os.environ, **more}, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert [said(), said(), said(GENAI4EU_RESUME="1")] == ["None", "None", "{'x': 1}"]


def test_a_failed_run_goes_on_as_a_run_of_its_own(notebook: Write, genai4eu: CLI) -> None:
    path = notebook(PARAMETERS, COUNT % "1 / 0")
    assert genai4eu("run", str(path), "-p", "n=4").returncode == 1
    (first,) = all_runs()
    assert first.info["status"] == "failed" and len(kept(first.folder)) == 1
    done = genai4eu("runs", "resume", "latest", "--json")
    assert done.returncode == 0, done.stderr
    assert f"resumes {first.id} from 1 checkpoint\n" in done.stderr
    later = Record(first.folder.with_name(json.loads(done.stdout)["id"]))
    assert later.info["resumes"] == first.id and later.parameters == {"n": 4}
    assert later.metrics["began"]["value"] == 6
    assert (later.outputs / "seen.txt").read_text() == str(list(range(10)))
    assert check(first).whole and check(later).whole
    assert not place(later.folder).exists()  # it completed
    again = genai4eu("runs", "resume", later.id)
    assert again.returncode == 1 and "completed: there is nothing to go on with" in again.stderr
    assert genai4eu("runs", "rm", first.id, "--yes").returncode == 0
    assert not place(first.folder).exists()


def test_a_run_that_is_tried_again_goes_on(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, COUNT % "os.kill(os.getpid(), 9)"), retries=1, listener=nobody)
    assert [a["status"] for a in record.info["attempts"]] == ["died", "completed"]
    assert record.metrics["began"]["value"] == 6
    assert not place(record.folder).exists()
