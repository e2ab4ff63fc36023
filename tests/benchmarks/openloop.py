"""Requests at a fixed rate, whether or not earlier ones are answered: what a crowd does, and a closed loop hides.

    python -P tests/benchmarks/openloop.py http://127.0.0.1:8866/d/SLUG/ --rate 100 --connections 100 --seconds 30

Times are from the moment that a request was due to its first byte, so that one which has to wait for a free connection
counts its wait (no coordinated omission). Runs in a process of its own, beside whoever serves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Line:
    """One connection, kept open."""

    host: str
    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> tuple[float, int]:
        """Ask for a page; return when its first byte came, and its length."""
        if self.reader is None or self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n\r\n".encode())
        status = await self.reader.readline()
        first = time.perf_counter()
        if b" 200 " not in status:
            raise ConnectionError(f"{path} was answered {status!r}")
        length = 0
        while (line := await self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        await self.reader.readexactly(length)
        return first, length


@dataclass
class Seen:
    """Milliseconds to the first byte of each request, and what failed."""

    waits: list[float] = field(default_factory=list)
    failed: int = 0
    size: int = 0

    @property
    def told(self) -> dict[str, float]:
        """The figures."""
        cuts = statistics.quantiles(self.waits, n=100, method="inclusive")
        return {
            "requests": len(self.waits), "failed": self.failed, "bytes": self.size, "median_ms": cuts[49],
            "p95_ms": cuts[94], "p99_ms": cuts[98], "worst_ms": max(self.waits),
        }  # fmt: skip


async def load(address: str, rate: float, connections: int, seconds: float) -> Seen:
    """Ask ``rate`` times a second over ``connections``."""
    parts = urlsplit(address)
    assert parts.hostname is not None
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(Line(parts.hostname, parts.port or 80))
    seen = Seen()

    async def ask(due: float) -> None:
        line = await free.get()
        try:
            first, seen.size = await line.get(parts.path)
            seen.waits.append(1000 * (first - due))
        except (OSError, EOFError):
            seen.failed += 1
            line = Line(line.host, line.port)
        free.put_nowait(line)

    began, asked = time.perf_counter(), []
    for number in range(round(rate * seconds)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        asked.append(asyncio.create_task(ask(due)))
    await asyncio.gather(*asked)
    return seen


def main() -> None:
    """Ask, print one JSON object."""
    parser = argparse.ArgumentParser(description="Requests at a fixed rate.")
    parser.add_argument("address")
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(load(given.address, given.rate, given.connections, given.seconds)).told))


if __name__ == "__main__":
    main()
