"""What docs/trainers.md has trainers type is what the command line takes; it stays within two printed pages."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import typer

from genai4eu.cli import app

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "trainers.md").read_text("utf-8")
COMMANDS = re.findall(r"genai4eu course [^\n`#]*", TEXT)


def test_every_command_and_option_is_there() -> None:
    group = typer.main.get_command(app).commands["course"]  # type: ignore[attr-defined]
    named = {shlex.split(line)[2] for line in COMMANDS if len(line.split()) > 2}
    assert {"copy", "check", "rehearse", "start", "sheet", "stop", "records", "report", "remove"} <= named
    for line in COMMANDS:
        words = shlex.split(line)[2:]
        if not words or words[0] not in group.commands:
            assert not words or words[0] == "command", line
            continue
        known = {option for parameter in group.commands[words[0]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_it_stays_short() -> None:
    assert len(TEXT.split()) < 1350
