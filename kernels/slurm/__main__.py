"""``python -P -m genai4eu.kernels.slurm``: started by Jupyter, from a kernelspec that ``genai4eu slurm add`` wrote."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from ..errors import KernelsError
from .options import Options


def read(path: Path) -> tuple[Options, str, str]:
    """Return options, name and language of the target whose kernelspec is in ``path``.

    Raises
    ------
    KernelsError
        If it is no kernelspec of a Slurm target.
    """
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
        return Options.read(spec["metadata"]["genai4eu"]["slurm"]), path.parent.name, str(spec["language"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise KernelsError(f"{path} is not the kernelspec of a Slurm target ({error}): add the target again") from None


def main() -> int:
    """Be a kernel until the client or Slurm ends it; the exit code is 1 where the kernel failed or died."""
    parser = argparse.ArgumentParser(description="A local stand-in for a kernel in a Slurm job")
    parser.add_argument("--spec", type=Path, required=True, help="the target's kernel.json")
    parser.add_argument("-f", dest="connection_file", type=Path, required=True, help="Jupyter's connection file")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until there is something to interrupt
    from .relay import Relay

    async def serve() -> None:
        await Relay(*read(options.spec), options.connection_file).run()

    try:
        asyncio.run(serve())
    except KernelsError as error:
        print(f"genai4eu: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
