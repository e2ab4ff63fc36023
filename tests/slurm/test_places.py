"""What a person who chooses a target is told of a real Slurm: the state, our jobs in its queue, what a job takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genai4eu.places import described

from ..patience import eventually
from .cluster import Cluster
from .conftest import Kernel

pytestmark = pytest.mark.slow


def _told(name: str) -> dict[str, Any]:
    return next(t for t in described() if t["name"] == name)


def test_queue_and_cost_of_a_slurm_target(
    cluster: Cluster, target: Callable[..., str], start: Callable[..., Kernel]
) -> None:
    name = target("boost", time="30", cpus=2)
    told = _told(name)
    assert (told["state"], told["where"], told["queue"]) == ("ready", "Slurm, partition cpu", "none of your jobs")
    assert told["cost"] == "at most 1 core hour"
    start(name)
    eventually(lambda: _told(name)["queue"] == "1 runs (of your jobs)")
