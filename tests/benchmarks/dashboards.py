"""Our page against stock Voila on the same notebook, side by side in one run.

    python -P tests/benchmarks/dashboards.py [BUNDLE] [--json]

Times are from asking to the last byte, of one viewer and of ten who come at once; memory is the proportional share
(PSS) of all processes that serve, per viewer beyond the first. Without BUNDLE a small one is made (numpy, matplotlib).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

TEN = 10
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
    for command in (["run", "wave.ipynb"], ["publish", "latest"]):
        subprocess.run([_SCRIPTS / "genai4eu", *command], cwd=folder, env=environment, check=True, capture_output=True)
    return next((folder / "dashboards").iterdir())


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


def _memory(process: psutil.Process) -> float:
    """Return the proportional memory of a process and all below it, in MB."""
    return float(sum(p.memory_full_info().pss for p in [process, *process.children(recursive=True)])) / 1e6


async def _ask(client: httpx.AsyncClient, url: str) -> float:
    begun = time.perf_counter()
    answer = await client.get(url)
    answer.raise_for_status()
    return time.perf_counter() - begun


async def _viewers(url: str, many: int) -> list[float]:
    limits = httpx.Limits(max_connections=many)
    async with httpx.AsyncClient(timeout=300, limits=limits) as client:
        return list(await asyncio.gather(*(_ask(client, url) for _ in range(many))))


def _measure(process: psutil.Process, url: str) -> dict[str, float]:
    """Return seconds and MB of a page whose server is running."""
    empty = _memory(process)
    one = statistics.median(asyncio.run(_viewers(url, 1))[0] for _ in range(3))
    after_three = _memory(process)
    ten = asyncio.run(_viewers(url, TEN))
    return {
        "one_viewer_s": one,
        "ten_at_once_median_s": statistics.median(ten),
        "ten_at_once_slowest_s": max(ten),
        "memory_a_viewer_MB": max(0.0, (_memory(process) - after_three) / TEN),
        "memory_of_the_empty_server_MB": empty,
    }


def measure(bundle: Path) -> dict[str, dict[str, float]]:
    """Return the measurements of our frozen page and of stock Voila."""
    ours_port, voila_port = _free_port(), _free_port()
    ours, voila = f"http://127.0.0.1:{ours_port}/", f"http://127.0.0.1:{voila_port}/"
    plain = {**os.environ, "GENAI4EU_DASHBOARDS": str(bundle.parent)}
    with _serving(
        [_SCRIPTS / "genai4eu", "serve", "--no-browser", "--port", str(ours_port)], ours, plain, bundle.parent
    ) as p:
        frozen = _measure(p, f"{ours}d/{bundle.name}/")
    told = {**os.environ, "GENAI4EU_BUNDLE": str(bundle), "PYTHONSAFEPATH": "1"}
    with tempfile.TemporaryDirectory() as work:
        notebook = shutil.copy(bundle / "live.ipynb", work)
        command: list[str | Path] = [
            sys.executable, "-P", "-m", "voila", "--no-browser", f"--port={voila_port}", "--Voila.ip=127.0.0.1",
            notebook,
        ]  # fmt: skip
        with _serving(command, voila, told, Path(work)) as p:
            return {"frozen page": frozen, "stock Voila": _measure(p, voila)}


def _table(found: dict[str, dict[str, float]]) -> str:
    ours, theirs = found["frozen page"], found["stock Voila"]
    lines = [f"{'':32}{'frozen page':>14}{'stock Voila':>14}{'ratio':>10}"]
    for name in ours:
        ratio = f"{theirs[name] / ours[name]:.0f}x" if ours[name] > 1e-3 else "-"
        lines.append(f"{name.replace('_', ' '):32}{ours[name]:14.4f}{theirs[name]:14.3f}{ratio:>10}")
    return "\n".join(lines)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description="Our page against stock Voila on the same notebook.")
    parser.add_argument("bundle", nargs="?", type=Path, help="a published dashboard's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle = arguments.bundle.absolute() if arguments.bundle else _make_bundle(Path(folder))
        found = measure(bundle)
    print(json.dumps(found) if arguments.json else _table(found))


if __name__ == "__main__":
    main()
