"""What a room does from time to time: keep everybody's work, end what nobody uses, watch where the system does not.

Called by the supervisor, every second or so.
"""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable

import httpx
import psutil

from ...errors import WorkbenchError
from .confining import groups_of, limits_of, means_of
from .folder import Room
from .keeping import Keeping
from .news import tell
from .watching import disk, largest

#: Seconds between two looks at the work, at memory, at folders that no disk bounds, and at seats that nobody uses.
_EVERY = {"keep": 3.0, "watch": 2.0, "weigh": 15.0, "cull": 60.0}
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
        self._next = dict.fromkeys(_EVERY, 0.0)
        self._opened = time.time()
        self._full: set[str] = set()
        self._troubles: dict[str, str] = {}
        self._ended: dict[str, int] = {}

    def look(self) -> None:
        """Do what is due; what fails is due again in its time."""
        for name, seconds in _EVERY.items():
            if time.monotonic() >= self._next[name]:
                self._next[name] = time.monotonic() + seconds
                getattr(self, name)()
                self._next[name] = time.monotonic() + seconds

    def keep(self) -> None:
        """Copy what participants have changed; trouble with one seat's is told, and keeps nobody else's off."""
        for seat in self.room.seats:
            try:
                if seat not in self._keeping:
                    self._keeping[seat] = Keeping(self.room, seat)
                self._keeping[seat].look()
            except Exception as error:  # noqa: BLE001  # a seat may hold anything: no fault of ours there closes the room
                self._trouble(seat, f"the work of {seat} could not be kept: {why(error)}")
            else:
                self._troubles.pop(seat, None)

    def _trouble(self, seat: str, said: str) -> None:
        """Tell of a trouble once, not every few seconds."""
        if self._troubles.get(seat) != said:
            self._troubles[seat] = said
            self.told(said)

    def watch(self) -> None:
        """End the largest kernel of a seat that takes more than its part, or see that a control group did; say so."""
        each, means = limits_of(self.room), means_of(self.room)
        groups = groups_of(self.room) if means.groups else None
        for seat in self.room.seats:
            if groups is not None:
                with contextlib.suppress(OSError):  # the room is being closed
                    before, self._ended[seat] = self._ended.get(seat, 0), groups.ended(seat)
                    if self._ended[seat] > before:
                        self._full_memory(seat, each.memory)
            elif (found := largest(self.room, seat, each.memory)) is not None:
                with contextlib.suppress(psutil.Error):  # it has ended by itself
                    found.kill()
                self._full_memory(seat, each.memory)

    def _full_memory(self, seat: str, most: int) -> None:
        """Tell the trainer, and the participant, to whom JupyterLab only says that a kernel has died."""
        self.told(f"{seat} took more than {most >> 20} MB: its largest kernel was ended")
        tell(self.room, seat, "memory")

    def weigh(self) -> None:
        """Tell whose folders have grown too large, where seats have no disks."""
        most = limits_of(self.room).disk
        for seat in self.room.seats if self.room.about["without_disks"] else ():
            used = disk(self.room, seat) if seat not in self._full else 0
            if used is None or used > most:
                self._full.add(seat)
                much = "more files than can be counted" if used is None else f"more than {most >> 20} MB"
                self.told(f"{seat} has {much} on the disk")

    def cull(self) -> None:
        """End servers that nobody has opened in the first hour, or used for two; they start again when asked for."""
        taken = set(self.room.seats) - set(self.room.unopened)
        for user in self.hub("GET", "users").json():
            server = user.get("servers", {}).get("")
            if server and server.get("ready") and self._idle(user["name"] in taken, server.get("last_activity")):
                try:
                    self.hub("DELETE", f"users/{user['name']}/server")
                except httpx.HTTPError as error:  # the others' are ended all the same
                    self.told(f"the server of {user['name']} could not be ended: {why(error)}")

    def _idle(self, taken: bool, last: str | None) -> bool:
        since = _seconds_since(last) if last else time.time() - self._opened
        return since > UNUSED if taken else time.time() - self._opened > UNOPENED

    def hub(self, method: str, path: str) -> httpx.Response:
        """Ask JupyterHub."""
        about = self.room.about
        address = f"http://127.0.0.1:{about['hub_port']}/hub/api/{path}"
        found = httpx.request(method, address, headers={"Authorization": f"token {about['token']}"}, timeout=20)
        return found.raise_for_status()


def why(error: Exception) -> str:
    """Return what to tell of an error, in characters that every terminal takes."""
    ours = isinstance(error, WorkbenchError | OSError | httpx.HTTPError) and str(error)
    return (str(error) if ours else f"{type(error).__name__}: {error}").encode(errors="backslashreplace").decode()


def _seconds_since(stamp: str) -> float:
    return time.time() - datetime.datetime.fromisoformat(stamp).timestamp()
