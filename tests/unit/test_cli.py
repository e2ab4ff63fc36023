"""Every command explains itself and starts quickly enough to explain itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
import typer.main

from genai4eu.cli import app

CLI = Callable[..., subprocess.CompletedProcess[str]]


def commands(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    yield path, command
    for name, sub in getattr(command, "commands", {}).items():
        yield from commands(sub, (*path, name))


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_argument_and_option_has_help(path: tuple[str, ...]) -> None:
    command = ALL[path]
    assert getattr(command, "help", None), path
    for parameter in getattr(command, "params", []):
        assert getattr(parameter, "help", None) or parameter.name in ("help", "debug"), (path, parameter.name)


def test_help_names_every_command(genai4eu: CLI) -> None:
    shown = genai4eu("--help").stdout
    for name in (path[0] for path in ALL if len(path) == 1):
        assert name in shown


def test_version(genai4eu: CLI) -> None:
    assert genai4eu("--version").stdout == "genai4eu 0.1.0\n"


def test_unknown_option_is_a_usage_error(genai4eu: CLI) -> None:
    done = genai4eu("run", "--nonsense")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
