"""Checkpoints of a kernel that cannot see the records: they come home from the gateway and are sent to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import papermill  # noqa: F401  # imports the engine, which must not be imported first
import pytest

import genai4eu
from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process
from genai4eu.runs import carry, engine
from genai4eu.runs.again import resume
from genai4eu.runs.carry import kept, place
from genai4eu.verify.verify import verify

TARGET = "factory-genai4eu"
PARAMETERS = ("parameters", "n: int = 3")
COUNT = """import genai4eu, os
run = genai4eu.current_run()
found = run.restore("count ü") or {"n": 0, "big": b""}
began = found["n"]
for n in range(began, 4):
    run.checkpoint("count ü", {"n": n + 1, "big": bytes(6_000_000)})
    if n == 2 and began == 0:
        os.kill(os.getpid(), 9)
(run.outputs / "n.txt").write_text(f"{n} {len(found['big'])}")"""
pytestmark = pytest.mark.slow


@pytest.fixture
def gateway(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[process.GatewayProcess]:
    """A gateway whose kernels do not find the records."""
    lend = carry.lend

    def blind(ask: Callable[..., str], record: Path) -> None:
        lend(lambda name, *rest: "false" if name == "share" else ask(name, *rest), record)

    monkeypatch.setattr(engine, "lend", blind)
    with process.start(house / "gateway") as started:
        connect("factory", started.url, started.token_file)
        yield started


def nobody(event: str, data: dict[str, Any]) -> None:
    """Listen to nothing."""


def test_a_run_at_a_gateway_goes_on_where_its_kernel_died(
    gateway: process.GatewayProcess, notebook: Callable[..., Path]
) -> None:
    path = notebook(PARAMETERS, COUNT)
    first = genai4eu.run(path, on=TARGET, listener=nobody)
    assert first.info["status"] == "died"
    assert [p.name for p in kept(first.folder)] == ["count %C3%BC.checkpoint"]
    later = resume(first, listener=nobody)
    assert later.info["status"] == "completed", later.info["error"]
    assert (later.outputs / "n.txt").read_text() == "3 6000000"
    assert not place(later.folder).exists()
    tried = genai4eu.run(path, on=TARGET, retries=1, listener=nobody)
    assert [a["status"] for a in tried.info["attempts"]] == ["died", "completed"]
    assert (tried.outputs / "n.txt").read_text() == "3 6000000"


def test_a_run_here_is_verified_at_a_gateway(gateway: process.GatewayProcess, notebook: Callable[..., Path]) -> None:
    study = "import genai4eu\nrun = genai4eu.current_run()\nrun.metric('half', n / 2)\nprint(run.outputs.parent.name)"
    record = genai4eu.run(notebook(PARAMETERS, study), listener=nobody)
    verdict = verify(record, on=TARGET, listener=nobody)
    assert verdict.exact and verdict.target == TARGET and verdict.where.endswith(f", target {TARGET}")
    assert verdict.outputs["notebook.ipynb"]["aside"] == ["the run's own name and folder"]
