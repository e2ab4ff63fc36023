"""``genai4eu lab|demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import app


@app.command()
def lab(
    folder: Annotated[Path, typer.Argument(help="Folder for the copies; made if it is not there.")] = Path("lab"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this computer; 0 takes a free one.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open JupyterLab with your own copies of the templates, and the targets as kernels; Ctrl-C ends it."""
    from ..lab import fill, start

    for path in fill(folder):
        print(f"made {path}")
    start(folder, port, browser)


@app.command()
def demo(
    profile: Annotated[str, typer.Option(help="Sizes: smoke (seconds), default (minutes) or gpu.")] = "default",
    everything: Annotated[bool, typer.Option("--all", help="Every installed use case, one after the other.")] = False,
    serve: Annotated[bool, typer.Option(help="Serve the gallery at the end, until Ctrl-C.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the gallery; 0 takes a free one.")] = 8866,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: an object, with --all a list.")] = False,
) -> None:
    """Go the whole way once: gateway, run of the health-imaging template on it, record, dashboard, gallery."""
    from .. import demo as library
    from .show import emit

    made = library.demo(profile, library.everything() if everything else (library.TEMPLATE,))
    if as_json:
        emit([one.summary for one in made] if everything else made[0].summary)
    if not serve:
        return
    from ..dashboards.dashboard import dashboards_root
    from ..dashboards.serving.options import Options
    from ..dashboards.serving.server import serve as serve_gallery

    serve_gallery(dashboards_root(), Options(port=port), open_browser=True)
