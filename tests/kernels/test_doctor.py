"""``genai4eu doctor``: what is in order, what is not, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genai4eu import doctor
from genai4eu.cli.show import table
from genai4eu.doctor import Finding
from genai4eu.kernels.connect import connect, disconnect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway.process import GatewayProcess

from ..patience import genai4eu

pytestmark = pytest.mark.slow  # nearly every test starts kernels or servers


def findings(*targets: str, execute: bool = False) -> dict[str, Finding]:
    return {finding.what: finding for finding in doctor.examine(list(targets), execute)}


@pytest.fixture
def broken_target() -> Iterator[str]:
    """A kernelspec whose program says something and ends."""
    folder = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / "broken"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-c", "import sys; sys.exit('no licence: ask for one')", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "B", "language": "python"}))
    yield "broken"
    shutil.rmtree(folder)


def test_a_healthy_computer_and_gateway(gateway: GatewayProcess, target: str) -> None:
    asked = genai4eu("doctor", "--target", "genai4eu", "--target", target, "--json")
    rows = {row["what"]: row for row in json.loads(asked.stdout)}
    assert asked.returncode == 0, asked.stdout
    assert rows["packages"]["state"] == "ok" and rows["python"]["state"] == "ok"
    for name in ("genai4eu", target):
        assert "ms a line" in rows[f"target {name}"]["found"], rows[f"target {name}"]
    table = genai4eu("doctor", "--target", target, "--no-execute")
    assert f"target {target}" in table.stdout and "remedy" in table.stdout and table.returncode == 0


def test_a_gateway_that_refuses_the_token_and_one_that_is_down(gateway: GatewayProcess, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(gateway.token_file.read_text())
    connect("odd", gateway.url, token)
    try:
        token.write_text("another")
        wrong = findings("odd-genai4eu")["target odd-genai4eu"]
        assert wrong.state == "wrong" and "refuses the token" in wrong.found and wrong.remedy
        table = genai4eu("doctor", "--target", "odd-genai4eu", "--no-execute")
        assert table.returncode == 1 and "WRONG" in table.stdout
    finally:
        disconnect("odd")


def test_a_kernel_that_ends_at_once_is_quoted(broken_target: str) -> None:
    found = findings(broken_target, execute=True)["target broken"]
    assert (found.state, found.found) == ("wrong", "its kernel does not answer (no licence: ask for one)")
    assert found.remedy == "start it by hand with jupyter console --kernel broken"


@pytest.mark.parametrize("content", ['{"argv": [', "[]", '{"argv": ["x"], "metadata": [1]}'])
def test_a_kernelspec_that_jupyter_leaves_out_is_named(broken_target: str, content: str) -> None:
    path = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / broken_target / "kernel.json"
    path.write_text(content)
    (found,) = doctor.kernelspecs()
    assert (found.what, found.state) == ("kernelspec broken", "wrong") and str(path) in found.found


def test_names_that_need_quotes_and_programs_that_are_not_named(broken_target: str) -> None:
    folder = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / broken_target
    odd = folder.rename(folder.with_name("we ird"))
    try:
        found = findings("we ird", execute=True)["target we ird"]
        assert found.remedy == "start it by hand with jupyter console --kernel 'we ird'"
        (row,) = doctor.kernelspecs()
        assert (row.what, row.state) == ("kernelspec we ird", "note") and row.found.startswith(
            f"{odd}: its name cannot"
        )
        (odd / "kernel.json").write_text(json.dumps({"argv": [], "display_name": "B", "language": "python"}))
        asked = genai4eu("doctor", "--target", "we ird", "--json")
        assert "Warning" not in asked.stderr and asked.returncode == 1
        row = next(row for row in json.loads(asked.stdout) if row["what"] == "target we ird")
        assert (row["found"], row["remedy"]) == (
            "the target we ird names no program", "type jupyter kernelspec remove 'we ird'",
        )  # fmt: skip
    finally:
        odd.rename(folder)


def test_slurm_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("sbatch", "squeue", "scancel", "scontrol", "sinfo"):
        (tmp_path / name).write_text("#!/bin/sh\necho sinfo: error: no controller >&2; exit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    remedy = "check SLURM_CONF, or ask the operator of the cluster"
    monkeypatch.setattr(doctor, "_slurm_used", lambda: True)
    assert doctor.slurm() == Finding("slurm", "wrong", "sinfo: error: no controller", remedy)
    monkeypatch.setattr(doctor, "_slurm_used", lambda: False)
    assert (doctor.slurm().state, doctor.slurm().remedy.removeprefix(remedy)) == (
        "note", "; without Slurm targets nothing is needed",
    )  # fmt: skip


def test_a_narrow_terminal_breaks_no_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in {"COLUMNS": "40", "FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    row = ["target far-gpu", "WRONG", "the gateway refuses the token", "ask its operator for another one"]
    table(["what", "state", "found", "remedy"], [row])
    words = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in capsys.readouterr().out.splitlines()]
    assert words == [
        "target far-gpu", "  state: WRONG", "  found: the gateway refuses the token",
        "  remedy: ask its operator for another", "one",
    ]  # fmt: skip
    monkeypatch.setenv("COLUMNS", "120")
    table(["what", "state", "found", "remedy"], [row])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.1" if name == "voila" else version(name))
    assert doctor.packages() == Finding("packages", "wrong", "voila is 0.1", "pip install --upgrade genai4eu")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.slurm().state == "note"
    (tmp_path / "sbatch").touch(0o755)
    assert doctor.slurm() == Finding(
        "slurm", "wrong", "no squeue, scancel, scontrol, sinfo", "install Slurm's client programs"
    )


def test_a_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENAI4EU_RUNS", str(tmp_path / "file" / "runs"))
    runs = next(finding for finding in doctor.folders() if finding.what == "runs")
    assert runs.state == "wrong" and "GENAI4EU_RUNS" in runs.remedy


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(KernelsError, match="unknown target 'genai5eu'"):
        list(doctor.examine(["genai5eu"]))
