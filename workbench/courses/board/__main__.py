"""``python -P -m genai4eu.courses.board ROOM``: a room's board. Run by the room."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ...errors import WorkbenchError
from ..room.folder import Room
from .server import serve


def main() -> None:
    """Serve the board of the room that the command line names."""
    try:
        asyncio.run(serve(Room(Path(sys.argv[1]).absolute())))
    except WorkbenchError as error:
        sys.exit(f"genai4eu: {error}")


if __name__ == "__main__":
    main()
