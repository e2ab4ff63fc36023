"""``genai4eu runs resume``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..errors import WorkbenchError
from .runs import Run, runs
from .show import Json, emit, ended, metrics


@runs.command()
def resume(
    run: Run,
    on: Annotated[str | None, typer.Option(help="Another target than the run's own.")] = None,
    as_json: Json = False,
) -> None:
    """Go on with a run that did not complete, from its last checkpoint, with the same parameters.

    It becomes a run of its own, which names the one that it resumes. What the notebook kept with run.checkpoint is
    there again; cells that keep nothing are run anew. Exit code 0 means: the run completed.
    """
    from ..runs import again
    from ..runs.progress import Bar
    from ..runs.record import Record
    from ..runs.store import find

    record = find(run)

    def began(later: Record, checkpoints: int) -> None:
        found = f"from {checkpoints} checkpoint{'s' * (checkpoints != 1)}" if checkpoints else "from its beginning"
        print(f"{later.id} resumes {record.id} {found}", file=sys.stderr)

    with Bar(record.info["template"]) as bar:
        later = again.resume(record, on=on, listener=bar, began=began)
    summary = later.summary()
    if as_json:
        emit({**summary, "resumes": record.id})
    elif summary["status"] == "completed":
        metrics(later.metrics)
        print(f"completed in {summary['duration']:.0f} s: {later.folder}")
        print(f"next: genai4eu publish {later.id}")
    if summary["status"] != "completed":
        raise WorkbenchError(f"run {later.id} {ended(summary)}; see genai4eu runs show {later.id}")
