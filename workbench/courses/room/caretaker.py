"""What a room does from time to time: keep everybody's work, end what nobody uses, watch where the system does not.

Called by the supervisor, every second or so.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

import httpx

from ...errors import WorkbenchError
from .confining import limits_of, means_of
from .folder import Room
from .keeping import Keeping
from .watching import disk, largest

#: Seconds between two looks at the work, at memory, and at seats that nobody uses.
_KEEP, _WATCH, _CULL = 3.0, 2.0, 60.0
#: Seconds after which a seat's server is ended that nobody has opened, or that nobody uses; the desk stays as it is.
UNOPENED, UNUSED = 3600.0, 7200.0


class Caretaker:
    """Sees to the seats of a room.

    Parameters
    ----------
    room : Room
        An open one.
    told : callable
        Is given what the trainer should know.
    """

    def __init__(self, room: Room, told: Callable[[str], None]) -> None:
        self.room, self.told = room, told
        self._keeping: dict[str, Keeping] = {}
        self._next = dict.fromkeys(("keep", "watch", "cull"), 0.0)
        self._opened = time.time()
        self._full: set[str] = set()

    def look(self) -> None:
        """Do what is due."""
        for name, seconds in (("keep", _KEEP), ("watch", _WATCH), ("cull", _CULL)):
            if time.monotonic() >= self._next[name]:
                getattr(self, name)()
                self._next[name] = time.monotonic() + seconds

    def keep(self) -> None:
        """Copy what participants have changed; trouble with one seat's is told, and keeps nobody else's off."""
        for seat in self.room.seats:
            try:
                if seat not in self._keeping:
                    self._keeping[seat] = Keeping(self.room, seat)
                self._keeping[seat].look()
            except (WorkbenchError, OSError) as error:
                self.told(f"the work of {seat} could not be kept: {error}")

    def watch(self) -> None:
        """End the largest kernel of a seat that takes more than its part, where no control group does."""
        each, means = limits_of(self.room), means_of(self.room)
        for seat in self.room.seats if not means.groups else ():
            if (found := largest(self.room, seat, each.memory)) is not None:
                self.told(f"{seat} took more than {each.memory >> 20} MB: its largest kernel was ended")
                found.kill()
        for seat in self.room.seats if self.room.about["without_disks"] else ():
            if seat not in self._full and disk(self.room, seat) > each.disk:
                self._full.add(seat)
                self.told(f"{seat} has more than {each.disk >> 20} MB on the disk")

    def cull(self) -> None:
        """End servers that nobody has opened in the first hour, or used for two; they start again when asked for."""
        taken = set(self.room.seats) - set(self.room.unopened)
        for user in self.hub("GET", "users").json():
            server = user.get("servers", {}).get("")
            if server and server.get("ready") and self._idle(user["name"] in taken, server.get("last_activity")):
                self.hub("DELETE", f"users/{user['name']}/server")

    def _idle(self, taken: bool, last: str | None) -> bool:
        since = _seconds_since(last) if last else time.time() - self._opened
        return since > UNUSED if taken else time.time() - self._opened > UNOPENED

    def hub(self, method: str, path: str) -> httpx.Response:
        """Ask JupyterHub."""
        about = self.room.about
        address = f"http://127.0.0.1:{about['hub_port']}/hub/api/{path}"
        found = httpx.request(method, address, headers={"Authorization": f"token {about['token']}"}, timeout=20)
        return found.raise_for_status()


def _seconds_since(stamp: str) -> float:
    return time.time() - datetime.datetime.fromisoformat(stamp).timestamp()
