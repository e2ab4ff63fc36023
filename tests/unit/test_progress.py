"""How far a run has come is drawn by cell and within a cell, in a terminal only."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import ipykernel.zmqshell  # noqa: F401  # what speaks to kernels imports it, and sits in no notebook for that
import papermill  # noqa: F401  # it imports our engine, which imported first would meet itself half made
import pytest

from genai4eu.cli.verify import _Making
from genai4eu.runs.follow import Follower
from genai4eu.runs.progress import Bar, _drawn_by, clock
from genai4eu.verify.environment import MADE


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def cell(index: int, status: str) -> tuple[str, dict[str, object]]:
    about = {"type": "code", "source": "\n\nx = 1\ny", "injected": index == 1}
    return "cell", {"index": index, "total": 4, "status": status, **about}


def test_a_bar_goes_on_within_a_cell_and_says_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai4eu.runs.progress._DRAW_EVERY", 0.0)
    out = Terminal()
    with Bar("study", out) as bar:
        bar(*cell(0, "completed"))
        bar(*cell(1, "running"))
        bar("progress", {"label": "training", "done": 5, "total": 10, "remaining": 200.0})
        bar("attempt", {"number": 2, "status": "died", "error": "the kernel died"})
    shown = out.getvalue()
    assert "study |" in shown
    assert "1/4 cells" in shown
    assert "1.5/4 cells" in shown
    assert "training 5/10, 3 min 20 s left" in shown
    assert "attempt 2: the one before died" in shown
    assert "\x1b[3" not in shown  # no colour, with or without NO_COLOR


def test_no_bar_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("study") as bar:
        bar(*cell(0, "running"))
    assert capsys.readouterr() == ("", "")


def test_a_notebook_draws_it_as_a_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _drawn_by(None).__module__ == "tqdm.std"
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object()))
    assert _drawn_by(None).__module__ == "tqdm.notebook"
    assert _drawn_by(sys.stderr).__module__ == "tqdm.std"


def test_the_making_of_an_environment_is_said_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("study") as bar:
        making = _Making(bar, MADE)
        for said in ("", "Collecting x", "Collecting y", MADE):
            making(1, 2, said)
    assert capsys.readouterr().err == (
        "making an environment of 2 packages with pip; it is kept for the next time\n"
        "the environment is made; the run begins in it\n"
    )


def test_lengths_of_time_are_read_aloud() -> None:
    assert [clock(s) for s in (0.4, 59, 61, 3599.6, 7500)] == ["0 s", "59 s", "1 min 1 s", "1 h 0 min", "2 h 5 min"]


def test_what_cells_print_keeps_its_lines() -> None:
    out, err = io.StringIO(), io.StringIO()
    follow = Follower(out, err, plain=True)
    follow(*cell(0, "running"))
    follow("stream", {"name": "stdout", "text": "\x1b[31mhalf"})
    follow("stream", {"name": "stdout", "text": " a line\n"})
    follow("stream", {"name": "stdout", "text": "no end"})
    follow("stream", {"name": "stderr", "text": "warning\n"})
    follow("output", {"kind": "execute_result", "text": "42"})
    follow("output", {"kind": "error", "text": "Traceback"})
    follow(*cell(1, "running"))
    assert out.getvalue() == "half a line\nno end\n42\n"
    assert err.getvalue() == "[1/4] x = 1\nwarning\nTraceback\n[2/4] parameters\n"


def test_terminal_commands_stay_in_a_terminal() -> None:
    out = Terminal()
    Follower(out, sys.stderr, plain=False)("stream", {"name": "stdout", "text": "\x1b[31mred"})
    assert out.getvalue() == "\x1b[31mred"
