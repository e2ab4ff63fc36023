"""The client whose kernel the bridge is. Used by ``bridge``."""

from __future__ import annotations

import asyncio
import os


class Parent:
    """The process that Jupyter names in ``JPY_PARENT_PID``, else the one that started this one."""

    def __init__(self) -> None:
        self._pid = int(os.environ.get("JPY_PARENT_PID") or os.getppid())
        self._ours = os.getppid() == self._pid

    async def gone(self) -> None:
        """Return when the process has ended."""
        try:
            handle = os.pidfd_open(self._pid)
        except ProcessLookupError:
            return
        except (OSError, AttributeError):  # not Linux, or a sandbox without it
            await self._ask_again_and_again()
            return
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)

    async def _ask_again_and_again(self) -> None:
        while (os.getppid() == self._pid) if self._ours else _exists(self._pid):
            await asyncio.sleep(0.5)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        pass
    return True
