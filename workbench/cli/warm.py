"""``genai4eu warm``: thin over ``genai4eu.kernels.warm.client``."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from . import app

warm = typer.Typer(help="Kernels that start at once, forked from a process kept ready.", no_args_is_help=True)
app.add_typer(warm, name="warm")


@warm.command("status")
def status(as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False) -> None:
    """Show the templates of this user on this computer: memory, kernels, and what each import took."""
    from genai4eu.kernels.warm import client

    found = client.status()
    if as_json:
        print(json.dumps(found, indent=1))
        return
    for about in found:
        print("\n".join(_lines(about)))
    if why := client.trouble():
        typer.echo(f"genai4eu: {why}", err=True)
    elif not found:
        print("no template is running; the first kernel of genai4eu starts one")


def _lines(about: dict[str, Any]) -> list[str]:
    if about["state"] != "ready":
        return [f"a template {about['state']} ({about['folder']})"]
    age = int(time.time() - about["started"])
    owner = f", for {about['owner']}" if about["owner"] else ""
    slowest = sorted(about["imports"].items(), key=lambda item: -item[1])
    lines = [
        f"template {about['pid']}, {age // 60} min {age % 60} s old, {(about['memory'] or 0) >> 20} MB{owner}",
        f"  kernels     {len(about['kernels'])} running, {about['kernels_started']} started, "
        f"{len(about['ahead'])} ready ahead",
        f"  imports     {len(slowest)} in {about['seconds_to_load']} s: "
        + ", ".join(f"{name} {seconds} s" for name, seconds in slowest[:6]),
        f"  ends        {about['idle_seconds']:g} s after the last request and kernel",
    ]
    lines += [f"  not there   {name}: {why}" for name, why in about["skipped"].items()]
    if about["ordinary"]:
        lines.append(f"  last ordinary start: {about['ordinary']}")
    return lines


@warm.command("stop")
def stop() -> None:
    """End the templates of this user on this computer; kernels that run go on."""
    from genai4eu.kernels.warm import client

    ended = client.stop()
    print(f"{ended} template{'' if ended == 1 else 's'} ended")
