"""``python -P -m genai4eu.kernels.bridge``: started by Jupyter, from a kernelspec that ``genai4eu connect`` wrote."""

from __future__ import annotations

import os
import signal
import sys

from .watcher import start

signal.signal(signal.SIGINT, signal.SIG_IGN)  # until there is something to interrupt
_WATCHED = start() if __name__ == "__main__" else None

import argparse  # noqa: E402  # after the fork, as all that follows
import contextlib  # noqa: E402
from pathlib import Path  # noqa: E402

from ..errors import KernelsError  # noqa: E402
from ..handover import take  # noqa: E402
from ..rest import Gateway  # noqa: E402
from .remote import Remote  # noqa: E402


def main() -> int:
    """Be a kernel until the client or the gateway ends it; the exit code is 1 where the kernel died."""
    parser = argparse.ArgumentParser(description="A local stand-in for a kernel at a gateway")
    parser.add_argument("--url", required=True, help="the gateway's address")
    parser.add_argument("--spec", required=True, help="the kernelspec at the gateway")
    parser.add_argument("--token-file", type=Path, required=True, help="file with the gateway's token")
    parser.add_argument("--ca-file", type=Path, help="certificates of a private authority to trust")
    parser.add_argument("--language", default="python", help="the kernel's language")
    parser.add_argument("-f", dest="connection_file", type=Path, required=True, help="Jupyter's connection file")
    options = parser.parse_args()
    try:
        _serve(options)
    except KernelsError as error:
        print(f"genai4eu: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(options: argparse.Namespace) -> None:
    assert _WATCHED is not None
    gateway = Gateway(options.url, options.token_file, options.ca_file)
    remote = Remote(gateway, options.spec, _WATCHED, take(options.connection_file))
    remote.begin()
    import asyncio  # while the gateway starts the kernel

    from .bridge import Bridge

    _save_memory()

    async def serve() -> None:
        await Bridge(remote, options.connection_file, options.language).run()

    asyncio.run(serve())


def _save_memory() -> None:
    """Keep one heap for all threads: each of the few would take its own megabytes."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(-8, 1)  # M_ARENA_MAX


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # without waiting for a thread that waits for a gateway
