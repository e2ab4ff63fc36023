"""``genai4eu publish|serve``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from . import app


@app.command()
def publish(
    run: Annotated[str, typer.Argument(help="Run to publish: its id, the end of it, or 'latest'.")],
    title: Annotated[str | None, typer.Option(help="Title instead of the notebook's question.")] = None,
    summary: Annotated[
        str | None, typer.Option(help="Answer sentence for the gallery instead of the notebook's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Freeze a run into a dashboard that anyone can open."""
    from ..dashboards.publish import publish as freeze

    published = freeze(run, title=title, summary=summary)
    if as_json:
        told = {
            "slug": published.slug,
            "folder": str(published.folder),
            "path": published.url_path,
            "new": published.new,
        }
        print(json.dumps(told))
        return
    print(f"{'Published' if published.new else 'Already published:'} {published.slug} in {published.folder}")
    print("Type 'genai4eu serve' to open the gallery.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address of this computer to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the gallery where there is a screen.")] = True,
    viewers: Annotated[int, typer.Option(help="How many visitors may use a live view at once.", min=1)] = 8,
) -> None:
    """Serve the gallery of dashboards until Ctrl-C."""
    from ..dashboards.dashboard import dashboards_root
    from ..dashboards.server import serve as run

    run(dashboards_root(), host, port, open_browser=browser, viewers=viewers)
