"""``genai4eu gateway``: thin over ``genai4eu.kernels.gateway``."""

from __future__ import annotations

import json
import time
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
    options = Options(
        state=_folder(state), host=host, port=port, token_file=token, certfile=certfile, keyfile=keyfile,
        behind_proxy=behind_proxy, cull_idle=cull_idle, drain=drain_seconds, patience=keep_kernels,
    )  # fmt: skip
    run(options)


@gateway.command("add-user")
def add_user(
    name: Annotated[str | None, typer.Argument(help="The user's name; none with --count.")] = None,
    count: Annotated[int | None, typer.Option(min=1, max=1000, help="Make this many users.")] = None,
    prefix: Annotated[str, typer.Option(help="What their names begin with.")] = "user",
    kernels: Annotated[int | None, typer.Option(min=0, help="Kernels at once; 4 if not said.")] = None,
    kernelspec: Annotated[
        list[str] | None, typer.Option(help="A kernelspec they may use; all if none is named.")
    ] = None,
    longest: Annotated[str | None, typer.Option(help="How long a kernel may live, such as 8h.")] = None,
    expires: Annotated[str | None, typer.Option(help="Last day of the token, such as 2026-12-24.")] = None,
    operator: Annotated[bool, typer.Option(help="May read /metrics.")] = False,
    renew: Annotated[
        bool, typer.Option(help="Give a fresh token to a user who is there; the old one is void.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="The address to print, as the users reach it.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write the pages to this file, to print.")] = None,
    state: StateFolder = None,
) -> None:
    """Add users; prints a page for each with address, token and three commands. Tokens are shown this once."""
    from genai4eu.kernels.errors import KernelsError
    from genai4eu.kernels.files import check_writable, write_text
    from genai4eu.kernels.gateway import handout, operate, spans

    if (name is None) == (count is None):
        raise typer.BadParameter("give either a name, or --count and --prefix")
    names = [name] if name else [f"{prefix}{number:0{len(str(count))}d}" for number in range(1, (count or 0) + 1)]
    until = spans.moment(expires) if expires else None
    about = {"kernels": kernels, "kernelspecs": kernelspec or None, "operator": operator or None, "expires": until}
    about["longest"] = spans.seconds(longest) if longest else None
    folder, html = _folder(state), html.expanduser() if html else None
    if html:
        check_writable(html)
    tokens = operate.add_users(folder, names, renew, **about)
    address, private, guess = operate.address(folder, url)
    for line in operate.missing_kernelspecs(kernelspec or []) + ([guess] if guess else []):
        typer.echo(f"genai4eu: {line}", err=True)
    print(handout.text(address, tokens, until, private), end="")
    if html:
        try:
            write_text(html, handout.page(address, tokens, until, private), 0o600)
        except OSError as error:
            raise KernelsError(f"{html} cannot be written ({error.strerror}): print the pages above instead") from None


@gateway.command("revoke")
def revoke(
    names: Annotated[list[str], typer.Argument(help="Users.")],
    forget: Annotated[bool, typer.Option(help="Also take them off the list of users.")] = False,
    state: StateFolder = None,
) -> None:
    """End the access of users at once: their connections are closed, their kernels ended."""
    from genai4eu.kernels.gateway import operate

    operate.revoke(_folder(state), names, forget)
    typer.echo(f"revoked{' and forgotten' if forget else ''}: {', '.join(names)}", err=True)


@gateway.command("status")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all users.")] = False,
    everybody: Annotated[bool, typer.Option("--all", help="Also users who are revoked or expired.")] = False,
    state: StateFolder = None,
) -> None:
    """Show whether the gateway runs, its users with what they use, and its kernels."""
    from genai4eu.kernels.gateway import operate, spans

    found = operate.status(_folder(state))
    if as_json:
        print(json.dumps(found, indent=1))
        return
    running = found["gateway"]
    about = (
        f"{running['public']}, {running['health']}, for {spans.span(running['uptime'])}" if running else "does not run"
    )
    print(f"gateway  {about} ({found['folder']})")
    shown = [user for user in found["users"] if everybody or user["state"] == "active"]
    for user in shown:
        most = "any" if user["kernels"] is None else user["kernels"]
        until = f", until {spans.until(user['expires'])}" if user["expires"] else ""
        print(f"user     {user['name']}: {user['state']}{until}, {user['used']} of {most} kernels")
    if hidden := len(found["users"]) - len(shown):
        print(f"users    {hidden} revoked or expired; --all shows them")
    for kernel in found["kernels"]:
        age = spans.span(time.time() - kernel["started"])
        print(f"kernel   {kernel['id']} {kernel['kernelspec']} of {kernel['owner']}, {age}"
              + ("" if kernel["alive"] else ", ended"))  # fmt: skip


@gateway.command("stop")
def stop(
    forget: Annotated[bool, typer.Option(help="Forget the kernels of a computer that is no more.")] = False,
    state: StateFolder = None,
) -> None:
    """End the gateway and all its kernels, also those of a gateway that was killed."""
    from genai4eu.kernels.gateway import operate

    ran, kernels = operate.stop(_folder(state), forget)
    typer.echo(f"{'stopped' if ran else 'no gateway ran'}; kernels ended: {kernels}", err=True)
