"""Memory of live viewers, and the time from a touch to an answer, of every dashboard in a folder.

    python -P tests/benchmarks/live_memory.py FOLDER [--viewers 6]

``own``: memory that a viewer's kernel shares with no other process; ``pss``: with its share of what all have (both the
mean over viewers that have moved a control). ``touch``: from asking for a kernel to the answer to a moved control, the
median over viewers that come one after the other. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from genai4eu.kernels.warm.settings import UNTIL

sys.path.insert(0, str(Path(__file__).parents[2]))  # -P leaves the folder out that this stands in
from tests.benchmarks.dashboards import served
from tests.benchmarks.viewers import Visitor

_PAUSE = 3  # people do not come together; a reserve is made anew meanwhile


def _kernels(server: psutil.Process) -> Iterator[psutil.Process]:
    """Yield the kernels that somebody was given: they change their name then."""
    tree = {p.pid for p in [server, *server.children(recursive=True)]}
    for process in psutil.process_iter():
        try:
            if process.name() == "genai4eu-kernel" and int(process.environ().get(UNTIL) or 0) in tree:
                yield process
        except psutil.Error:  # gone, or somebody else's
            continue


async def _visit(address: str, viewers: int, server: psutil.Process) -> dict[str, float]:
    visitors, took = [], []
    for _ in range(viewers + 1):
        visitor = Visitor(address)
        began = time.perf_counter()
        await visitor.attach()
        model, state = next(visitor.steps())
        await visitor.move(model, **state)
        took.append(time.perf_counter() - began)
        visitors.append(visitor)
        await asyncio.sleep(_PAUSE)
    held = [process.memory_full_info() for process in _kernels(server)]
    for visitor in visitors:
        await visitor.leave()
    await asyncio.sleep(_PAUSE)
    own, pss = (statistics.mean(getattr(one, name) for one in held) / 1e6 for name in ("uss", "pss"))
    return {"own": own, "pss": pss, "first": took[0], "touch": statistics.median(took[1:])}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description="Memory and speed of live viewers of all dashboards in a folder.")
    parser.add_argument("folder", type=Path, help="where dashboards were published")
    parser.add_argument("--viewers", type=int, default=6, help="of each dashboard at once, after a first one")
    given = parser.parse_args()
    print(f"{'':32}{'own [MB]':>10}{'PSS [MB]':>10}{'first [s]':>11}{'touch [s]':>11}")
    for dashboard in sorted(p for p in given.folder.absolute().iterdir() if (p / "site.json").exists()):
        with served(dashboard, given.viewers + 4) as (address, server):
            found = asyncio.run(_visit(address, given.viewers, server))
        cells = f"{found['own']:10.0f}{found['pss']:10.0f}{found['first']:11.1f}{found['touch']:11.2f}"
        print(f"{dashboard.name:32}{cells}", flush=True)


if __name__ == "__main__":
    main()
