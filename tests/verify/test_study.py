"""The shipped template is had again: bit by bit here, by ordinary and by warm kernels, and at a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import genai4eu
from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process
from genai4eu.kernels.warm import client
from genai4eu.runs.record import Record
from genai4eu.verify.verdict import Verdict
from genai4eu.verify.verify import verify

TARGET = "factory-genai4eu"
pytestmark = pytest.mark.slow


def nobody(event: str, data: dict[str, Any]) -> None:
    """Listen to nothing."""


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


def test_the_shipped_template_is_had_again(house: Path, warm: pytest.MonkeyPatch) -> None:
    record = genai4eu.run("health-imaging", profile="smoke", epochs=1, listener=nobody)
    assert record.info["status"] == "completed", record.info["error"]
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
