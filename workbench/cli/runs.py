"""``genai4eu runs list|show|check|rm|reindex``; the rest of ``runs`` is in ``records``."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from ..errors import WorkbenchError
from . import app
from .show import Json, emit, emit_rows, ended, metrics, relation, said, table

runs = typer.Typer(help="List, look at, check, compare and move the records of runs.", no_args_is_help=True)
app.add_typer(runs, name="runs")

#: A run that verifies another is never the latest.
_LATEST = "(verifying runs not counted)"
#: The argument of every command on one run.
Run = Annotated[str, typer.Argument(help=f"Id, the beginning or end of one, 'latest', or 'latest~1' {_LATEST}.")]
_MARKS = {"completed": "green", "running": "cyan", "failed": "red", "died": "red", "timeout": "yellow"}
#: Rows that a terminal is given where no limit is asked for; a pipe gets all.
_SCREENFUL = 50


@runs.command("list")
def list_runs(
    template: Annotated[str | None, typer.Option(help="Only runs of this template or notebook.")] = None,
    status: Annotated[str | None, typer.Option(help="Only runs that ended so: completed, failed, died, …")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Only runs with this value; also < > <= >= !=."),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME>VALUE", help="Only runs with such a result, as 'dice>0.8'.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Begun then or later: 2026-11-26, or 7d for a week ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Begun then or earlier; a day counts whole.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="At most so many, 0 for all; 50 on a terminal by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the runs below GENAI4EU_RUNS (default ./runs), the newest first."""
    from ..runs.filters import Condition, Filters, known, moment
    from ..runs.store import runs_root, summaries

    filters = Filters(
        template,
        known(status) if status else None,
        tuple(Condition.read(text, "parameter") for text in parameter or []),
        tuple(Condition.read(text, "metric") for text in metric or []),
        moment(since, "--since") if since else None,
        moment(until, "--until", end=True) if until else None,
    )
    every = summaries()
    chosen = filters.select(every)
    shown = chosen[: _limit(limit, as_json) or None]
    if as_json:
        emit_rows(shown)
    elif not every:
        print(f"no runs in {runs_root()} yet; start one: genai4eu run health-imaging -p profile=smoke")
    else:
        _print(shown, filters)
    if len(shown) < len(chosen):
        print(f"{len(shown)} of {len(chosen):,} runs; --limit 0 shows all", file=sys.stderr)


def _limit(asked: int | None, as_json: bool) -> int:
    """Return how many rows to show, 0 for all."""
    if asked is not None:
        return asked
    return 0 if as_json or not sys.stdout.isatty() else _SCREENFUL


def _print(summaries: list[dict[str, Any]], filters: Any) -> None:
    """Print the table; metrics that were asked for have a column of their own."""
    asked = list(dict.fromkeys([c.name for c in filters.parameters] + [c.name for c in filters.metrics]))
    if not summaries:
        print("no run is like that")
        return
    rows = [
        [
            s["id"],
            s["status"],
            s["target"] or "",
            _seconds(s["duration"]),
            *(_value(s, n) for n in asked),
            said(s),
        ]
        for s in summaries
    ]
    table(
        ["run", "status", "target", "time", *asked, ""], rows, {s["id"]: _MARKS.get(s["status"], "") for s in summaries}
    )


def _value(summary: dict[str, Any], name: str) -> str:
    found = summary["metrics"].get(name, summary["parameters"].get(name))
    return "" if found is None else f"{found:.4g}" if isinstance(found, float) else str(found)


def _seconds(duration: float | None) -> str:
    return "" if duration is None else f"{duration:.0f} s"


@runs.command()
def show(run: Run, as_json: Json = False) -> None:
    """Show one run: how it ended, its parameters and metrics, and where its record lies."""
    from ..runs.seal import fingerprint
    from ..runs.store import find
    from ..verify.verdict import about

    record = find(run)
    summary = record.summary()
    if as_json:
        more = {"folder": str(record.folder), "cells": record.info["cells"], "energy": record.energy}
        more |= {"verdicts": about(record.folder), **{k: record.info.get(k) for k in ("resumes", "verifies")}}
        emit({**summary, **more, "fingerprint": fingerprint(record) if summary["sealed"] else None})
        return
    print(f"{summary['title']}\n{record.id}: {ended(summary)} on {summary['target']}, started {summary['started']}")
    if of := relation(summary):
        print(of)
    table(["parameter", "value"], [[k, json.dumps(v)] for k, v in summary["parameters"].items()])
    metrics(record.metrics)
    if record.energy:
        print(f"energy: {record.energy_sentence}")
    for verdict in about(record.folder):
        print(verdict["sentence"])
    print(f"record: {record.folder}" + ("" if summary["sealed"] else " (not sealed)"))


@runs.command()
def check(
    run: Annotated[list[str] | None, typer.Argument(help="Ids, beginnings or ends of ids, or 'latest'.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Check every run.")] = False,
    seal: Annotated[str | None, typer.Option(help="A fingerprint noted earlier; the run's seal must be that.")] = None,
    as_json: Json = False,
) -> None:
    """Find out whether records are what they were when they were sealed; exit code 1 if one is not.

    Every file is compared with the digest in the record's seal. A change of the seal itself is found only where its
    fingerprint was noted elsewhere: give that with --seal.
    """
    from ..runs.seal import check as look
    from ..runs.settle import settle
    from ..runs.store import all_runs, find, runs_root

    if bool(run) == every:
        raise WorkbenchError("name the runs to check, or --all")
    if seal and len(run or []) != 1:
        raise WorkbenchError("--seal belongs to one run: name it")
    records = all_runs() if every else [find(name) for name in run or []]
    if not records and not as_json:
        print(f"no runs in {runs_root()}")
        return
    found = []
    for record in records:
        settle(record)
        found.append((look(record, seal), record.running))
    if as_json:
        emit_rows([{**checked.about(), "running": running} for checked, running in found])
    else:
        rows = [[c.run, "still running" if r and not c.sealed else c.sentence(), c.fingerprint or ""] for c, r in found]
        table(["run", "since it was sealed", "fingerprint"], rows, {c.run: "" if c.whole else "red" for c, _ in found})
    if not all(checked.whole or running for checked, running in found):
        raise typer.Exit(1)


@runs.command("rm")
def remove(
    run: Annotated[list[str], typer.Argument(help="Ids, beginnings or ends of ids, or 'latest'.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option(help="Also runs that still run, or that a dashboard is published from.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove the records of runs, for good."""
    from ..runs.removal import refusal, remove
    from ..runs.store import find

    records = list({r.folder: r for r in map(find, run)}.values())
    if not force:
        for record in records:
            if why := refusal(record):
                raise WorkbenchError(f"run {record.id} {why}; --force removes it all the same")
    if not yes:
        if not sys.stdin.isatty():
            raise WorkbenchError("to remove runs where nobody can be asked, say --yes")
        for record in records:
            print(record.id, file=sys.stderr)
        typer.confirm(f"Remove {len(records)} run{'s' * (len(records) > 1)} for good?", abort=True, err=True)
    for record in records:
        remove(record)
        if not as_json:
            print(f"removed {record.id}")
    if as_json:
        emit({"removed": [record.id for record in records]})


@runs.command()
def reindex() -> None:
    """Read every record anew. The list does so by itself wherever a record changed."""
    from ..runs import index
    from ..runs.store import runs_root, summaries

    index.forget(runs_root())
    print(f"{len(summaries()):,} runs in {runs_root()}")
