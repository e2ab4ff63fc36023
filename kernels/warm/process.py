"""A warm kernel's process as its client sees it: like ``subprocess.Popen``, though it is another process's child."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import time
from contextlib import suppress

import psutil

from .channel import Channel

_INFO = struct.Struct("<QQ11Ii")  # struct pidfd_info of Linux: mask first, exit code last
_GET_INFO = 3 << 30 | _INFO.size << 16 | 0xFF << 8 | 11
_EXIT = 1 << 3
_TO_GROUP = 1 << 2


class WarmProcess:
    """A process held by a descriptor, which never means another process, whatever becomes of its number.

    Parameters
    ----------
    pid : int
        Its number; also that of its process group and session.
    pidfd : int
        Its descriptor, closed with this object.
    channel : Channel or None
        Where the template tells how it ended.
    """

    stdin = stdout = stderr = None  # what callers of Popen look for; the kernel writes where its client does

    def __init__(self, pid: int, pidfd: int, channel: Channel | None) -> None:
        self.pid, self.pidfd, self._channel = pid, pidfd, channel
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how the process ended, or None while it runs."""
        if self.returncode is None and self._ended(0):
            self.returncode = self._status()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return how it came.

        Raises
        ------
        TimeoutError
            If it still runs after ``timeout`` seconds.
        """
        if self.returncode is None and not self._ended(timeout):
            raise TimeoutError(f"process {self.pid} still runs")
        code = self.poll()
        return 1 if code is None else code

    def send_signal(self, number: int) -> None:
        """Send a signal to the process and all in its group, such as what it started.

        Raises
        ------
        ProcessLookupError
            If it has ended.
        """
        if self._ended(0):
            raise ProcessLookupError(f"process {self.pid} has ended")
        try:
            signal.pidfd_send_signal(self.pidfd, number, None, _TO_GROUP)
        except OSError:  # before Linux 6.9: it was there a moment ago, so its number is still its own
            os.killpg(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Let go of the process; it goes on."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
        if self._channel:
            self._channel.close()
            self._channel = None

    def _end(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self.send_signal(number)

    def _ended(self, timeout: float | None) -> bool:
        if self.returncode is not None:
            return True
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def _status(self) -> int:
        """Return what the template tells, else what Linux remembers since 6.15, else 1: it has ended somehow."""
        deadline = time.monotonic() + 1
        while self._channel and time.monotonic() < deadline:
            try:
                message, _ = self._channel.receive()
            except OSError:  # the template is gone, or hangs
                break
            if "returncode" in message:
                return int(message["returncode"])
        known = _remembered(self.pidfd)
        return 1 if known is None else known

    def __del__(self) -> None:
        self.close()


def _remembered(pidfd: int) -> int | None:
    asked = bytearray(_INFO.pack(_EXIT, *[0] * 12, 0))
    try:
        fcntl.ioctl(pidfd, _GET_INFO, asked)
    except OSError:
        return None
    mask, *_, status = _INFO.unpack(asked)
    return os.waitstatus_to_exitcode(status) if mask & _EXIT else None


def attach(pid: int, created: float) -> WarmProcess | None:
    """Return the running process of that number that was created then, or None. Called to take up a kernel again."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    process = WarmProcess(pid, pidfd, None)  # from here on the number cannot become another's unseen
    with suppress(psutil.Error):
        if abs(psutil.Process(pid).create_time() - created) < 0.05 and not process._ended(0):
            return process
    process.close()
    return None
