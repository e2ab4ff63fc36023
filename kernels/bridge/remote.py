"""The kernel at the gateway: its start, its end, and who cleans up after it. Used by ``__main__`` and ``bridge``.

Imports little, so that the gateway is already at work on the kernel while this process imports the rest.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from ..errors import KernelsError
from ..rest import Gateway, GatewayDown, KernelGone, KernelThere, TokenRefused

if TYPE_CHECKING:
    from .watcher import Watched

#: What a client may hand on to its kernel.
_ENV = ("JPY_SESSION_NAME",)
#: Seconds for which a gateway keeps a kernel whose bridge is away.
LEASE = 120.0
#: Seconds for which a restart is tried again where the gateway does not answer, and between tries.
PATIENCE, PAUSE = 30.0, 1.0


def lease() -> float:
    """Return the lease that ``GENAI4EU_LEASE`` asks for, which a run sets, or the usual one."""
    try:
        return min(max(float(os.environ.get("GENAI4EU_LEASE", LEASE)), 1.0), 7 * 24 * 3600.0)
    except ValueError:
        return LEASE


class Remote:
    """One kernel at a gateway.

    Parameters
    ----------
    gateway : Gateway
        Where.
    spec : str
        Its kernelspec there.
    watched : Watched
        The watcher, which is told when there is something to clean up.
    inherited : dict, optional
        What ``bequest`` of the process before this one returned: its kernel is restarted instead of starting another.
    """

    def __init__(self, gateway: Gateway, spec: str, watched: Watched, inherited: dict[str, Any] | None = None) -> None:
        self.gateway = gateway
        self.spec = spec
        self.watched = watched
        self.lease = lease()
        self.up = False
        self.perhaps = False  # whether there may be a kernel to end
        same = inherited is not None and (inherited["url"], inherited["spec"]) == (gateway.url, spec)
        self._restart = same
        self.kernel_id = str(inherited["kernel_id"]) if inherited is not None and same else str(uuid.uuid4())
        self.trying = False  # whether the gateway that has the kernel to restart does not answer
        self._left = threading.Event()  # nobody waits for that any more
        self._begun: threading.Thread | None = None
        self._error: KernelsError | None = None
        watched.watch(gateway, self.kernel_id)

    def begin(self) -> None:
        """Ask for the kernel in a thread; ``start`` waits for it."""
        self.watched.tell("maybe")
        self.perhaps = True
        self._begun = threading.Thread(target=self._ask, daemon=True)
        self._begun.start()

    async def start(self) -> None:
        """Return when the gateway has started the kernel, or had already.

        Raises
        ------
        KernelsError
            With the line that says why it has not; nothing is left there then.
        """
        import asyncio

        if self._begun is None:
            self.begin()
        assert self._begun is not None
        await asyncio.to_thread(self._begun.join)
        self._begun = None
        error, self._error = self._error, None
        if error is None:
            self.up = True
            self.watched.tell("up")
        else:
            if not self.up and not isinstance(error, GatewayDown):
                self.lost()
            raise error

    def lost(self) -> None:
        """There is no kernel any more, or there never was."""
        self.up = self.perhaps = False
        self.watched.tell("none")

    def _ask(self) -> None:
        try:
            if self.up:
                self.gateway.kernel(self.kernel_id)
            elif self._restart:
                self._ask_restart()
            else:
                self._ask_start()
        except KernelsError as error:
            self._error = error

    @property
    def held(self) -> bool:
        """Whether there is a kernel, even if it is only to be restarted yet."""
        return self.up or self._restart

    def leave(self) -> None:
        """Stop trying to restart: this process ends."""
        self._left.set()

    def _restart_patiently(self) -> None:
        """Ask for the restart, again and again where only the connection is missing."""
        deadline = time.monotonic() + PATIENCE
        try:
            while True:
                try:
                    self.gateway.restart(self.kernel_id)
                    return
                except GatewayDown as error:
                    if time.monotonic() > deadline or self._left.is_set():
                        raise
                    if not self.trying:
                        print(f"genai4eu: {error}; connecting again …", file=sys.stderr, flush=True)
                    self.trying = True
                self._left.wait(PAUSE)
        finally:
            self.trying = False

    def _ask_restart(self) -> None:
        try:
            self._restart_patiently()
        except KernelGone:
            self._ask_start()
        except (GatewayDown, TokenRefused):
            raise
        except KernelsError:  # it may not be restarted: nothing is to be left of it
            self._restart = False
            self.gateway.delete(self.kernel_id)
            raise
        self._restart = False

    def _ask_start(self) -> None:
        env = {name: os.environ[name] for name in _ENV if name in os.environ}
        try:
            self.gateway.start_kernel(self.spec, self.kernel_id, env, self.lease)
        except KernelThere:  # the answer to an earlier try was lost
            return
        except (GatewayDown, TokenRefused):
            raise
        except KernelsError:
            if self.spec not in self.gateway.specs(30):
                raise KernelsError(
                    f"the gateway at {self.gateway.url} does not offer {self.spec}: "
                    "connect it again to see what it does"
                ) from None
            raise

    async def delete(self) -> None:
        """End the kernel."""
        import asyncio

        self.leave()
        with contextlib.suppress(KernelGone):
            await asyncio.to_thread(self.gateway.delete, self.kernel_id)
        self.lost()

    def bequest(self) -> dict[str, Any]:
        """Return what the next process needs to go on with this kernel."""
        return {"url": self.gateway.url, "spec": self.spec, "kernel_id": self.kernel_id}
