"""``genai4eu run``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import WorkbenchError
from . import app
from .show import Json, emit, ended, metrics

if TYPE_CHECKING:
    from ..runs.plan import Plan
    from ..runs.record import Record
    from ..runs.session import Listener

#: How --timeout may be given, and the most that --retries takes: alike for a run and for those of a sweep.
TIMEOUT, RETRIES = "seconds, or such as 30m, 8h", 20


@app.command()
def run(
    template: Annotated[str, typer.Argument(help="A template's name ('genai4eu templates'), or a notebook file.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A parameter; may be repeated.")
    ] = None,
    params: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Parameters in a .yaml or .json file; -p goes before it.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="Target ('genai4eu targets'); this computer by default.")] = None,
    timeout: Annotated[str | None, typer.Option(help=f"What the run may take: {TIMEOUT}.")] = None,
    cell_timeout: Annotated[int | None, typer.Option(min=1, help="Seconds that one cell may take.")] = None,
    retries: Annotated[
        int, typer.Option(min=0, max=RETRIES, help="Further attempts where the kernel died or was preempted.")
    ] = 0,
    stream: Annotated[bool, typer.Option("--stream", help="Print what the cells print, as it comes.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Keep what the cells print in the record's log.txt too.")] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="As a Slurm job of its own, which needs this terminal no more.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a template or a notebook on a target and keep the record.

    Everything that can be checked is checked before a kernel starts. Of what the cells print 100 MB are kept, the
    first of it; the notebook shows head and tail. Exit code 0 means: the run completed.
    """
    from .. import catalogue
    from ..parameter_file import gather
    from ..runs.plan import Limits, plan
    from ..runs.runner import create

    given = gather(catalogue.source(template).schema, params or [], pairs(parameter or []))
    planned = plan(template, on=on, parameters=given, limits=Limits(span(timeout), cell_timeout, retries))
    if batch:
        _submit(planned, as_json)
        return
    record = _carry_out(planned, create(planned), stream, log, as_json)
    summary = record.summary()
    if as_json:
        emit(summary)
    elif summary["status"] == "completed" and not summary["error"]:
        metrics(record.metrics)
        print(f"completed in {summary['duration']:.0f} s: {record.folder}")
        print(f"next: genai4eu publish {record.id}")
    if summary["status"] != "completed" or summary["error"]:
        raise WorkbenchError(f"run {record.id} {ended(summary)}; see genai4eu runs show {record.id}")


def _submit(planned: Plan, as_json: bool) -> None:
    """Leave the run to Slurm."""
    from ..runs.batch import number_of, submit

    record = submit(planned)
    number = number_of(record)
    if as_json:
        emit({**record.summary(), "job": number})
        return
    print(f"submitted as Slurm job {number}: {record.folder}")
    print(f"next: genai4eu runs wait {record.id}")


def span(text: str | None) -> float | None:
    """Return the seconds that a length of time means; a bare number is seconds."""
    from genai4eu.kernels.gateway.spans import seconds

    if text is None:
        return None
    return seconds(f"{text}s" if text.replace(".", "", 1).isdigit() else text)


def _carry_out(planned: Plan, record: Record, stream: bool, log: bool, to_error: bool) -> Record:
    """Execute the run with a bar, and let what its cells print go where it was asked for."""
    from ..runs.follow import Follower, LogFile, every
    from ..runs.progress import Bar
    from ..runs.runner import carry_out

    with Bar(planned.source.name) as bar:
        listeners: list[Listener] = [bar]
        if stream:
            plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
            listeners.append(Follower(sys.stderr if to_error else sys.stdout, sys.stderr, plain, bar.clear))
        if log:
            file = LogFile(record.folder / "log.txt")
            listeners.append(Follower(file, file, plain=True))
        return carry_out(planned, record, every(*listeners))


def pairs(texts: list[str]) -> dict[str, str]:
    """Split ``NAME=VALUE``; a name given twice is a mistake worth naming."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise WorkbenchError(f"-p {text!r} is not of the form NAME=VALUE")
        if name.strip() in found:
            raise WorkbenchError(f"parameter {name.strip()!r} is given twice")
        found[name.strip()] = value
    return found
