"""What a person is told of targets: state, queue and cost, of this computer, a gateway and Slurm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import genai4eu
from genai4eu.kernels.connect import connect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway import process
from genai4eu.kernels.slurm import jobs
from genai4eu.kernels.slurm.options import Options
from genai4eu.places import _jobs, cost, described

COSTS = [
    ({}, "1 core for as long as it runs"),
    ({"cpus": 8, "nodes": 2, "time": "1-00:00:00"}, "at most 384 core hours"),
    ({"gpus": "a100:4", "time": "30", "cpus": 16, "account": "p1"},
     "at most 2 a100 GPU hours, 8 core hours, charged to p1"),
    ({"gpus": "2", "time": "01:30:00"}, "at most 3 GPU hours, 1.5 core hours"),
    ({"gpus": "1", "cpus": 4}, "1 GPU, 4 cores for as long as it runs"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "said"), COSTS)
def test_what_a_job_takes_at_most(options: dict[str, Any], said: str) -> None:
    assert cost(Options(**options)) == said


def test_our_jobs_by_target(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("gpu", "RUNNING", None), ("gpu", "PENDING", 7), ("gpu", "PENDING", 3), ("cpu", "PENDING", None),
            ("old", "COMPLETED", None)]  # fmt: skip
    monkeypatch.setattr(jobs, "ours", lambda: [{"target": t, "state": s, "place": p} for t, s, p in rows])
    assert _jobs() == {
        "gpu": "1 runs, 2 wait, first at place 3 (of your jobs)",
        "cpu": "1 waits (of your jobs)",
    }

    def down() -> Any:
        raise KernelsError("squeue does not answer")

    monkeypatch.setattr(jobs, "ours", down)
    assert _jobs() == {"": "Slurm does not answer"}


@pytest.mark.slow
def test_targets_of_this_computer_and_a_gateway(house: Path) -> None:
    with process.start(house / "gateway") as gateway:
        connect("factory", gateway.url, gateway.token_file)
        picker = genai4eu.targets("factory-genai4eu")
        told = {t["name"]: t for t in picker.targets}
        assert told["genai4eu"]["state"] == "ready" and told["genai4eu"]["where"] == "this computer"
        assert picker.chosen == "factory-genai4eu" and told["factory-genai4eu"]["ready"]
        assert told["factory-genai4eu"]["queue"].startswith("0 ")
        assert told["factory-genai4eu"]["queue"].endswith("of your kernels in use")
    picker.refresh()  # the gateway is gone
    told = {t["name"]: t for t in picker.targets}
    assert told["factory-genai4eu"]["state"] == "gateway down" and picker.chosen == "genai4eu"
    with pytest.raises(ValueError, match="there is no target 'mars'"):
        genai4eu.targets("mars")
    assert next(t["name"] for t in described()) == "genai4eu"
