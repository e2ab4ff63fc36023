"""``genai4eu run|runs``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ..errors import WorkbenchError
from . import app
from .show import emit, table

runs = typer.Typer(help="List and look at the records of runs.", no_args_is_help=True)
app.add_typer(runs, name="runs")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_MARKS = {"completed": "green", "running": "cyan", "failed": "red", "died": "red", "timeout": "yellow"}


@app.command()
def run(
    template: Annotated[str, typer.Argument(help="A template's name ('genai4eu templates'), or a notebook file.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A parameter; may be repeated.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="Target ('genai4eu targets'); this computer by default.")] = None,
    cell_timeout: Annotated[int | None, typer.Option(min=1, help="Seconds that one cell may take.")] = None,
    as_json: Json = False,
) -> None:
    """Run a template or a notebook on a target and keep the record.

    Everything that can be checked is checked before a kernel starts. Exit code 0 means: the run completed.
    """
    from .. import catalogue
    from ..runs.runner import run as start

    given = catalogue.source(template).schema.parse(_pairs(parameter or []))
    record = start(template, on=on, parameters=given, cell_timeout=cell_timeout)
    summary = record.summary()
    if as_json:
        emit(summary)
    elif summary["status"] == "completed":
        _say_metrics(record.metrics)
        print(f"completed in {summary['duration']:.0f} s: {record.folder}")
        print(f"next: genai4eu publish {record.id}")
    if summary["status"] != "completed":
        raise WorkbenchError(f"run {record.id} {_ended(summary)}; see genai4eu runs show {record.id}")


def _ended(summary: dict[str, Any]) -> str:
    """Say how a run ended, and why, in a few words."""
    status = summary["status"]
    words = {"timeout": "ran into its timeout", "cancelled": "was cancelled"}.get(status, status)
    return f"{words}: {summary['error']}" if summary["error"] else words


def _pairs(texts: list[str]) -> dict[str, str]:
    """Split ``NAME=VALUE``; a name given twice is a mistake worth naming."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise WorkbenchError(f"-p {text!r} is not of the form NAME=VALUE")
        if name.strip() in pairs:
            raise WorkbenchError(f"parameter {name.strip()!r} is given twice")
        pairs[name.strip()] = value
    return pairs


def _say_metrics(metrics: dict[str, Any]) -> None:
    if metrics:
        table(["metric", "value", "unit"], [[n, _number(m["value"]), m["unit"]] for n, m in metrics.items()])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"


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
    print(f"{summary['title']}\n{record.id}: {_ended(summary)} on {summary['target']}, started {summary['started']}")
    table(["parameter", "value"], [[k, json.dumps(v)] for k, v in summary["parameters"].items()])
    if record.metrics:
        _say_metrics(record.metrics)
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
