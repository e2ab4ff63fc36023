"""A dashboard of ours beside stock Voila on the same notebook, in one run.

    python -P tests/benchmarks/dashboards.py [SLUG_FOLDER] [--json] [--only page,crowd,touch,live,fifty] [--short]

- ``page``: size of the page; time to its last byte, of one viewer and of ten at once;
- ``crowd``: 100 requests a second over 100 connections for 30 s, open-loop, beside a plain file of the same bytes;
- ``touch``: in a real Chromium, until a page can be used, and from a touch to Python's answer;
- ``live``: memory a live viewer (proportional share, PSS);
- ``fifty``: 50 live viewers who each move a slider every 5 s.

Without SLUG_FOLDER a small notebook is run and published (numpy, matplotlib). Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import html
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import tornado.httpclient
import tornado.websocket

from genai4eu.kernels.warm.settings import UNTIL

sys.path.insert(0, str(Path(__file__).parents[2]))  # -P leaves the folder out that this stands in
from tests.benchmarks.touches import chromium, visit
from tests.benchmarks.viewers import PROTOCOL, Load, NoKernelError, Visitor, told

TEN, FIFTY = 10, 50
#: What a visitor may meet where a server is overcome: it is counted, and the others go on.
_FAILED = (NoKernelError, OSError, tornado.httpclient.HTTPError, tornado.websocket.WebSocketClosedError)
_SCRIPTS = Path(sys.executable).parent
_CELLS = [
    ("markdown", "# Does a higher wave carry further?"),
    ("code", "import numpy as np, matplotlib.pyplot as plt\nfrom genai4eu.widgets import Explorer, Range, figure"),
    ("code", "fig, ax = plt.subplots(); ax.plot(np.sin(np.linspace(0, 6)))\nfigure(fig, alt='A wave; line')"),
    (
        "code",
        "def draw(height):\n    fig, ax = plt.subplots(); ax.plot(height * np.sin(np.linspace(0, 6)))\n"
        "    return fig, 'A wave; line'\nExplorer(draw, height=Range('Height', 0, 10, step=1, value=2, unit='m'))",
    ),
]


def _make_bundle(folder: Path) -> Path:
    """Execute and publish a small notebook with the real tools."""
    parameters = "seed: int = 0  # seed [1] in 0..9"
    cells: list[dict[str, object]] = [
        {"id": "p", "cell_type": "code", "source": parameters, "outputs": [], "execution_count": None,
         "metadata": {"tags": ["parameters"]}}
    ]  # fmt: skip
    for number, (kind, source) in enumerate(_CELLS):
        more: dict[str, object] = {"outputs": [], "execution_count": None} if kind == "code" else {}
        cells.append({"id": f"c{number}", "cell_type": kind, "source": source,
                      "metadata": {"tags": ["dashboard"]}, **more})  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "wave.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    environment = {
        **os.environ,
        "GENAI4EU_RUNS": str(folder / "runs"),
        "GENAI4EU_DASHBOARDS": str(folder / "dashboards"),
    }
    for command in (["run", "wave.ipynb"], ["publish", "latest", "--lang", "en"]):
        subprocess.run([_SCRIPTS / "genai4eu", *command], cwd=folder, env=environment, check=True, capture_output=True)
    return next(p for p in (folder / "dashboards").iterdir() if not p.name.startswith("."))


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


@contextlib.contextmanager
def _serving(
    command: list[str | Path], address: str, environment: dict[str, str], cwd: Path
) -> Iterator[psutil.Process]:
    """Run a server until the block ends; yield its process once it answers."""
    process = subprocess.Popen(
        command, env=environment, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    tree: list[psutil.Process] = []
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(address + "static/icon.svg")
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} did not start")
            time.sleep(0.1)
        yield psutil.Process(process.pid)
        tree = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.terminate()
        process.wait()
        for left in psutil.wait_procs(tree, timeout=15)[1]:
            left.kill()


def _pss(server: psutil.Process) -> float:
    """Return the proportional memory of all that serves, in MB: a server, what is below it, and what ends with these.

    Warm kernels are no children of the server; the environment of their template names the process it ends with.
    """
    tree = {p.pid: p for p in [server, *server.children(recursive=True)]}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # gone, or somebody else's
            if int(process.environ().get(UNTIL) or 0) in tree:
                tree |= {p.pid: p for p in [process, *process.children(recursive=True)]}
    found = 0.0
    for process in tree.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            found += process.memory_full_info().pss / 1e6
    return found


class Stock(Visitor):
    """A page of stock Voila, as its script speaks: the page starts a kernel of its own."""

    async def attach(self) -> None:
        """Load the page, connect, and learn the states of its widgets."""
        client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
        answer = await client.fetch(self.address, request_timeout=600)
        page = answer.body.decode()
        config = json.loads(_script(page, "jupyter-config-data"))
        self.session = config["kernelId"]
        outputs = re.findall(r"cell-output\+json[^>]*>(.*?)</script>", page, re.DOTALL)
        self.cells = [{"outputs": [json.loads(html.unescape(o)) for o in outputs]}]
        request = tornado.httpclient.HTTPRequest(
            f"{self.address.replace('http', 'ws', 1)}api/kernels/{self.session}/channels?session_id=s",
            headers={"Origin": self.origin},
        )
        self.socket = await tornado.websocket.websocket_connect(
            request, subprotocols=[PROTOCOL], max_message_size=256 << 20
        )
        await self.learn()

    async def leave(self) -> None:
        """Leave the page, which ends its kernel."""
        self.drop()
        await self.post(f"voila/api/shutdown/{self.session}", "")


def _script(page: str, name: str) -> str:
    found = re.search(rf'<script id="{name}"[^>]*>(.*?)</script>', page, re.DOTALL)
    if not found:
        raise NoKernelError(f"stock Voila's page has no {name}")
    return found[1]


class Bench:
    """Both servers, running, and what is measured of them."""

    def __init__(self, stock: str, page: str, control: str, servers: dict[str, psutil.Process]) -> None:
        self.stock, self.page, self.control = stock, page, control
        self.servers = servers
        self.found: dict[str, Any] = {}

    def say(self, what: str) -> None:
        """Tell how far it is."""
        print(f"… {what}", file=sys.stderr, flush=True)

    def crowd(self, seconds: float) -> None:
        """Open-loop requests to the frozen page, and to the same bytes as a file."""
        for name, address in (("frozen page", self.page), ("static file", self.control)):
            self.say(f"crowd: {name}")
            command = [
                sys.executable,
                "-P",
                str(Path(__file__).with_name("openloop.py")),
                address,
                "--seconds",
                str(seconds),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            self.found[f"crowd, {name}"] = json.loads(done.stdout)

    def touch(self, times: int) -> None:
        """A real browser: until a page can be used, and from the first touch to the answer."""
        path = shutil.which("chromium")
        if path is None:
            self.found["touch"] = "no chromium on this computer"
            return
        with chromium(path) as browser:
            for name, address, ready in (
                ("ours", self.page, "html[data-widgets=ready]"),
                ("stock Voila", self.stock, ".noUi-handle"),
            ):
                self.say(f"touch: {name}")
                visit(browser, address, ready)  # the first of all starts what is started once
                seen = []
                for _ in range(times):
                    time.sleep(3)  # people do not come together; a reserve is made anew meanwhile
                    seen.append(visit(browser, address, ready))
                self.found[f"touch, {name}"] = {k: statistics.median(s[k] for s in seen) for k in seen[0]}

    def live(self) -> None:
        """Memory a live viewer."""
        for name, kind, address in (("ours", Visitor, self.page), ("stock Voila", Stock, self.stock)):
            self.say(f"live: {name}")
            self.found[f"live, {name}"] = {"memory_a_viewer_MB": asyncio.run(self._memory(kind, address, name))}

    async def _memory(self, kind: type[Visitor], address: str, name: str) -> float:
        """Return what each of ten viewers adds, with a control moved."""
        server = self.servers[name]
        first = kind(address)
        await first.attach()
        await asyncio.sleep(4)
        before = _pss(server)
        visitors = [kind(address) for _ in range(TEN)]
        await asyncio.gather(*(v.attach() for v in visitors))
        for visitor in visitors:
            model, state = next(visitor.steps())
            await visitor.move(model, **state)
        await asyncio.sleep(4)
        after = _pss(server)
        for visitor in [first, *visitors]:
            await visitor.leave()
        return (after - before) / TEN

    def fifty(self, seconds: float) -> None:
        """Many live viewers who each move a slider every five seconds."""
        for name, kind, address in (("ours", Visitor, self.page), ("stock Voila", Stock, self.stock)):
            self.say(f"fifty: {name}")
            self.found[f"fifty, {name}"] = told(asyncio.run(_crowd(kind, address, seconds)))


async def _crowd(kind: type[Visitor], address: str, seconds: float) -> Load:
    """Let all attach, within half a minute; when all are in, count the answers of a minute."""
    seen = Load()
    visitors = [kind(address) for _ in range(FIFTY)]

    async def come(visitor: Visitor, after: float) -> None:
        await asyncio.sleep(after)
        began = time.perf_counter()
        try:
            await visitor.attach()
            next(visitor.steps())
        except _FAILED as why:
            seen.refused.append(str(why))
            visitor.drop()
        else:
            seen.attached.append(time.perf_counter() - began)
            attached.append(visitor)

    attached: list[Visitor] = []
    await asyncio.gather(*(come(v, 30 * i / FIFTY) for i, v in enumerate(visitors)))
    until = time.perf_counter() + seconds

    async def move(visitor: Visitor, after: float) -> None:
        await asyncio.sleep(after)
        steps = visitor.steps()
        while (began := time.perf_counter()) < until:
            model, state = next(steps)
            try:
                await visitor.move(model, **state)
            except _FAILED as why:  # it waits no longer; that it was let down is counted
                seen.lost.append(str(why))
                return
            seen.answers.append(time.perf_counter() - began)
            await asyncio.sleep(max(0.0, 5 - (time.perf_counter() - began)))

    await asyncio.gather(*(move(v, 5 * i / FIFTY) for i, v in enumerate(attached)))
    for visitor in attached:
        await visitor.leave()
    return seen


async def _ask(client: httpx.AsyncClient, url: str) -> float:
    begun = time.perf_counter()
    answer = await client.get(url)
    answer.raise_for_status()
    return time.perf_counter() - begun


async def _viewers(url: str, many: int) -> list[float]:
    limits = httpx.Limits(max_connections=many)
    async with httpx.AsyncClient(timeout=600, limits=limits) as client:
        return list(await asyncio.gather(*(_ask(client, url) for _ in range(many))))


def _page(bench: Bench) -> None:
    """Size, and the time to the last byte of one viewer and of ten at once."""
    for name, address in (("ours", bench.page), ("stock Voila", bench.stock)):
        bench.say(f"page: {name}")
        one = statistics.median(asyncio.run(_viewers(address, 1))[0] for _ in range(3))
        ten = asyncio.run(_viewers(address, TEN))
        size = len(httpx.get(address, timeout=600).content) / 1000
        bench.found[f"page, {name}"] = {
            "html_kB": size, "one_viewer_s": one, "ten_at_once_median_s": statistics.median(ten)
        }  # fmt: skip


_CONTROL = """
import sys, asyncio, tornado.web, tornado.httpserver
async def main():
    files = (r"/static/(.*)", tornado.web.StaticFileHandler, {"path": sys.argv[2]})
    app = tornado.web.Application([files], log_function=lambda handler: None)
    app.listen(int(sys.argv[1]), "127.0.0.1", backlog=1024)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextlib.contextmanager
