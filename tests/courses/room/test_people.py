"""What runs as a seat's user, who may do to it what they like."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from genai4eu.courses.room.people import as_seat
from genai4eu.errors import WorkbenchError

_ME = (os.getuid(), os.getgid())


def _fails() -> None:
    raise OSError(28, "No space left on device", "a\udcff.ipynb")


def _signal(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def test_who_stops_what_works_in_their_folder_stops_nobody_else(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="cannot be worked in"):
        as_seat(_ME, tmp_path, _signal(signal.SIGSTOP), 0.2)


def test_who_stops_it_when_it_has_begun_to_speak_stops_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "_exit", lambda _: os.kill(os.getpid(), signal.SIGSTOP))
    with pytest.raises(WorkbenchError, match="cannot be worked in"):
        as_seat(_ME, tmp_path, _fails, 0.2)


def test_who_kills_it_has_not_had_it_done(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="cannot be worked in"):
        as_seat(_ME, tmp_path, _signal(signal.SIGKILL))


def test_a_name_that_is_no_text_hides_no_error(tmp_path: Path) -> None:
    def fails() -> None:
        raise WorkbenchError("a\udcff.ipynb is there already")

    with pytest.raises(WorkbenchError, match="No space left"):
        as_seat(_ME, tmp_path, _fails)
    with pytest.raises(WorkbenchError, match=r"a\\udcff\.ipynb is there"):
        as_seat(_ME, tmp_path, fails)
