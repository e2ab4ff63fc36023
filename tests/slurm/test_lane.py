"""The line between relay and agent loses and doubles nothing when connections are cut, and lets nobody else in."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq
import zmq.asyncio

from genai4eu.kernels.slurm.door import open_door
from genai4eu.kernels.slurm.lane import Lane
from genai4eu.kernels.slurm.line import Line

pytestmark = pytest.mark.slow

COUNT = 3000


def keys() -> tuple[str, str]:
    public, secret = zmq.curve_keypair()
    return public.decode(), secret.decode()


class Proxy:
    """Hands on a TCP connection, and cuts all of them when asked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self.cuts = 0

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        self.cuts += len(self._writers) > 1
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def close(self) -> None:
        self.cut()
        self._server.close()


async def agent(door: zmq.asyncio.Socket, got: list[str]) -> None:
    """Be an agent that counts aloud and listens."""
    relay = b""

    async def push(frames: list[bytes]) -> None:
        if relay:
            await door.send_multipart([relay, *frames])

    lane = Lane(push)

    async def talk() -> None:
        for number in range(COUNT):
            await lane.send("iopub", [str(number).encode(), b"x" * 1000])
            await asyncio.sleep(0.001)

    async def beats() -> None:
        while True:
            await asyncio.sleep(0.1)
            await lane.beat()

    tasks = [asyncio.create_task(beats())]
    while True:
        relay, *frames = await door.recv_multipart()
        if len(tasks) == 1:
            tasks.append(asyncio.create_task(talk()))
        if (due := await lane.take(frames)) is not None:
            got.append(due[1][0].decode())


def test_nothing_is_lost_or_doubled_by_twenty_cuts(tmp_path: Path) -> None:
    async def run() -> tuple[list[str], list[str], int]:
        context = zmq.asyncio.Context()
        door, mine = context.socket(zmq.ROUTER), keys()
        authenticator = open_door(context, door, mine[0].encode(), tmp_path)
        about = json.loads((tmp_path / "agent.json").read_text())
        proxy = Proxy(about["port"])
        about["port"] = await proxy.start()
        heard: list[str] = []
        line, got = Line(mine), list[str]()

        async def receiver(kind: str, parts: list[bytes]) -> None:
            got.append(parts[0].decode())

        async def talk() -> None:
            for number in range(COUNT):
                await line.send("shell", [str(number).encode()])
                await asyncio.sleep(0.001)

        tasks = [asyncio.create_task(agent(door, heard))]
        await line.connect(about)
        tasks += [asyncio.create_task(work) for work in (line.serve(receiver), line.beats(), talk())]
        while proxy.cuts < 20:
            await asyncio.sleep(0.2)
            proxy.cut()
        async with asyncio.timeout(60):
            while len(got) < COUNT or len(heard) < COUNT:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.5)  # what would come twice
        cuts = proxy.cuts
        for task in tasks:
            task.cancel()
        authenticator.stop()
        line.close()
        proxy.close()
        context.destroy(linger=0)
        return got, heard, cuts

    expected = [str(number) for number in range(COUNT)]
    assert asyncio.run(run()) == (expected, expected, 20)


def test_only_the_relays_key_opens_the_door(tmp_path: Path) -> None:
    async def run(own: Callable[[], tuple[str, str]] | None) -> bool:
        context = zmq.asyncio.Context()
        door = context.socket(zmq.ROUTER)
        mine = keys()
        authenticator = open_door(context, door, mine[0].encode(), tmp_path)
        line = Line(mine if own is None else own())
        try:
            await line.connect(json.loads((tmp_path / "agent.json").read_text()))
            await line.send("end")
            return bool(await door.poll(1000))
        finally:
            authenticator.stop()
            line.close()
            context.destroy(linger=0)

    assert asyncio.run(run(None))
    assert not asyncio.run(run(keys))
    assert (tmp_path / "agent.json").stat().st_mode & 0o777 == 0o600
