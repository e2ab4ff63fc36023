"""``genai4eu secrets``: what notebooks get by name, kept where only its owner can read it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..errors import WorkbenchError
from . import app
from .show import Json, emit, table

secrets = typer.Typer(help="Keep passwords and keys out of notebooks and records.", no_args_is_help=True)
app.add_typer(secrets, name="secrets")

Name = Annotated[str, typer.Argument(help="Name; a parameter refers to it as secret:NAME.")]


@secrets.command("set")
def set_secret(
    name: Name,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Keep it in the computer's keyring, not in a file.")
    ] = False,
) -> None:
    """Keep a secret on this computer; its value is asked for, or read from standard input, and never shown."""
    from ..vault import keep

    where = keep(name, _value(), in_keyring=keyring)
    short = name.removeprefix("secret:")
    print(f"kept in {where}; next: give a parameter the value secret:{short}, for genai4eu.secret(…) in the notebook")


def _value() -> bytes:
    """Read the value without showing it."""
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read()
    import getpass

    first = getpass.getpass("Value (is not shown): ")
    if getpass.getpass("Once more: ") != first:
        raise WorkbenchError("the two were not the same: nothing was kept, try again")
    return first.encode()


@secrets.command("list")
def list_secrets(as_json: Json = False) -> None:
    """List the names of the secrets in files, and whether each can be used; no value is read."""
    from ..secrets import folder
    from ..vault import listed

    found = listed()
    if as_json:
        emit(found)
    elif not found:
        print(f"no secrets in {folder()} yet; keep one: genai4eu secrets set NAME")
    else:
        table(["secret", "", "file"], [[s["name"], s["problem"] or "ready", s["file"]] for s in found])


@secrets.command("rm")
def remove(name: Name) -> None:
    """Remove a secret from its file and from the keyring."""
    from ..vault import remove as forget

    print(f"removed from {' and '.join(forget(name))}")
