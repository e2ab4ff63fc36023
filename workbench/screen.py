"""Whether there is a screen to open a browser on. Called by whoever would open one."""

from __future__ import annotations

import os
import sys


def has_screen() -> bool:
    """Tell whether a browser opened here would be seen; a text browser in the terminal is none."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
