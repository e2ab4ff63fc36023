"""Every command explains itself and starts quickly enough to explain itself."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer.main

from genai4eu.__main__ import main
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


@pytest.mark.parametrize("arguments", [["factories"], ["factories", "--json"], ["--version"], ["--help"]], ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_line(arguments: list[str], unbuffered: str) -> None:
    command = [sys.executable, "-P", "-m", "genai4eu", *arguments]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=env, check=False)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert last == "genai4eu: the output cannot be written (No space left on device): make room, or write elsewhere"


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize(("arguments", "code"), [("runs list", 0), ("run missing.ipynb", 1)])
def test_a_closed_stream_changes_no_exit_code(arguments: str, code: int, closed: str, house: Path) -> None:
    command = f"{sys.executable} -P -m genai4eu {arguments} {closed}"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("option", "code"), [("--timeout=soon", 1), ("--retries=21", 2), ("--timeout=30m", 0)])
def test_a_sweep_takes_the_limits_that_a_run_takes(option: str, code: int, genai4eu: CLI) -> None:
    done = genai4eu("sweep", "health-imaging", "-p", "profile=smoke", "--dry-run", option)
    assert done.returncode == code, done.stderr


def test_ctrl_c_while_it_imports_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-P", "-m", "genai4eu", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "genai4eu: stopped\n")


def test_the_installed_command_is_the_one_that_hears_ctrl_c() -> None:
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="genai4eu")
    assert entry.load() is main


def test_pages_that_cannot_be_written_make_no_user(genai4eu: CLI, house: Path) -> None:
    done = genai4eu("gateway", "add-user", "ada", "--state", "gateway", "--html", "missing/pages.html")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "genai4eu: missing/pages.html cannot be written: there is no folder missing, make it first\n"
    assert not (house / "gateway").exists()


@pytest.mark.parametrize("token", ["short", "a" * 40])
def test_a_token_that_can_be_guessed_starts_no_gateway(genai4eu: CLI, house: Path, token: str) -> None:
    (house / "mine.token").touch(0o600)
    (house / "mine.token").write_text(token)
    done = genai4eu("gateway", "start", "--port", "0", "--state", "gateway", "--token-file", "mine.token")
    assert done.returncode == 1 and "too easy to guess" in done.stderr and "remove the file" in done.stderr
    assert done.stderr.count("\n") == 1
