"""``python -P -m genai4eu.courses.factory ROOM``: the broker of a room, started by the room's supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.warm.settings import UNTIL

from ...errors import WorkbenchError
from ..room.folder import Room
from .broker import Broker


async def serve(folder: Path) -> None:
    """Serve a room's seats until a signal comes, or the room is no more."""
    until, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)
    if owner := os.environ.get(UNTIL):
        loop.add_reader(os.pidfd_open(int(owner)), until.set)
    await Broker(Room(folder)).serve(until)


def main() -> int:
    """Run; the exit code is 1 where the room has no factory that can be used."""
    try:
        asyncio.run(serve(Path(sys.argv[1])))
    except (WorkbenchError, KernelsError) as error:
        print(f"genai4eu: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
