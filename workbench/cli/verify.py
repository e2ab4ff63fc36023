"""``genai4eu runs verify``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from . import app  # noqa: F401  # the group ``runs`` hangs on it
from .runs import Run, runs
from .show import Json, emit, table

if TYPE_CHECKING:
    from ..runs.progress import Bar
    from ..verify.verdict import Verdict

_MARKS = {"identical": "green", "equal": "green", "different": "red"}


@runs.command()
def verify(
    run: Run,
    on: Annotated[str | None, typer.Option(help="Another target than the run's own.")] = None,
    env: Annotated[
        bool, typer.Option("--env", help="In a fresh environment, made by pip from the record's lock file.")
    ] = False,
    tolerance: Annotated[
        str | None,
        typer.Option(metavar="RTOL", help="Such as 1e-5, or rtol=1e-5,atol=0; else the notebook's, else 1e-6."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Do a run once more and compare every output: bit-identical, equal within the tolerance, or different.

    The verdict is kept beside the record, and shown by runs show and on the run's dashboard. Exit code 0 means: the
    result was had again.
    """
    from ..runs.progress import Bar
    from ..runs.store import find
    from ..verify.environment import MADE
    from ..verify.tolerance import asked
    from ..verify.verify import verify

    record = find(run)
    number = asked(tolerance)
    with Bar(record.info["template"]) as bar:
        verdict = verify(record, on=on, env=env, tolerance=number, listener=bar, tell=_Making(bar, MADE))
    if as_json:
        emit({**verdict.model_dump(), "verified": verdict.verified})
    else:
        _print(verdict)
    if not verdict.verified:
        raise typer.Exit(1)


class _Making:
    """Shows how far pip has come, on the bar of the run; a line says what takes so long, and one that it is done."""

    def __init__(self, bar: Bar, made: str) -> None:
        self._bar, self._made = bar, made
        self._said = False

    def __call__(self, done: int, total: int, said: str) -> None:
        if not self._said:
            self._bar.clear()
            self._say(f"making an environment of {total} packages with pip; it is kept for the next time")
            self._said = True
        if said == self._made:
            self._bar.clear()
            self._say("the environment is made; the run begins in it")
            return
        label = f"environment, {said[:60]}:"
        self._bar("progress", {"label": label, "done": done, "total": total, "remaining": None})

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _print(verdict: Verdict) -> None:
    """Print what was found: every output, what was not the same around, and one line that says it all."""
    rows = [[path, about["outcome"], about["said"]] for path, about in verdict.outputs.items()]
    if rows:
        marks = {path: _MARKS[about["outcome"]] for path, about in verdict.outputs.items()}
        table(["output", "", "what was found"], rows, marks)
    for kind, changes in verdict.around.items():
        more = f", and {len(changes) - 8} more" if len(changes) > 8 else ""
        print(f"not the same {kind}: {'; '.join(changes[:8])}{more}")
    print(f"tolerance: {verdict.tolerance}")
    print(f"{verdict.run} {verdict.sentence()}")
    print(f"verifying run: {verdict.by}")
