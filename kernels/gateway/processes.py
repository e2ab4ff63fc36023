"""Processes that were started by somebody else, told apart from later ones of the same number."""

from __future__ import annotations

import os
import select
import signal
import time

import psutil


def born(pid: int) -> float | None:
    """Return when a process started, in seconds since the epoch; ``None`` if there is none."""
    try:
        return float(psutil.Process(pid).create_time()) if pid > 0 else None
    except psutil.Error:
        return None


class Found:
    """A process that is held by a descriptor, so that what is signalled is it and never a later one of its number."""

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self._handle = handle

    @classmethod
    def find(cls, pid: int, when: float) -> Found | None:
        """Return the process ``pid`` if it is the one that started at ``when``, and lives."""
        try:
            handle = os.pidfd_open(pid) if pid > 0 else -1
        except OSError:
            return None
        found = cls(pid, handle)
        start = born(pid) if handle >= 0 else None
        # The clock may have been set right since (by less than it takes to reuse a number).
        if start is None or abs(start - when) > 2 or not found.alive():
            found.close()
            return None
        return found

    def alive(self) -> bool:
        """Return whether it has not ended; one that waits for its parent to ask has."""
        if self._handle < 0:
            return False
        poll = select.poll()  # not select(): its descriptors end at 1023
        poll.register(self._handle, select.POLLIN)
        return not poll.poll(0)

    def signal(self, number: int, group: bool = False) -> None:
        """Send a signal to it or, where it leads a group, to the group; does nothing if it has ended."""
        if not self.alive():
            return
        try:
            if group and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return

    def end(self, patience: float = 10.0) -> None:
        """Ask it to end, and make it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.signal(number, group=True)
            deadline = time.monotonic() + patience
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.05)

    def close(self) -> None:
        """Let go of it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
