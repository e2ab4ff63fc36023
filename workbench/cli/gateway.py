"""``genai4eu gateway``: thin over ``genai4eu.kernels.gateway``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import app

gateway = typer.Typer(help="Offer this computer's kernels to those who hold a token.", no_args_is_help=True)
app.add_typer(gateway, name="gateway")

StateFolder = Annotated[Path | None, typer.Option("--state", help="The gateway's folder: users, kernels, audit log.")]


def _folder(state: Path | None) -> Path:
    from genai4eu.kernels.gateway.state import default_state

    return state.expanduser().absolute() if state else default_state()


@gateway.command("start")
def start(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8899,
    token_file: Annotated[
        Path | None, typer.Option(help="For one person alone: file of mode 0600 with the token, made if absent.")
    ] = None,
    state: StateFolder = None,
    certfile: Annotated[Path | None, typer.Option(help="Certificate (PEM), for TLS.")] = None,
    keyfile: Annotated[Path | None, typer.Option(help="Its key (PEM, mode 0600).")] = None,
    behind_proxy: Annotated[bool, typer.Option(help="A proxy adds TLS, and alone can reach this address.")] = False,
    cull_idle: Annotated[float, typer.Option(min=0, help="Seconds until an idle kernel is ended; 0: never.")] = 3600,
    drain_seconds: Annotated[float, typer.Option(min=0, help="Seconds that running cells get on SIGTERM.")] = 30,
    keep_kernels: Annotated[float, typer.Option(min=1, help="Seconds that kernels live without a gateway.")] = 600,
) -> None:
    """Start a kernel gateway. Ctrl-C ends it and all its kernels; after SIGTERM the next one finds them again."""
    from genai4eu.kernels.gateway.__main__ import run
    from genai4eu.kernels.gateway.settings import Options

    token = token_file.expanduser().absolute() if token_file else None
    told = {"certfile": certfile, "keyfile": keyfile, "behind_proxy": behind_proxy, "cull_idle": cull_idle}
    run(Options(_folder(state), host, port, None, token, drain=drain_seconds, patience=keep_kernels, **told))
