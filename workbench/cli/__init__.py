"""The command line: thin over the library. Errors of the library become one line and an exit code here, only here."""

from __future__ import annotations

import errno
import os
import signal
import sys
import warnings
from typing import Annotated, NoReturn

import typer

from genai4eu.kernels.errors import KernelsError

from .. import lean  # noqa: F401  # before all that imports jsonschema
from ..errors import Stopped, Unfinished, WorkbenchError
from ..stop import Stop

warnings.filterwarnings("ignore", "Invalid kernelspec directory name", UserWarning)  # genai4eu doctor says it

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

app = typer.Typer(
    name="genai4eu",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from .. import __version__

        print(f"genai4eu {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Sector notebooks to factory kernels, to reproducible runs, to dashboards anyone can open."""


from . import catalogue, params, run, runs, connect, gateway, slurm, dashboards, doctor, factories, lab, warm, sweep  # noqa: E402, F401, I001  # each registers its commands on ``app``
from . import centre, access, order  # noqa: E402, F401  # the group ``dashboards``, then what hangs on it
from . import card, control, course, course_home, course_room, new_usecase, publish, records, resume, secrets, verify  # noqa: E402, F401  # secrets is not the library of that name
from . import course_rehearse  # noqa: E402, F401


def _ended(number: int) -> Stopped:
    """Let whoever ends us leave as little as Ctrl-C, and let a run say who it was."""
    return Stopped("cancelled", f"ended by {signal.Signals(number).name}")


def _write_out() -> None:
    """Write out what was printed, while there is still somebody to say that it cannot be."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _no_room(error)


def _no_room(error: OSError) -> NoReturn:
    """End in one line where something cannot be written; the interpreter's own last try goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno())  # type: ignore[union-attr]  # a command line has one
    os.close(nowhere)
    if error.errno != errno.EPIPE:  # else whoever read it has seen enough
        what = error.filename or "the output"
        print(f"genai4eu: {what} cannot be written ({error.strerror}): make room, or write elsewhere", file=sys.stderr)
    raise SystemExit(1) from None


def main() -> None:
    """Run the command line; ``--debug`` anywhere shows the traceback of an error."""
    debug = "--debug" in sys.argv
    signal.signal(signal.SIGTERM, Stop(_ended))
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    try:
        app(arguments)
    except (WorkbenchError, KernelsError) as error:
        if debug:
            raise
        print(f"genai4eu: {error}", file=sys.stderr)
        raise SystemExit(130 if isinstance(error, Unfinished) else 1) from None
    except OSError as error:
        if debug or error.errno not in _FULL:
            raise
        _no_room(error)
    except SystemExit as end:
        _write_out()
        if end.code == 130:  # typer's own answer to Ctrl-C says nothing
            print("genai4eu: stopped", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
