"""The shipped template is had again bit by bit: by warm kernels, at a gateway, and from where it was killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest

import genai4eu
from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process
from genai4eu.kernels.warm import client
from genai4eu.runs import state
from genai4eu.runs.again import resume
from genai4eu.runs.carry import kept
from genai4eu.runs.record import Record
from genai4eu.runs.store import all_runs
from genai4eu.verify.verdict import Verdict
from genai4eu.verify.verify import verify

TARGET = "factory-genai4eu"
pytestmark = pytest.mark.slow


def nobody(event: str, data: dict[str, Any]) -> None:
    """Listen to nothing."""


@pytest.fixture(scope="module")
def whole(apart: Callable[[], AbstractContextManager[Path]]) -> Record:
    """A run of the template from top to bottom."""
    pytest.importorskip("torch")
    with apart(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # two threads on a busy computer would wait for each other in vain
        record = genai4eu.run("health-imaging", profile="smoke", epochs=1, listener=nobody)
    assert record.info["status"] == "completed", record.info["error"]
    return record


@pytest.fixture
def warm(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A private template of warm kernels, once it is asked for."""
    (house / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(house / "run"))
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # two threads on a busy computer would wait for each other in vain
    yield monkeypatch
    client.stop()


def unlike(verdict: Verdict) -> dict[str, str]:
    """Return what is not bit-identical."""
    return {path: about["said"] for path, about in verdict.outputs.items() if about["outcome"] != "identical"}


def test_the_shipped_template_is_had_again(whole: Record, warm: pytest.MonkeyPatch, house: Path) -> None:
    record = Record(shutil.copytree(whole.folder, house / "runs" / whole.id))
    with process.start(house / "gateway") as gateway:
        connect("factory", gateway.url, gateway.token_file)
        there = verify(record, on=TARGET, listener=nobody)
    assert there.exact, unlike(there)
    warm.setenv("GENAI4EU_WARM", "on")
    assert client.ensure(wait=True, timeout=300)
    here = verify(record, listener=nobody)
    assert Record(record.folder.with_name(here.by)).info["kernel"]["warm"]
    assert here.outcome == "identical", unlike(here)
    assert len(here.outputs) >= 9
    assert "computer" not in here.around


def _outputs(record: Record) -> dict[str, bytes]:
    return {p.relative_to(record.outputs).as_posix(): p.read_bytes() for p in sorted(record.outputs.rglob("*.*"))}


def test_a_study_whose_runner_was_killed_in_training_ends_like_an_unbroken_one(
    whole: Record, monkeypatch: pytest.MonkeyPatch, house: Path
) -> None:
    """All outputs bit by bit; the kernel dies with its runner, and neither could bring anything home."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setenv("GENAI4EU_CHECKPOINT_SECONDS", "0")
    command = [sys.executable, "-P", "-m", "genai4eu", "run", "health-imaging", "-p", "profile=smoke", "-p", "epochs=1"]
    process = subprocess.Popen(command, cwd=house, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    broken = _in_the_middle(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _ends(broken.info["kernel_id"])
    assert broken.info["status"] == "died"
    later = resume(broken.id, listener=nobody)
    assert later.info["status"] == "completed", later.info["error"]
    assert _outputs(later) == _outputs(whole) and len(_outputs(whole)) >= 6
    assert later.metrics == whole.metrics


def _in_the_middle(process: subprocess.Popen[bytes]) -> Record:
    """Return the run once a segmenter is half trained."""
    while True:
        assert process.poll() is None
        found = list(all_runs())
        half = [p for r in found for p in kept(r.folder) if "classical" in p.name]
        if half and state.read(half[0])["done"] >= 10:
            return found[0]
        time.sleep(0.02)


def _ends(kernel_id: str) -> None:
    """Wait until the kernel has followed its runner."""

    def lives() -> bool:
        lines = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
        return any(kernel_id in line for line in lines)

    while lives():
        time.sleep(0.1)
