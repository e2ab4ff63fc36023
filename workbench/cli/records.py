"""``genai4eu runs compare|open|export|import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import WorkbenchError
from .runs import Run, runs
from .show import Json, emit, table


@runs.command()
def export(
    run: Run,
    file: Annotated[Path | None, typer.Argument(help="The zip file, or its folder; ./<id>.zip by default.")] = None,
    as_json: Json = False,
) -> None:
    """Write a run's record into one zip file that 'runs import' takes, and any RO-Crate tool reads."""
    from ..runs.archive import export
    from ..runs.seal import fingerprint
    from ..runs.store import find

    record = find(run)
    path = export(record, file)
    if as_json:
        emit({"id": record.id, "file": str(path), "fingerprint": fingerprint(record)})
        return
    print(path)
    typer.echo(f"fingerprint {fingerprint(record)}: note it where the file goes; runs check --seal", err=True)


@runs.command("import")
def import_record(
    file: Annotated[Path, typer.Argument(help="A zip file that 'runs export' wrote.")],
    max_gb: Annotated[float, typer.Option(min=0, help="Gigabytes that it may unpack to.")] = 50.0,
    as_json: Json = False,
) -> None:
    """Take in a record from a zip file, after verifying every file of it; nothing is overwritten."""
    from ..runs.archive import bring
    from ..runs.seal import fingerprint
    from ..runs.store import runs_root

    record = bring(file, runs_root(), int(max_gb * 1e9))
    if as_json:
        emit({"id": record.id, "folder": str(record.folder), "fingerprint": fingerprint(record)})
        return
    print(record.folder)
    typer.echo(f"imported and verified; genai4eu runs show {record.id}", err=True)


@runs.command()
def compare(
    run: Annotated[list[str], typer.Argument(help="Two to ten runs: ids, beginnings or ends of ids, 'latest'.")],
    html: Annotated[Path | None, typer.Option(help="Write the comparison as one HTML page.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    as_json: Json = False,
) -> None:
    """Compare runs: the parameters in which they differ, and their metrics side by side."""
    from ..runs.compare import compare
    from ..runs.view import save, show

    made = compare(run)
    if html is not None:
        print(save(made, html))
    if open_page:
        show(made)
    if as_json:
        emit(made.about())
    elif html is None and not open_page:
        for caption, heads, rows in made.tables():
            table([caption, *heads], rows)
            print()
        print(f"next: genai4eu runs compare {' '.join(run)} --open")


@runs.command("open")
def open_record(
    run: Run,
    lab: Annotated[bool, typer.Option("--lab", help="Open the executed notebook in JupyterLab instead.")] = False,
) -> None:
    """Open a run as a page in the browser: how it ended, metrics, figures, parameters, where it comes from."""
    from ..lab import open_notebook
    from ..runs.store import find
    from ..runs.view import page, show

    record = find(run)
    if not lab:
        show(page(record))
        return
    if not record.notebook_path.is_file():
        raise WorkbenchError(f"run {record.id} has no executed notebook: it ended before its first cell")
    open_notebook(record.notebook_path, record.id)
