"""The checkpoints of a run, on the kernel's side: when to keep one, and where. Called by the run context.

They lie in ``checkpoints/`` of the run's folder there or, where the kernel can see the records, beside the record in
``<run>.checkpoints``: a record is sealed, a checkpoint is replaced every minute.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from ..errors import WorkbenchError
from . import state as states
from .files import cannot_write

State: TypeAlias = dict[str, Any] | bytes

#: Names the folder beside the record; set by the engine where the kernel can see it.
PLACE_VARIABLE = "GENAI4EU_CHECKPOINTS"
#: Seconds between two checkpoints of a name.
EVERY = 30.0
#: Of the time, how much may go into keeping them.
_SHARE = 0.05
#: How the file of a checkpoint ends.
ENDING = ".checkpoint"


class Checkpoints:
    """Keeps states and finds them again.

    Parameters
    ----------
    folder : Path
        The run's folder on the kernel's side.
    scratch : bool
        Whether there is no run, and what lies there may be of other days.
    """

    def __init__(self, folder: Path, scratch: bool) -> None:
        self._place = Path(os.environ.get(PLACE_VARIABLE) or folder / "checkpoints")
        self._stale = scratch and not os.environ.get("GENAI4EU_RESUME")
        self._every = float(os.environ.get("GENAI4EU_CHECKPOINT_SECONDS") or EVERY)
        self._due: dict[str, float] = {}

    def keep(self, name: str, state: State | Callable[[], State]) -> bool:
        """Keep a state now, or, where it has to be asked for, when it is time."""
        path = self._path(name)
        now = time.monotonic()
        if callable(state):
            if now < self._due.setdefault(name, now + self._every):
                return False
            state = state()
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            states.write(path, state)
            _check(path, name)
        except OSError as error:
            raise cannot_write(error, self._place) from None
        ended = time.monotonic()
        self._due[name] = ended + (max(self._every, (ended - now) / _SHARE) if self._every else 0.0)
        return True

    def find(self, name: str) -> State | None:
        """Return a state; of one that is damaged, say so: what it held begins anew."""
        path = self._path(name)
        if self._stale or not path.is_file():
            return None
        try:
            found: State = states.read(path)
        except WorkbenchError as error:
            print(error, file=sys.stderr)
            return None
        return found

    def _path(self, name: str) -> Path:
        """Return where a checkpoint lies; any name will do that leaves room in a file's."""
        file = quote(name, safe=" ") + ENDING
        if not name or len(file) > 200:
            raise WorkbenchError(f"a checkpoint cannot be called {name[:40]!r}: give it a short name")
        return self._place / file


def _check(path: Path, name: str) -> None:
    """Keep nothing that holds the value of a secret, as outputs do not."""
    redact = sys.modules.get("genai4eu.redact")  # there only where the notebook asked for a secret
    if redact and (found := redact.held_by(path)):
        path.unlink()
        raise WorkbenchError(f"checkpoint {name!r} would hold the value of {found}: leave that out of the state")
