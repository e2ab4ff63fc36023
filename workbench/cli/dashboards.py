"""``genai4eu serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import app


@app.command()
def serve(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(help="Bundles (.zip) of other centres and folders of dashboards; else GENAI4EU_DASHBOARDS."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address of this computer to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the gallery where there is a screen.")] = True,
    viewers: Annotated[
        int, typer.Option(help="How many live views at once; 0 is as many as this computer can bear.", min=0)
    ] = 0,
    standby: Annotated[
        int,
        typer.Option(help="For how many dashboards, the first of the gallery, a kernel waits from the start.", min=0),
    ] = 0,
    idle: Annotated[
        float, typer.Option(help="Seconds without a message until a visitor's kernel is given to others.", min=10)
    ] = 600,
    certfile: Annotated[Path | None, typer.Option(help="Certificate (PEM), for TLS.")] = None,
    keyfile: Annotated[Path | None, typer.Option(help="Its key (PEM, mode 0600).")] = None,
    behind_proxy: Annotated[bool, typer.Option(help="A proxy adds TLS, and alone can reach this address.")] = False,
    name: Annotated[
        list[str] | None, typer.Option(help="Name under which visitors reach it; all others are refused.")
    ] = None,
    base_path: Annotated[
        str, typer.Option(metavar="/PATH", help="Path below which the proxy shows it, taken off before it asks here.")
    ] = "",
    embed_origins: Annotated[
        str | None, typer.Option(help="Sites whose pages may show dashboards in a frame, as https://a.eu,https://b.eu.")
    ] = None,
    identity_provider: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE.CLASS",
            help="Who knows visitors of private dashboards; a class of "
            "jupyter_server's kind. Without: one password, set by 'jupyter server password'.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Jupyter configuration file for signing in, instead of Jupyter's usual one.")
    ] = None,
    contact: Annotated[
        str, typer.Option(help="Whom visitors may tell of a barrier, on the accessibility statement: a mail address.")
    ] = "",
    trust: Annotated[
        bool, typer.Option("--trust", help="Let the code of bundles run: live views, scripts of their widgets.")
    ] = False,
) -> None:
    """Serve the gallery of dashboards until Ctrl-C."""
    from ..dashboards.serving.gathering import gathered
    from ..dashboards.serving.options import Options
    from ..dashboards.serving.server import serve as run

    embedders = tuple(filter(None, (origin.strip().rstrip("/") for origin in (embed_origins or "").split(","))))
    options = Options(
        host=host, port=port, viewers=viewers, certfile=certfile, keyfile=keyfile, behind_proxy=behind_proxy,
        names=tuple(name or ()), base_path=base_path, embed_origins=embedders, identity_provider=identity_provider,
        config=config, contact=contact.strip(), standby=standby, idle=idle,
    )  # fmt: skip
    with gathered(sources or [], trusted=trust, told=_left_out) as (folder, unpacked):
        for dashboard in unpacked:
            how = "its code may run" if trust else "as it was recorded; --trust lets its code run"
            typer.echo(f"{dashboard.slug}: from a bundle, {how}", err=True)
        run(folder, options, open_browser=browser)


def _left_out(why: str) -> None:
    typer.echo(f"genai4eu: left out: {why}", err=True)
