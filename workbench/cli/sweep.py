"""``genai4eu sweep|sweeps``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Unfinished, WorkbenchError
from . import app
from .run import RETRIES, TIMEOUT, pairs, span
from .show import Json, emit, table

sweeps = typer.Typer(help="List and look at sweeps.", no_args_is_help=True)
app.add_typer(sweeps, name="sweeps")


@app.command()
def sweep(
    template: Annotated[str | None, typer.Argument(help="A template's name, or a notebook file.")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUES", help="A parameter and its values; may be repeated."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A YAML file that says it all, in place of the above.")] = None,
    zip_: Annotated[bool, typer.Option("--zip", help="Walk the lists together, not each value with each.")] = False,
    sample: Annotated[int, typer.Option(min=0, help="Draw so many points at random.", metavar="N")] = 0,
    sample_seed: Annotated[int, typer.Option(help="What the drawing begins with; the same draws the same.")] = 0,
    on: Annotated[str | None, typer.Option(help="Target ('genai4eu targets'); this computer by default.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at a time; as many as processors by default.")] = None,
    per_task: Annotated[int | None, typer.Option(min=1, help="On Slurm: points that one task carries out.")] = None,
    timeout: Annotated[str | None, typer.Option(help=f"What one run may take: {TIMEOUT}.")] = None,
    cell_timeout: Annotated[int | None, typer.Option(min=1, help="Seconds that one cell may take.")] = None,
    retries: Annotated[
        int | None, typer.Option(min=0, max=RETRIES, help="Further attempts of a run that died or was preempted.")
    ] = None,
    best: Annotated[str | None, typer.Option(metavar="METRIC[:min|max]", help="What makes a run the best.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the points, and start nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Run a notebook once for every point of a grid, a list or a sample; each run is an ordinary record.

    VALUES may be
      1e-3,1e-4          a list
      0..4               whole numbers, both ends included
      0..1:0.25          from 0 to 1 in steps of 0.25
      0.1..0.5/5         5 numbers, evenly spaced
      1e-4..1e-1/4log    4 numbers, each the same factor from the one before
      uniform, log       with --sample: drawn between the declared bounds
      log:1e-4..1e-1     with --sample: drawn between these

    The same command again runs only what is missing or failed. Exit code 0 means: every run completed.

    A file for --file has the lines
      template: health-imaging       # or a notebook beside the file
      parameters: {profile: smoke}   # the same for all
      grid: {seed: 0..4}             # each with each
      zip: {a: [1, 2], b: [3, 4]}    # walked together
      list: [{a: 1}, {a: 2, b: 5}]   # point by point
      sample: {number: 20, seed: 1, parameters: {lr: "log:1e-4..1e-1"}}
    and, if need be, target, jobs, per_task, timeout, cell_timeout, retries, best.
    """
    from ..sweeps import sweep as library
    from ..sweeps.form import Form, read_form
    from ..sweeps.request import request

    if (template is None) == (file is None):
        raise WorkbenchError("a sweep needs a template, or --file sweep.yaml, and not both")
    if file is not None and (parameter or zip_ or sample):
        raise WorkbenchError(f"{file} says what is varied: leave out -p, --zip and --sample, or the file")
    own = {
        "target": on,
        "jobs": jobs,
        "per_task": per_task,
        "timeout": span(timeout),
        "cell_timeout": cell_timeout,
        "retries": retries,
        "best": best,
    }
    if file is not None:
        form = read_form(file)
    else:
        form = Form(template or "", library.axes_of(pairs(parameter or []), zip_, (), sample, sample_seed))
    form = form.with_(**own)
    asked = request(form.template, form.axes, form.target, form.limits)
    if dry_run:
        _show_points(asked, as_json)
    else:
        _carry_out(asked, form, as_json)


def _show_points(asked: Any, as_json: bool) -> None:
    """Show what would be run."""
    from ..sweeps.table import shown

    points, names = asked.points.points, list(dict.fromkeys(n for p in asked.points.points for n in p))
    if as_json:
        emit({"id": asked.id, "target": asked.plan.target.name, "points": points})
        return
    table(["point", *names], [[str(i), *(shown(p.get(n, "")) for n in names)] for i, p in enumerate(points)])
    print(f"{_count(asked)} on {asked.plan.target.name}; nothing was started")


def _count(asked: Any) -> str:
    """Say how many points there are, and that some were asked for twice."""
    number, twice = len(asked.points.points), asked.points.duplicates
    more = f" ({twice} asked for more than once and left out)" if twice else ""
    return f"{number} point{'s' * (number != 1)}{more}"


