"""Which way each metric of a use case is better: said once, where metrics are defined, and recorded with each."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from genai4eu.card import declared
from genai4eu.catalogue import usecases

SHIPPED = [u for u in usecases() if u.distribution == "genai4eu"]
#: Metrics of which neither is better: best at 1, at one half, or a matter of taste.
NEITHER = {"nearest_distance_min", "nearer_share", "spread_skill", "p999", "ratio", "entropy", "start_entropy"}


def _report(usecase: Any) -> Any:
    return importlib.import_module(f"genai4eu.usecases.{str(usecase.card).partition('/')[0].rpartition('.')[2]}.report")


@pytest.mark.parametrize("usecase", SHIPPED, ids=lambda u: u.name)
def test_every_metric_has_its_direction_or_none(usecase: Any) -> None:
    report, card = _report(usecase), declared(usecase)
    assert card is not None
    found = {name: report.better(name) for name in card.metrics}
    assert set(found.values()) <= {"higher", "lower", None} and any(found.values())
    undirected = {name for name, way in found.items() if way is None}
    assert all(name in NEITHER or name.startswith(tuple(f"{n}_" for n in NEITHER)) for name in undirected), undirected
    for begins in report.BETTER:  # each is of a metric that there is, and none is hidden behind an earlier one
        assert any(name.startswith(begins) and found[name] == report.BETTER[begins] for name in found), begins


@pytest.mark.parametrize("usecase", SHIPPED, ids=lambda u: u.name)
def test_every_template_records_it(usecase: Any) -> None:
    code = "\n".join("".join(cell["source"]) for cell in json.loads(usecase.notebook())["cells"])
    assert "report.better(name))" in code and code.count("in report.metrics(") + code.count("in (report.metrics(") == 1
