"""The commands of the operators' page, as an operator types them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from genai4eu.kernels import targets

from ..patience import genai4eu
from .cluster import Cluster

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operators.md"


@pytest.mark.slow
def test_every_slurm_command_of_the_page(cluster: Cluster) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Kernels as Slurm jobs")[2]
    (block,) = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    lines = block.splitlines()
    assert len(lines) >= 5
    for line in lines:
        done = genai4eu(*shlex.split(line)[1:])
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    target = targets.find("cpu-1h")
    assert target.where == "Slurm, partition cpu" and "Slurm, partition cpu" in genai4eu("targets").stdout
    genai4eu("slurm", "remove", "cpu-1h")
