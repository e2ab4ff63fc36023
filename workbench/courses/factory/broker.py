"""Has the factory's kernels for a room's seats: who asks, whose turn it is, what each may use. Run by ``__main__``.

The trainer's token stays with it: seats reach a socket, say what to execute, and hear what that says.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import socket
import struct
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ...runs.files import write_json
from ..room.factory import secret_of, socket_of
from ..room.folder import Room
from .asked import Asked
from .cell import Refused
from .frames import BadFrameError, read
from .ledger import Ledger
from .talk import Talk
from .waiting import Waiting

STATE, LEDGER = "factory.json", "factory.jsonl"
#: Connections of one user of the system, and seconds in which it has to say what it wants.
_AT_ONCE, _FIRST = 4, 30.0
#: Seconds for a cell of a kernel that is gone to end, before the seat's next one.
_PATIENCE = 15.0
#: Lines in the log about one user's nonsense.
_LOGGED = 20
_CREDENTIALS = struct.Struct("3i")


class Broker:
    """The broker of one room.

    Parameters
    ----------
    room : Room
        One that has a factory.
    """

    def __init__(self, room: Room) -> None:
        about = room.about
        self._room, self._offer = room, about["factory"]
        self._prefix: str = about["prefix"]
        self._seats: list[str] = about["seats"]
        self._users = {room.people.owner(seat)[0]: seat for seat in self._seats if self._prefix}
        self._state = room.folder / "run" / STATE
        self._ledger = Ledger(room.folder / LEDGER, self._offer["budget"], _seen(self._state))
        self._waiting = Waiting(self._offer["kernels"])
        self._connections: Counter[int] = Counter()
        self._talks: dict[str, Talk] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._hung_up: Counter[int] = Counter()
        self._why = ""  # what the factory said to the last cell that it refused

    async def serve(self, until: asyncio.Event) -> None:
        """Serve seats until the event, then end every kernel."""
        place = socket_of(self._room)
        server = await asyncio.start_unix_server(self._met, sock=_listen(place))
        looks = asyncio.create_task(self._tell_again_and_again())
        try:
            async with server:
                await until.wait()
        finally:
            looks.cancel()
            place.unlink(missing_ok=True)
            for talk in list(self._talks.values()):
                talk.stop("closing")
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=8)
            self._tell()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        uid = _user_of(writer)
        self._connections[uid] += 1
        try:
            known = uid in self._users if self._prefix else uid == os.getuid()
            most = _AT_ONCE * (1 if self._prefix else len(self._seats))
            if known and self._connections[uid] <= most:
                await self._hear(uid, reader, writer)
        except (BadFrameError, ConnectionError, TimeoutError, ValueError) as error:
            self._hung_up[uid] += 1
            if self._hung_up[uid] <= _LOGGED:  # nobody fills the room's disk with lines
                print(f"hung up on user {uid}: {error!r:.300}", flush=True)
        finally:
            self._connections[uid] -= 1
            self._tasks.discard(task)
            writer.close()

    async def _hear(self, uid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear what a seat wants."""
        said, _ = await asyncio.wait_for(read(reader), _FIRST)
        talk = Talk(reader, writer)
        try:
            await self._see_to(uid, said, talk)
        finally:
            talk.close()

    async def _see_to(self, uid: int, said: dict[str, Any], talk: Talk) -> None:
        """Run what is asked for, or say why not."""
        try:
            asked = Asked.model_validate(said)
        except ValueError:
            await talk.end("bad")
            raise
        seat = self._seat(uid, asked)
        if seat is not None and seat in self._talks:
            await self._talks[seat].over(_PATIENCE)
        if seat is None:
            await talk.end("unknown")
        elif seat in self._talks:
            await talk.end("busy")
        else:
            self._talks[seat] = talk
            try:
                await self._run(seat, asked, talk)
            finally:
                del self._talks[seat]
                talk.ended.set()
                self._tell()

    def _seat(self, uid: int, asked: Asked) -> str | None:
        """Return who asks: by the user of the system, or by a secret where all seats share one."""
        if self._prefix:
            return self._users.get(uid)
        known = asked.seat in self._seats
        return asked.seat if known and hmac.compare_digest(asked.secret, secret_of(self._room, asked.seat)) else None

    async def _run(self, seat: str, asked: Asked, talk: Talk) -> None:
        """Run a seat's cell when its turn comes, within what it has left."""
        wanted = min(asked.seconds or self._offer["seconds"], self._offer["seconds"])
        if self._ledger.left(seat) < 1:
            await talk.end("budget", left=0, budget=self._ledger.budget)
            return

        async def work() -> None:
            async with self._waiting.turn(seat, talk.moved):
                granted = min(wanted, self._ledger.left(seat))
                talk.since, self._why = time.time(), ""
                self._tell()
                try:
                    await self._charged(seat, asked, talk, granted)
                finally:
                    self._why = talk.refused or self._why

        self._tell_soon()
        await talk.attend(work())
        left = self._ledger.left(seat)
        await talk.end(talk.why, seconds=talk.seconds, left=left, budget=self._ledger.budget, sentence=talk.refused)

    async def _charged(self, seat: str, asked: Asked, talk: Talk, granted: float) -> None:
        """Run a cell, and count what it used."""
        cell = ""

        def begins() -> None:
            nonlocal cell
            try:
                cell = self._ledger.begin(seat, granted)
            except OSError as error:
                raise Refused(f"the room cannot write down what it uses ({error.strerror})") from None
            talk.running(granted, self._ledger.left(seat), asked.seconds or 0)
            self._tell()

        try:
            await talk.run(self._offer["target"], self._room.folder / "run" / "factory-cells", asked, granted, begins)
        finally:
            if cell:
                self._ledger.end(cell, seat, talk.seconds)

    def _tell_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._tell)

    async def _tell_again_and_again(self) -> None:
        while True:
            self._tell()
            await asyncio.sleep(1 if self._talks else 10)

    def _tell(self) -> None:
        """Write what the trainer's board shows."""
        waiting = self._waiting.seats
        running = [
            {"seat": seat, "since": talk.since, "began": talk.began, "granted": talk.granted}
            for seat, talk in self._talks.items()
            if talk.since and seat not in waiting
        ]
        told = {
            "at": time.time(), **self._offer, "running": running, "queue": waiting,
            "used": {seat: round(self._ledger.used.get(seat, 0.0), 1) for seat in self._seats}, "why": self._why,
        }  # fmt: skip
        with contextlib.suppress(OSError):  # a full disk: the next one may be written; cells go on
            write_json(self._state, told, durable=False)


def _seen(state: Path) -> float:
    """Return when an earlier broker of this room was last alive."""
    try:
        return float(json.loads(state.read_text(encoding="utf-8"))["at"])
    except (OSError, ValueError, LookupError, TypeError):
        return 0.0


def _user_of(writer: asyncio.StreamWriter) -> int:
    """Return the user of the process at the other end, as the kernel of the system knows it."""
    sock = writer.get_extra_info("socket")
    _, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return int(uid)


def _listen(path: Path) -> socket.socket:
    """Listen where every user of this computer may knock; who they are is looked at when they do."""
    path.parent.mkdir(mode=0o711, exist_ok=True)
    path.parent.chmod(0o711)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        path.with_name(f".{path.name}").unlink(missing_ok=True)
        sock.bind(f"/proc/self/fd/{folder}/.{path.name}")  # a path may be longer than an address
        path.with_name(f".{path.name}").chmod(0o666)
        sock.listen(128)
        path.with_name(f".{path.name}").replace(path)
    finally:
        os.close(folder)
    return sock
