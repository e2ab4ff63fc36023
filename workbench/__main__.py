"""``genai4eu`` and ``python -m genai4eu``: the command line, which is stopped by Ctrl-C from its first moment on."""

import os
import signal
import sys

from .stop import Stop


def main() -> None:
    """Run the command line; what it imports takes a second, in which Ctrl-C is heard as well."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a job in the background ignores it
        signal.signal(signal.SIGINT, Stop(lambda number: KeyboardInterrupt()))
    _open_what_is_closed()
    try:
        from .cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        print("genai4eu: stopped", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python's own end takes a moment, and would be torn by it


def _open_what_is_closed() -> None:
    """Let nobody read what goes to a closed stream; left closed, the next file to be opened would take its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: the stream's own
            os.set_inheritable(nowhere, True)
            stream = os.fdopen(nowhere, mode, encoding="utf-8")
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


if __name__ == "__main__":
    main()
