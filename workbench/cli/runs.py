"""``genai4eu runs``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ..errors import WorkbenchError
from . import app
from .show import Json, emit, ended, metrics, table

runs = typer.Typer(help="List and look at the records of runs.", no_args_is_help=True)
app.add_typer(runs, name="runs")

_MARKS = {"completed": "green", "running": "cyan", "failed": "red", "died": "red", "timeout": "yellow"}


@runs.command("list")
def list_runs(as_json: Json = False) -> None:
    """List the runs below GENAI4EU_RUNS (default ./runs), the newest first."""
    from ..runs.store import all_runs, runs_root

    summaries = [_readable(r) for r in all_runs()]
    if as_json:
        emit(summaries)
    elif not summaries:
        print(f"no runs in {runs_root()} yet; start one: genai4eu run health-imaging -p profile=smoke")
    else:
        rows = [[s["id"], s["status"], s["target"] or "", _seconds(s["duration"]), s["error"] or ""] for s in summaries]
        table(["run", "status", "target", "time", ""], rows, {s["id"]: _MARKS.get(s["status"], "") for s in summaries})


def _readable(record: Any) -> dict[str, Any]:
    """Return a record's summary; one that cannot be read is listed as such instead of hiding the others."""
    try:
        summary: dict[str, Any] = record.summary()
    except WorkbenchError as error:
        unknown = dict.fromkeys(("template", "title", "target", "kernel_id", "started", "duration"))
        about = {"id": record.id, "status": "damaged", "error": str(error), "sealed": False}
        return {**unknown, **about, "parameters": {}, "metrics": {}}
    return summary


def _seconds(duration: float | None) -> str:
    return "" if duration is None else f"{duration:.0f} s"


@runs.command()
def show(
    run: Annotated[str, typer.Argument(help="Id, the beginning or end of one, or 'latest'.")], as_json: Json = False
) -> None:
    """Show one run: how it ended, its parameters and metrics, and where its record lies."""
    from ..runs.store import find

    record = find(run)
    summary = record.summary()
    if as_json:
        emit({**summary, "folder": str(record.folder), "cells": record.info["cells"]})
        return
    print(f"{summary['title']}\n{record.id}: {ended(summary)} on {summary['target']}, started {summary['started']}")
    table(["parameter", "value"], [[k, json.dumps(v)] for k, v in summary["parameters"].items()])
    metrics(record.metrics)
    print(f"record: {record.folder}" + ("" if summary["sealed"] else " (not sealed)"))


@runs.command("open")
def open_record(run: Annotated[str, typer.Argument(help="Id, the beginning or end of one, or 'latest'.")]) -> None:
    """Open the executed notebook of a run in JupyterLab."""
    from ..lab import open_notebook
    from ..runs.store import find

    record = find(run)
    if not record.notebook_path.is_file():
        raise WorkbenchError(f"run {record.id} has no executed notebook: it ended before its first cell")
    open_notebook(record.notebook_path, record.id)
