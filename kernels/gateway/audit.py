"""Who did what, when and from where: JSON lines of mode 0600. Written by the gateway and by ``add-user|revoke``.

Never code, never tokens, never the values of variables.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path


class Audit:
    """The audit log, a file that only grows; a log rotation may move it away at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, what: str, **about: object) -> None:
        """Append one line: the time, what happened, and whatever of ``about`` is known.

        The file is opened anew each time (events are rare), in append mode, so that lines of two processes never mix.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        known = {name: value for name, value in about.items() if value not in (None, "")}
        line = json.dumps({"time": now, "what": what, **known}) + "\n"
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)
