"""``genai4eu serve``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import app


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