def _carry_out(asked: Any, form: Any, as_json: bool) -> None:
    """Carry it out; one line says how it went and what to type next."""
    from ..sweeps import sweep as library
    from ..sweeps.folder import made
    from ..sweeps.table import following

    _say(asked, form)
    with following(asked) as follow:
        try:
            done = library.carry_out(asked, form.jobs, follow, form.best, form.per_task)
        except KeyboardInterrupt:
            left = len(library.unfinished(made(asked).states()))
            raise Unfinished(f"stopped with {left} of {_count(asked)} to do; the same command goes on") from None
    _close(done, as_json)


def _say(asked: Any, form: Any) -> None:
    """Say on standard error what begins, and what is left out because it has been done."""
    from ..runs.store import runs_root
    from ..sweeps.folder import Sweep

    before = Sweep(runs_root() / asked.id)
    done = sum(s.status == "completed" for s in before.states()) if (before.folder / "sweep.json").is_file() else 0
    skipped = f"; {done} completed before and {'is' if done == 1 else 'are'} not run again" if done else ""
    print(f"{asked.id}: {_count(asked)} on {asked.plan.target.name}{skipped}", file=sys.stderr)


def _close(done: Any, as_json: bool) -> None:
    """Say how the sweep went; an exit code other than 0 where a run did not complete."""
    from ..sweeps.folder import counts
    from ..sweeps.sweep import unfinished

    states = done.states()
    if as_json:
        emit({**done.summary(), "runs": [asdict(s) for s in states]})
    left = unfinished(states)
    said = ", ".join(f"{number} {status}{_why(states, status)}" for status, number in counts(states).items())
    if left:
        them = "it" if len(left) == 1 else f"those {len(left)}"
        see = done.folder / "summary.html"
        raise WorkbenchError(f"sweep {done.id}: {said}; the same command runs {them} again; summary: {see}")
    if not as_json:
        print(f"{said}: {done.folder / 'summary.html'}")
        print(f"next: genai4eu sweeps show {done.id}, or open its summary.ipynb")


def _why(states: Any, status: str) -> str:
    """Return the first reason why points have a status, where that is no success."""
    whys = (f" ({s.error})" for s in states if s.status == status != "completed" and s.error)
    return next(whys, "")


@sweeps.command("list")
def list_sweeps(as_json: Json = False) -> None:
    """List the sweeps below GENAI4EU_RUNS (default ./runs), the latest first."""
    from ..runs.store import runs_root
    from ..sweeps.folder import all_sweeps

    found = []
    for sweep in all_sweeps():
        try:
            found.append(sweep.summary())
        except WorkbenchError as fault:  # it does not hide the others
            print(f"genai4eu: {fault}", file=sys.stderr)
    if as_json:
        emit(found)
    elif not found:
        print(f"no sweeps in {runs_root()} yet; start one: genai4eu sweep health-imaging -p profile=smoke -p seed=0..4")
    else:
        rows = [[s["id"], str(s["points"]), _words(s["statuses"]), s["target"], ", ".join(s["varied"])] for s in found]
        table(["sweep", "points", "", "target", "over"], rows)


def _words(statuses: dict[str, int]) -> str:
    return ", ".join(f"{number} {status}" for status, number in statuses.items())


@sweeps.command("show")
def show_sweep(
    name: Annotated[str, typer.Argument(metavar="SWEEP", help="Id, the beginning or end of one, or 'latest'.")],
    as_json: Json = False,
) -> None:
    """Show a sweep: each point, its run, its metrics, and where the summary lies."""
    from ..sweeps.folder import find
    from ..sweeps.table import COLOURS, shown

    found = find(name)
    states = found.states()
    if as_json:
        emit({**found.summary(), "runs": [asdict(s) for s in states]})
        return
    summary = found.summary()
    print(f"{summary['title']}\n{found.id}: {_words(summary['statuses'])} on {summary['target']}")
    names, metrics = summary["varied"], list(dict.fromkeys(m for s in states for m in s.metrics))
    rows = [
        [str(s.index), *(shown(s.parameters.get(n, "")) for n in names), s.status,
         *(shown(s.metrics.get(m, "")) for m in metrics), s.run or "", s.error or ""]
        for s in states
    ]  # fmt: skip
    table(["point", *names, "status", *metrics, "run", ""], rows, {str(s.index): COLOURS[s.status] for s in states})
    print(f"folder: {found.folder}")
