"""Start kernels beside stock ipykernel, in one run: time to the first reply, memory of idle ones, twenty at once.

Run it with ``.venv/bin/python -P tests/benchmarks/kernel_start.py``; ``--starts`` and ``--kernels`` say how many.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_client import BlockingKernelClient, KernelManager

from genai4eu.kernels import local
from genai4eu.kernels.ready import BlockingReadyClient
from genai4eu.kernels.warm import client

CELL = "import torch, sklearn.ensemble, xarray, matplotlib.pyplot, ipywidgets, pandas"
STOCK, WARM = "python3", local.NAME


def started(name: str, client_class: type = BlockingKernelClient) -> tuple[KernelManager, Any]:
    """Start a kernel; a client is connected when this returns, and nothing has been waited for."""
    manager = KernelManager(kernel_name=name)
    manager.client_factory = client_class
    manager.start_kernel(stdout=LOG, stderr=LOG)
    connected = manager.client()
    connected.start_channels()
    return manager, connected


def ended(manager: KernelManager, connected: Any) -> None:
    connected.stop_channels()
    manager.shutdown_kernel(now=True)


def first_reply(name: str) -> float:
    """Return the seconds from asking for a kernel to its reply to the import cell, which is sent at once."""
    began = time.perf_counter()
    manager, connected = started(name)
    question = connected.execute(CELL)
    while (reply := connected.get_shell_msg(timeout=120))["parent_header"].get("msg_id") != question:
        pass
    passed = time.perf_counter() - began
    assert reply["content"]["status"] == "ok", reply["content"]
    ended(manager, connected)
    return passed


def ready_then_reply(name: str, client_class: type) -> tuple[float, float]:
    """Return the seconds until ``wait_for_ready`` returns, and until the import cell sent then is replied to."""
    began = time.perf_counter()
    manager, connected = started(name, client_class)
    connected.wait_for_ready(timeout=120)
    ready = time.perf_counter() - began
    connected.execute_interactive(CELL, timeout=120, output_hook=lambda message: None)
    passed = time.perf_counter() - began
    ended(manager, connected)
    return ready, passed


def memory(pid: int) -> float:
    """Return the megabytes of a process: its own and its share of what others have, too (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def at_once(name: str, client_class: type, number: int, template: int | None) -> tuple[float, float, bool]:
    """Start kernels at once; return the seconds until all replied to the import cell, and megabytes for each."""

    def one(_: int) -> tuple[KernelManager, Any]:
        manager, connected = started(name, client_class)
        connected.wait_for_ready(timeout=300)
        connected.execute_interactive(CELL, timeout=300, output_hook=lambda message: None)
        return manager, connected

    with ThreadPoolExecutor(number) as pool:
        began = time.perf_counter()
        kernels = list(pool.map(one, range(number)))
        passed = time.perf_counter() - began
    forked = all(type(manager.provisioner.process).__name__ == "WarmProcess" for manager, _ in kernels)
    time.sleep(2)  # until all is idle
    pids = [manager.provisioner.pid for manager, _ in kernels] + ([template] if template else [])
    each = sum(memory(pid) for pid in pids) / number
    for manager, connected in kernels:
        ended(manager, connected)
    return passed, each, forked


def settle() -> dict[str, Any]:
    """Wait until children stand ahead and the computer is quiet, as it is between two starts of a user."""
    deadline = time.monotonic() + 60
    while len((about := client.status()[0]).get("ahead", [])) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.3)
    return about


def row(title: str, stock: list[float], warm: list[float]) -> None:
    """Print median, least and most of both, and the ratio of the medians."""

    def cell(values: list[float]) -> str:
        return f"{statistics.median(values):7.3f} ({min(values):.3f}-{max(values):.3f})"

    ratio = statistics.median(stock) / statistics.median(warm)
    print(f"{title:46} {cell(stock):>24} {cell(warm):>24} {ratio:6.1f} x", flush=True)


def alternating(number: int, *measures: Callable[[], Any]) -> list[list[Any]]:
    """Measure in turns, so that what else the computer does falls on all alike."""
    found: list[list[Any]] = [[] for _ in measures]
    for _ in range(number):
        for measure, values in zip(measures, found, strict=True):
            settle()
            values.append(measure())
    return found


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--kernels", type=int, default=20)
    options = parser.parse_args()
    print(
        f"{len(os.sched_getaffinity(0))} processors, {options.starts} starts each, in turns; "
        "seconds: median (least-most)"
    )
    print(f"cell: {CELL}\n{'':46} {'stock ipykernel':>24} {'genai4eu':>24}")
    client.ensure(wait=True)
    stock, warm = alternating(options.starts, lambda: first_reply(STOCK), lambda: first_reply(WARM))
    row("asked for -> first reply, nothing waited for", stock, warm)
    stock, warm, ours = alternating(
        options.starts,
        lambda: ready_then_reply(STOCK, BlockingKernelClient),
        lambda: ready_then_reply(WARM, BlockingKernelClient),
        lambda: ready_then_reply(WARM, BlockingReadyClient),
    )
    row("ready, the stock client's wait_for_ready", [s[0] for s in stock], [w[0] for w in warm])
    row("  then the cell replied", [s[1] for s in stock], [w[1] for w in warm])
    row("ready, ours without the ready poll", [s[0] for s in stock], [w[0] for w in ours])
    row("  then the cell replied", [s[1] for s in stock], [w[1] for w in ours])
    many(options.kernels, settle()["pid"])


def many(number: int, template: int) -> None:
    """Start many at once, ours three times, and print time and memory."""
    each = []
    for _ in range(3):
        seconds, memory_of_one, forked = at_once(WARM, BlockingReadyClient, number, template)
        each.append(memory_of_one)
        print(f"genai4eu, {number} at once: all replied to the cell after {seconds:.2f} s; all forked: {forked}; "
              f"(template + {number} idle) / {number} = {memory_of_one:.1f} MB PSS")  # fmt: skip
        settle()
    _, alone, _ = at_once(STOCK, BlockingKernelClient, 1, None)
    seconds, together, _ = at_once(STOCK, BlockingKernelClient, number, None)
    print(f"stock,    {number} at once: all replied to the cell after {seconds:.2f} s; "
          f"{number} idle / {number} = {together:.1f} MB PSS; one alone {alone:.1f} MB")  # fmt: skip
    ours = statistics.median(each)
    print(
        f"memory: {together / ours:.1f} times less for each of {number}, {alone / ours:.1f} times less than one alone"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home, Path(os.devnull).open("wb") as LOG:
        os.environ |= dict.fromkeys(("XDG_RUNTIME_DIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"), home)
        os.environ.pop("GENAI4EU_WARM", None)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        local.ensure()
        try:
            main()
        finally:
            client.stop()
