"""``genai4eu runs wait|logs|cancel|fetch``, and what a Slurm job calls."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import WorkbenchError
from .runs import runs
from .show import Json, emit, ended

Run = Annotated[str, typer.Argument(help="Id, the beginning or end of one, or 'latest'.")]


@runs.command()
def wait(
    run: Run,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds to wait at most.")] = None,
    as_json: Json = False,
) -> None:
    """Wait until a run has ended. Exit code 0 means: it completed."""
    from ..runs.control import wait as wait_for
    from ..runs.store import find

    record, said = find(run), _Said()
    if not wait_for(record, timeout, lambda: said.say(record.info)):
        raise WorkbenchError(f"run {record.id} has not ended after {timeout:g} s: {record.info['status']}")
    _judge(record, as_json)


@runs.command()
def logs(
    run: Run,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
) -> None:
    """Print what the cells of a run have printed so far."""
    from ..runs.control import Printed
    from ..runs.control import wait as wait_for
    from ..runs.store import find

    record = find(run)
    printed, said = Printed(record), _Said()

    def look() -> None:
        if follow:
            said.say(record.info)
        sys.stdout.write(printed.more())
        sys.stdout.flush()

    if follow:
        wait_for(record, None, look)
        _judge(record)
    else:
        look()


@runs.command()
def cancel(run: Run, as_json: Json = False) -> None:
    """End a run, or take it out of the queue; what it has kept so far comes home."""
    from ..runs.control import cancel as end
    from ..runs.store import find

    record = find(run)
    end(record)
    if as_json:
        emit(_end(record))
    else:
        print(f"run {record.id} {ended(record.summary())}")


@runs.command()
def fetch(run: Run, as_json: Json = False) -> None:
    """Bring home what a run kept on its target, where its connection broke or this computer's disk was full."""
    from ..runs.home import fetch as bring
    from ..runs.progress import Bar
    from ..runs.store import find

    record = find(run)
    with Bar(record.id) as bar:
        bring(record, bar)
    if as_json:
        emit(_end(record))
    else:
        print(f"all that run {record.id} kept is at home: {record.folder}")


@runs.command("carry-out", hidden=True)
def carry_out(folder: Annotated[Path, typer.Argument(help="The record's folder.")]) -> None:
    """Carry out a pending run. Called inside the Slurm job that 'genai4eu run --batch' asks for."""
    from ..runs.batch import in_job

    in_job(folder)


class _Said:
    """Says on standard error how a run stands, when that changes."""

    def __init__(self) -> None:
        self._last = ""

    def say(self, info: dict[str, Any]) -> None:
        why = info["error"] or info.get("waits")
        line = f"{info['status']}: {why}" if why else str(info["status"])
        if line != self._last and info["status"] in ("pending", "running"):
            print(f"genai4eu: {line}", file=sys.stderr, flush=True)
        self._last = line


def _end(record: Any) -> dict[str, Any]:
    """Return how a run ended, for a script."""
    summary = record.summary()
    return {**{k: summary[k] for k in ("id", "status", "error", "duration")}, "folder": str(record.folder)}


def _judge(record: Any, as_json: bool = False) -> None:
    """Say how a run ended; anything but completed is an error."""
    summary = record.summary()
    if as_json:
        emit(_end(record))
    if summary["status"] != "completed":
        raise WorkbenchError(f"run {record.id} {ended(summary)}; see genai4eu runs show {record.id}")
    if not as_json:
        print(f"completed in {summary['duration']:.0f} s: {record.folder}")
