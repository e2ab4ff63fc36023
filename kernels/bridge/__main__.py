"""``python -P -m genai4eu.kernels.bridge``: started by Jupyter, from a kernelspec that ``genai4eu connect`` wrote."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from ..errors import KernelsError
from ..rest import Gateway


def main() -> int:
    """Be a kernel until the client or the gateway ends it; the exit code is 1 where the kernel failed or died."""
    parser = argparse.ArgumentParser(description="A local stand-in for a kernel at a gateway")
    parser.add_argument("--url", required=True, help="the gateway's address")
    parser.add_argument("--spec", required=True, help="the kernelspec at the gateway")
    parser.add_argument("--token-file", type=Path, required=True, help="file with the gateway's token")
    parser.add_argument("-f", dest="connection_file", type=Path, required=True, help="Jupyter's connection file")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until there is something to interrupt
    from .bridge import Bridge

    async def serve() -> None:
        gateway = Gateway(options.url, options.token_file)
        await Bridge(gateway, options.spec, options.connection_file).run()

    try:
        asyncio.run(serve())
    except KernelsError as error:
        print(f"genai4eu: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