def served(dashboard: Path, viewers: int) -> Iterator[tuple[str, psutil.Process]]:
    """Run our server for a folder of dashboards; yield the address of one of them, and the process."""
    port = _free_port()
    command: list[str | Path] = [_SCRIPTS / "genai4eu", "serve", "--no-browser", "--port", str(port)]
    environment = {**os.environ, "GENAI4EU_DASHBOARDS": str(dashboard.parent)}
    address = f"http://127.0.0.1:{port}/"
    with _serving([*command, "--viewers", str(viewers)], address, environment, dashboard.parent) as process:
        yield f"{address}d/{dashboard.name}/", process


@contextlib.contextmanager
def _both(dashboard: Path) -> Iterator[Bench]:
    """Run our server, stock Voila, and a plain server of files, until the block ends."""
    ports = [_free_port() for _ in range(2)]
    voila, files = (f"http://127.0.0.1:{port}/" for port in ports)
    bundle = dashboard / "versions" / str(json.loads((dashboard / "site.json").read_text("utf-8"))["current"])
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as until:
        page, process = until.enter_context(served(dashboard, FIFTY + 4))
        (Path(work) / "icon.svg").write_text("<svg/>")
        (Path(work) / "page.html").write_bytes(httpx.get(page).content)
        until.enter_context(
            _serving([sys.executable, "-P", "-c", _CONTROL, str(ports[1]), work], files, dict(os.environ), Path(work))
        )
        notebook = shutil.copy(bundle / "live.ipynb", work)
        told = {**os.environ, "GENAI4EU_BUNDLE": str(bundle), "PYTHONSAFEPATH": "1"}
        stock: list[str | Path] = [
            sys.executable, "-P", "-m", "voila", "--no-browser", f"--port={ports[0]}", "--Voila.ip=127.0.0.1", notebook,
        ]  # fmt: skip
        second = until.enter_context(_serving(stock, voila, told, Path(work)))
        yield Bench(voila, page, f"{files}static/page.html", {"ours": process, "stock Voila": second})


