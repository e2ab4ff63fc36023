"""``genai4eu connect|disconnect|targets``: thin over ``genai4eu.kernels``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from . import app
from .show import emit, table

TokenFile = Annotated[Path, typer.Option(help="File of mode 0600 that holds the gateway's token.")]


@app.command("connect")
def connect(
    name: Annotated[str, typer.Argument(help="What to call the gateway here.")],
    url: Annotated[str, typer.Option(help="Its address, such as http://127.0.0.1:8899.")],
    token_file: TokenFile,
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates (PEM) of a private authority to trust for this gateway.")
    ] = None,
) -> None:
    """Make a gateway's kernels usable here, in every Jupyter tool, as NAME-<kernelspec>."""
    from genai4eu.kernels.connect import connect

    for target in connect(name, url, token_file, ca_file):
        print(target)
    typer.echo("connected; genai4eu run TEMPLATE --on TARGET runs there, and JupyterLab lists it as a kernel", err=True)


@app.command("disconnect")
def disconnect(name: Annotated[str, typer.Argument(help="What connect called the gateway.")]) -> None:
    """Forget a gateway: remove the targets that connect made."""
    from genai4eu.kernels.connect import disconnect

    for target in disconnect(name):
        print(target)
    typer.echo("removed", err=True)


@app.command("targets")
def targets(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
) -> None:
    """List where code can run: this computer, Slurm partitions, and the gateways that are connected."""
    from genai4eu.kernels import targets
    from genai4eu.kernels.factories import factory_of

    found = targets.all_targets()
    states = targets.states(found)
    rows = []
    for target in found:
        factory = factory_of(target.gateway, target.url)
        more = {"where": target.where, "factory": factory.id if factory else "", "state": states[target.name]}
        rows.append({**dataclasses.asdict(target), **more})
    if as_json:
        emit(rows)
        return
    columns = ("name", "display_name", "where", "factory", "state")
    shown = [column for column in columns if column != "factory" or any(row["factory"] for row in rows)]
    headings = {"name": "target", "display_name": "kernel"}
    table([headings.get(c, c) for c in shown], [[str(row[c]) for c in shown] for row in rows])
