"""What Slurm tells a job by signals, as the end of the run in it. Used by ``batch``.

SIGUSR1 says that the job's time is nearly up: the run is stopped while there is time to keep what it has. SIGTERM says
that Slurm ends the job now, and Slurm is asked why.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

from genai4eu.kernels.slurm import batch

from ..errors import Stopped
from . import aside
from .record import Record, now
from .status import Status

#: Seconds before the end of the job's time at which the run is stopped, to write its record and keep its outputs.
MARGIN = 30.0
_WORDS: dict[str, tuple[Status, str]] = {
    "TIMEOUT": ("timeout", "its time in Slurm was up: give the target more with --time"),
    "PREEMPTED": ("preempted", "a Slurm job of higher priority took its place"),
    "REQUEUED": ("preempted", "a Slurm job of higher priority took its place, or somebody put it back into the queue"),
    "CANCELLED": ("cancelled", "its Slurm job was cancelled"),
    "NODE_FAIL": ("died", "its node failed"),
}


class Signals:
    """While it is entered, Slurm's signals end the run of a record, truthfully.

    Parameters
    ----------
    number : str
        The job.
    again : bool
        Whether Slurm starts the job again where it was preempted: the record is left open for that then.
    """

    def __init__(self, record: Record, number: str, again: bool) -> None:
        self._record = record
        self._number = number
        self._again = again
        self._reason: Stopped | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number, handler in ((signal.SIGUSR1, self._warned), (signal.SIGTERM, self._ended)):
            self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _warned(self, number: int, frame: FrameType | None) -> None:
        """Wait, elsewhere, until the time is nearly up."""
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        threading.Thread(target=self._stop_in_time, daemon=True).start()

    def _stop_in_time(self) -> None:
        left = batch.remaining(self._number)
        time.sleep(max(0.0, (MARGIN if left is None else left) - MARGIN))
        self._reason = Stopped(*self._words("TIMEOUT"))
        os.kill(os.getpid(), signal.SIGTERM)  # the main thread alone can be stopped

    def _ended(self, number: int, frame: FrameType | None) -> None:
        """Stop the run, once: what comes of it must not be stopped again."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self._reason is None:
            why = batch.why(self._number)
            if why in ("PREEMPTED", "REQUEUED") and self._again:
                self._leave(why)
            self._reason = Stopped(*self._words(why))
        raise self._reason

    def _words(self, why: str) -> tuple[Status, str]:
        status, sentence = _WORDS.get(why, ("cancelled", "Slurm ended its job and does not say why"))
        return status, f"{sentence} (Slurm job {self._number})"

    def _leave(self, why: str) -> None:
        """Go at once, and leave the record to the job's next start."""
        status, error = self._words(why)
        aside.write(self._record.folder, lost={"status": status, "error": error, "ended": now()})
        os._exit(0)
