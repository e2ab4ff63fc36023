"""A course where seats of a room may go: a test's own folder is closed to other users."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from genai4eu.courses.skeleton import make

from ... import stack


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing imported ahead that no participant of these lessons imports."""
    monkeypatch.setenv(stack.WITHOUT, stack.SECTORS)


@pytest.fixture
def folder() -> Iterator[Path]:
    """The course that ``genai4eu course new`` makes."""
    with tempfile.TemporaryDirectory(prefix="genai4eu-test-") as place:
        Path(place).chmod(0o711)
        yield make(Path(place) / "mean", ("en",))
