"""``genai4eu doctor``: thin over ``genai4eu.doctor``."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from . import app
from .show import emit, table

_MARKS = {"ok": "ok", "note": "note", "wrong": "WRONG"}


@app.command("doctor")
def doctor(
    target: Annotated[list[str] | None, typer.Option(help="Only this target; may be given several times.")] = None,
    execute: Annotated[bool, typer.Option(help="Start a kernel on each target and let it execute a line.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check environment, targets, warm kernels and Slurm, and say what to do about what is wrong.

    The exit code is 1 where something is wrong.
    """
    from tqdm import tqdm

    from ..doctor import examine

    bar = tqdm(examine(target, execute), desc="looking", unit=" things", leave=False, disable=None)
    findings = [finding for finding in bar if not bar.set_postfix_str(finding.what)]
    if as_json:
        emit([dataclasses.asdict(finding) for finding in findings])
    else:
        colours = {f.what: {"wrong": "red", "note": "yellow"}.get(f.state, "") for f in findings}
        table(
            ["what", "state", "found", "remedy"],
            [[f.what, _MARKS[f.state], f.found, f.remedy] for f in findings],
            {what: colour for what, colour in colours.items() if colour},
        )
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)
