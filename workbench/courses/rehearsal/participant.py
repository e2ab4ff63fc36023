"""A participant: from the login page to the first executed cell, and through a lesson. Called by the rehearsal."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from .browser import Browser, Page, Refused
from .kernel import Done, Kernel, KernelGone
from .lesson import Cell
from .recording import Request, present, recorded

#: What makes a participant fail, and is told; anything else is a fault of ours.
FAILED = (Refused, KernelGone, aiohttp.ClientError, OSError, TimeoutError)
#: Seconds after which a participant gives up.
PATIENCE = 300.0
STAGES = ("page", "code", "lab", "kernel", "cell")


@dataclass
class Came:
    """How a participant came in.

    Attributes
    ----------
    stages : dict
        Seconds of each stage: the login page, from the code to JupyterLab's page, until its lesson is shown, until the
        kernel answers, until the first cell is executed.
    seconds : float
        From the code to the executed cell.
    fault : str
        What went wrong; empty if nothing did.
    requests, received : int
        HTTP requests, and the bytes that came.
    """

    seat: str
    stages: dict[str, float] = field(default_factory=dict)
    fault: str = ""
    requests: int = 0
    received: int = 0

    @property
    def seconds(self) -> float:
        """Seconds from the code to the first executed cell."""
        return sum(self.stages[name] for name in STAGES[1:] if name in self.stages)


@dataclass
class Worked:
    """How a participant went through a lesson.

    Attributes
    ----------
    seconds : float
        Of all cells together.
    faults : list of str
        Cells that failed, and checks that did not pass.
    slowest : float
        Seconds of the slowest cell.
    """

    seat: str
    seconds: float = 0.0
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)


class Participant:
    """One seat's browser; to be used with ``async with``.

    Parameters
    ----------
    seat : str
        Its name.
    address : str
        Where to go.
    form : dict
        What is typed into the login page.
    lesson : str
        File of the lesson that opens.
    kernelspec : str
        What that lesson asks for.
    """

    def __init__(self, seat: str, address: str, form: dict[str, str], lesson: str, kernelspec: str) -> None:
        self.seat, self._address, self._form = seat, URL(address), form
        self._lesson, self._kernelspec = lesson, kernelspec
        self._browser = Browser()
        self._base = URL()
        self._session: asyncio.Future[dict[str, Any]]
        self.kernel: Kernel | None = None
        self._marks: dict[str, float] = {}
        self._events: aiohttp.ClientWebSocketResponse | None = None

    async def __aenter__(self) -> Participant:
        """Open the browser."""
        await self._browser.__aenter__()
        self._session = asyncio.get_running_loop().create_future()
        return self

    async def __aexit__(self, *why: Any) -> None:
        """Close it; the seat's server and kernel stay."""
        if self._session.done() and not self._session.cancelled():
            self._session.exception()  # was told already
        await self._browser.__aexit__(*why)

    async def come(self, first: str) -> Came:
        """Come in, and execute a first cell.

        Parameters
        ----------
        first : str
            Its code.
        """
        came = Came(self.seat)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._come(first, came.stages)
        except FAILED as error:
            came.fault = str(error) or f"not in within {PATIENCE:.0f} s"
        came.requests, came.received = self._browser.requests, self._browser.received
        return came

    async def _come(self, first: str, stages: dict[str, float]) -> None:
        began = time.monotonic()
        page = await self._browser.go(self._address)
        await asyncio.gather(*(self._browser.file(address) for address in page.files()))
        typed = time.monotonic()
        stages["page"] = typed - began
        page = await self._signed_in(page)
        shown = time.monotonic()
        stages["code"] = shown - typed
        await self._lab(page.config())
        asked = self._marks.get("session", time.monotonic())
        stages["lab"] = asked - shown
        done = await self._execute_first(first)
        stages["kernel"], stages["cell"] = time.monotonic() - done.seconds - asked, done.seconds
        if done.status != "ok":
            raise Refused(f"the first cell ended with {_error(done)}")

    async def _signed_in(self, page: Page) -> Page:
        """Type the code, and follow to JupyterLab, waiting as the page says while the server starts."""
        action = page.url.join(URL(page.action(), encoded=True))
        page = await self._browser.go(action, {"_xsrf": page.field("_xsrf"), **self._form})
        while "spawn-pending" in page.url.path:
            await asyncio.gather(*(self._browser.file(address) for address in page.files()))
            user = page.url.path.rstrip("/").rpartition("/")[2]
            token = self._browser.token(page.url).get("X-XSRFToken", "")
            progress = page.url.with_path(f"/hub/api/users/{user}/server/progress").with_query({"_xsrf": token})
            await self._browser.ready(progress)
            page = await self._browser.go(page.url)
        return page

    async def _lab(self, config: dict[str, Any]) -> None:
        """Load JupyterLab and the lesson as Chromium did when it was recorded."""
        self._base = self._address.join(URL(config["baseUrl"]))
        self._events = await self._browser.sockets.ws_connect(
            self._socket("api/events/subscribe"), headers=self._browser.token(self._base)
        )
        for wave in recorded()[0]:
            await asyncio.sleep(wave.pause)
            await asyncio.gather(*(self._request(request, config) for request in wave.requests))

    async def _request(self, request: Request, config: dict[str, Any]) -> None:
        path = present(request, config)
        if path is None:
            return
        if path.startswith("/") or "://" in path:
            await self._browser.file(self._address.join(URL(path)))
            return
        opens = request.method == "POST" and path.startswith("api/sessions")
        try:
            if opens:
                self._marks["session"] = time.monotonic()
            known = await self._session if "{session}" in path + request.body else {}
            names = {"now": str(time.time_ns() // 1_000_000), "lesson": self._lesson, "draft": str(uuid.uuid4()),
                     "session": known.get("id", ""), "kernelspec": self._kernelspec}  # fmt: skip
            address = self._base.join(URL(_filled(path, names)))
            told = await self._browser.fetch(request.method, address, _filled(request.body, names) or None)
        except FAILED as error:
            if opens:
                self._session.set_exception(Refused(str(error) or type(error).__name__))
            raise
        if opens:
            self._session.set_result(json.loads(told))

    async def _execute_first(self, first: str) -> Done:
        session = await self._session
        address = self._socket(f"api/kernels/{session['kernel']['id']}/channels")
        self.kernel = await Kernel.connect(self._browser.sockets, address, self._browser.token(self._base))
        for channel, kind, content in recorded()[1]:
            if kind.endswith("_request"):
                await self.kernel.ask(channel, kind, content, PATIENCE)
            else:
                await self.kernel.say(channel, kind, content)
        return await self.kernel.execute(first, PATIENCE)

    def _socket(self, path: str) -> str:
        return str(self._base.join(URL(path))).replace("http", "ws", 1)

    async def work(self, cells: Sequence[Cell], patience: float) -> Worked:
        """Execute a lesson's cells, one after the other, and save it.

        Parameters
        ----------
        patience : float
            Seconds that a cell may take.
        """
        worked = Worked(self.seat)
        try:
            for cell in cells:
                assert self.kernel is not None
                done = await self.kernel.execute(cell.code, patience)
                worked.seconds += done.seconds
                worked.slowest = max(worked.slowest, done.seconds)
                worked.faults += cell.faults(done)
        except FAILED as error:
            worked.faults.append(f"cell {cell.number}: {error or type(error).__name__}")
        return worked


def _filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _error(done: Done) -> str:
    error = next((o for o in done.outputs if o["output_type"] == "error"), None)
    return f"{error['ename']}: {error['evalue']}" if error else done.status
