"""Visitors of live views without a browser: each attaches, moves a control again and again, and leaves.

    python -P tests/benchmarks/viewers.py http://127.0.0.1:8866/d/SLUG/ --viewers 50 --every 5 --seconds 60

The server answers under ADDRESS already. Times are from the message that moves a control to the kernel's last word on
it, and from asking for a kernel to being connected with all states of the widgets known.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import struct
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import tornado.httpclient
import tornado.websocket

PROTOCOL = "v1.kernel.websocket.jupyter.org"
_VIEW = "application/vnd.jupyter.widget-view+json"
Json = dict[str, Any]


class NoKernelError(Exception):
    """The server has no kernel for this visitor; the text is what it said."""


def packed(header: Json, content: Json, metadata: Json | None = None, channel: str = "shell") -> bytes:
    """Return a message as a browser sends it."""
    parts = [channel.encode(), *(json.dumps(part).encode() for part in (header, {}, metadata or {}, content))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join([struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *parts])


def unpacked(frame: bytes) -> Json:
    """Return a message as a browser reads it."""
    (count,) = struct.unpack_from("<Q", frame)
    offsets = struct.unpack_from(f"<{count}Q", frame, 8)
    channel, *parts = [frame[a:b] for a, b in pairwise(offsets)]
    names = ("header", "parent_header", "metadata", "content")
    return {"channel": channel.decode(), **{n: json.loads(p) for n, p in zip(names, parts, strict=False)}}


@dataclass
class Visitor:
    """One page of a dashboard, as its script speaks.

    Attributes
    ----------
    address : str
        The dashboard's, with the closing slash.
    told : list of dict
        What the server answered on the way to a kernel.
    states : dict
        The kernel's widgets, by id.
    frames : list of bytes
        All that the kernel said.
    """

    address: str
    told: list[Json] = field(default_factory=list)
    states: Json = field(default_factory=dict)
    frames: list[bytes] = field(default_factory=list)
    session: str = ""
    cells: list[Json] = field(default_factory=list)
    socket: tornado.websocket.WebSocketClientConnection | None = None

    @property
    def origin(self) -> str:
        """What a browser says of the page that asks."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    async def post(self, path: str, body: str = "{}", **headers: str) -> tornado.httpclient.HTTPResponse:
        """Post as the page does."""
        client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
        return await client.fetch(
            self.address + path, method="POST", body=body, headers={"Origin": self.origin, **headers},
            request_timeout=60, raise_error=False,
        )  # fmt: skip

    async def ask(self, ticket: str = "") -> Json:
        """Ask for a kernel once."""
        answer = await self.post("live/", json.dumps({"ticket": ticket} if ticket else {}))
        assert answer.code == 200, (answer.code, answer.body[:300])
        self.told.append(json.loads(answer.body))
        return self.told[-1]

    async def attach(self) -> None:
        """Ask until there is a kernel, connect, and learn the states of its widgets.

        Raises
        ------
        NoKernelError
            If there is none to be had.
        """
        answer = await self.ask()
        while answer["state"] in ("starting", "queue"):
            answer = await self.ask(answer["ticket"])
        if answer["state"] != "live":
            raise NoKernelError(answer["sentence"])
        self.session, self.cells = answer["session"], answer["cells"]
        await self.connect()
        await self.learn()

    async def connect(self) -> None:
        """Connect, or connect again."""
        request = tornado.httpclient.HTTPRequest(
            self.address.replace("http", "ws", 1) + f"live/{self.session}", headers={"Origin": self.origin}
        )
        self.socket = await tornado.websocket.websocket_connect(
            request, subprotocols=[PROTOCOL], max_message_size=256 << 20
        )

    async def say(self, kind: str, content: Json, **more: Any) -> str:
        """Send a message and return its id."""
        assert self.socket is not None
        name = uuid.uuid4().hex
        header = {"msg_id": name, "msg_type": kind, "session": "s", "username": "", "version": "5.3", "date": ""}
        await self.socket.write_message(packed(header, content, **more), binary=True)
        return name

    async def read(self) -> Json | None:
        """Return the kernel's next message; None when the connection has ended."""
        assert self.socket is not None
        frame = await self.socket.read_message()
        if not isinstance(frame, bytes):
            return None
        self.frames.append(frame)
        return unpacked(frame)

    async def until(self, wanted: Callable[[Json], bool]) -> list[Json]:
        """Read up to a message, and return all read."""
        read: list[Json] = []
        while not read or not wanted(read[-1]):
            message = await asyncio.wait_for(self.read(), 60)
            if message is None:
                raise ConnectionError(f"the connection ended: {self.socket.close_code if self.socket else None}")
            read.append(message)
        return read

    async def learn(self) -> None:
        """Ask for the states of all widgets."""
        comm = uuid.uuid4().hex
        await self.say("comm_open", {"comm_id": comm, "target_name": "jupyter.widget.control", "data": {}},
                       metadata={"version": "1.0.0"})  # fmt: skip
        await self.say("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        told = await self.until(lambda m: m["content"].get("data", {}).get("method") == "update_states")
        self.states = told[-1]["content"]["data"]["states"]

    async def move(self, model: str, **state: Any) -> list[Json]:
        """Change a widget, and return all that the kernel said until it was done."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        name = await self.say("comm_msg", {"comm_id": model, "data": data})

        def done(message: Json) -> bool:
            own = message["parent_header"].get("msg_id") == name
            return bool(own and message["content"].get("execution_state") == "idle")

        return await self.until(done)

    def steps(self) -> Iterator[tuple[str, Json]]:
        """Yield changes of the first slider on the page, to and fro, for ever; of another control without one."""
        for name, told in self.shown():
            kind, state = told["model_name"], told["state"]
            if kind in ("IntSliderModel", "FloatSliderModel") and not state.get("disabled"):
                low, high = state["min"], state["max"]
                whole = kind == "IntSliderModel"
                last = state["value"]
                while True:
                    value = random.uniform(low, high)
                    step = state.get("step") or 1
                    value = min(high, low + round((value - low) / step) * step)
                    if value != last:  # the same once more would be no question
                        last = value
                        yield name, {"value": int(value) if whole else value}
            if "_options_labels" in state and len(state["_options_labels"]) > 1:
                many, last = len(state["_options_labels"]), state["index"] or 0
                while True:
                    last = (last + random.randrange(1, many)) % many
                    yield name, {"index": last}
        raise NoKernelError("this dashboard has no control to move")

    def shown(self) -> list[tuple[str, Json]]:
        """Return the models below what the cells show, sliders first."""
        roots = [o["data"][_VIEW]["model_id"] for c in self.cells for o in c["outputs"] if _VIEW in o.get("data", {})]
        found: dict[str, Json] = {}
        while roots:
            name = roots.pop(0)
            if name in self.states and name not in found:
                found[name] = self.states[name]
                roots += [c.removeprefix("IPY_MODEL_") for c in found[name]["state"].get("children", [])]
        return sorted(found.items(), key=lambda item: "Slider" not in item[1]["model_name"])

    def drop(self) -> None:
        """Lose the connection."""
        if self.socket is not None:
            self.socket.close()

    async def leave(self) -> None:
        """Leave the page."""
        self.drop()
        await self.post(f"live/{self.session}/leave")


@dataclass
class Load:
    """What many visitors saw.

    Attributes
    ----------
    attached, answers : list of float
        Seconds.
    refused, lost : list of str
        Why some got no kernel, or no answer any more.
    """

    attached: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    async def visit(self, address: str, every: float, until: float, begin: float) -> None:
        """Attach, move a control every so many seconds, leave."""
        visitor = Visitor(address)
        await asyncio.sleep(begin)
        began = time.perf_counter()
        try:
            await visitor.attach()
        except (NoKernelError, OSError) as why:
            self.refused.append(str(why))
            return
        self.attached.append(time.perf_counter() - began)
        steps = visitor.steps()
        await asyncio.sleep(every * random.random())  # people do not move together
        while (began := time.perf_counter()) < until:
            model, state = next(steps)
            await visitor.move(model, **state)
            self.answers.append(time.perf_counter() - began)
            await asyncio.sleep(max(0.0, every - (time.perf_counter() - began)))  # an open loop but for its own answer
        await visitor.leave()


async def load(addresses: Sequence[str], viewers: int, every: float, seconds: float, within: float = 0.0) -> Load:
    """Let visitors come within ``within`` seconds, each moving a control every ``every``, until ``seconds`` are over.

    Parameters
    ----------
    addresses : sequence of str
        Dashboards, each with its closing slash; visitors are spread over them.
    """
    seen, until = Load(), time.perf_counter() + seconds
    visits = [
        seen.visit(addresses[i % len(addresses)], every, until, within * i / max(1, viewers)) for i in range(viewers)
    ]
    await asyncio.gather(*visits)
    return seen


def told(seen: Load) -> Json:
    """Return the figures."""

    def of(values: Sequence[float]) -> Json:
        cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else [*values] * 99
        return {
            "many": len(values),
            **({"median_s": cuts[49], "p95_s": cuts[94], "worst_s": max(values)} if cuts else {}),
        }

    left = {"without_kernel": len(seen.refused), "lost": len(seen.lost)}
    return {"attached": of(seen.attached), "answers": of(seen.answers), **left}


def main() -> None:
    """Visit, print."""
    parser = argparse.ArgumentParser(description="Visitors of live views without a browser.")
    parser.add_argument("addresses", nargs="+", help="dashboards, each with its closing slash")
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--every", type=float, default=5, help="seconds between two moves of a viewer")
    parser.add_argument("--seconds", type=float, default=60, help="how long it lasts, attaching included")
    parser.add_argument("--within", type=float, default=0, help="seconds within which the viewers come")
    given = parser.parse_args()
    seen = asyncio.run(load(given.addresses, given.viewers, given.every, given.seconds, given.within))
    print(json.dumps(told(seen), indent=1))
    for why in sorted(set(seen.refused)):
        print("without a kernel:", why)


if __name__ == "__main__":
    main()