def measure(
    dashboard: Path, only: list[str], short: bool, done: Callable[[dict[str, Any]], None] = lambda _: None
) -> dict[str, Any]:
    """Return all that was asked for, and tell each part as it is done: the last ones take minutes."""
    with _both(dashboard) as bench:
        parts: dict[str, Callable[[], None]] = {
            "page": lambda: _page(bench),
            "crowd": lambda: bench.crowd(5 if short else 30),
            "touch": lambda: bench.touch(2 if short else 9),
            "live": bench.live,
            "fifty": lambda: bench.fifty(15 if short else 60),
        }
        for name in only or parts:
            before = set(bench.found)
            parts[name]()
            done({n: told for n, told in bench.found.items() if n not in before})
        return bench.found


def _table(found: dict[str, Any]) -> str:
    lines = []
    for name in [n for n in found if n.endswith(", ours")]:
        part = name.removesuffix(", ours")
        ours, theirs = _flat(found[name]), _flat(found[f"{part}, stock Voila"])
        lines += [f"{part:48}{'ours':>12}{'stock Voila':>14}{'ratio':>8}"]
        for key, value in ours.items():
            ratio = f"{theirs[key] / value:.1f}x" if value and theirs.get(key) else "-"
            lines.append(f"  {key.replace('_', ' '):46}{value:12.3f}{theirs.get(key, float('nan')):14.3f}{ratio:>8}")
    for name in [n for n in found if n.startswith("crowd")]:
        lines.append(name + ": " + ", ".join(f"{k} {v:.1f}" for k, v in found[name].items()))
    return "\n".join(lines)


def _flat(found: dict[str, Any], before: str = "") -> dict[str, float]:
    """Return the figures of nested tables."""
    result: dict[str, float] = {}
    for name, value in found.items():
        result |= _flat(value, f"{before}{name} ") if isinstance(value, dict) else {f"{before}{name}": float(value)}
    return result


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description="A dashboard of ours beside stock Voila on the same notebook.")
    parser.add_argument("dashboard", nargs="?", type=Path, help="a published dashboard's folder")
    parser.add_argument("--only", default="", help="parts, separated by commas: page,crowd,touch,live,fifty")
    parser.add_argument("--short", action="store_true", help="a fraction of the time, to see that it works")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dashboard = given.dashboard.absolute() if given.dashboard else _make_bundle(Path(folder))
        only = [part for part in given.only.split(",") if part]
        show = (lambda _: None) if given.json else (lambda part: print(_table(part), flush=True))
        found = measure(dashboard, only, given.short, show)
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
