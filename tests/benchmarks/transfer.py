"""A run's outputs from a gateway on the loopback interface: its endpoint beside the kernel's connection, in one run.

    python -P tests/benchmarks/transfer.py [MB]

300 MB in three files unless told otherwise. Both ways fetch the same run's files, check every SHA-256, and go through
the same bridge and gateway; ``visible`` is the copy that is made where the kernel's folder can be seen from here.
Listing (which computes the checksums on the kernel's side) is timed by itself: all ways need it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import genai4eu
from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process
from genai4eu.runs import sources
from genai4eu.runs.collect import collect

KEEP = (
    "import os, genai4eu\nrun = genai4eu.current_run()\n"
    "for n in range(3):\n    (run.outputs / f'{n}.bin').write_bytes(os.urandom(1_000_000) * (MB // 3))"
)


class Stay:
    """A source that is not emptied, so that it can be measured again."""

    def __init__(self, source: Any, listed: list[dict[str, Any]]) -> None:
        self.links, self.copy = source.links, source.copy
        self._listed = listed

    def listing(self) -> list[dict[str, Any]]:
        return self._listed

    def remove(self) -> None:
        pass


def measured(remote: dict[str, Any], target: Any, folder: Path, tell: Any, ask: Any) -> None:
    """Stand in for ``home.bring``: fetch everything in each way, and print how long that took."""
    began = time.perf_counter()
    listed = sources.FromKernel(ask).listing()
    size = sum(entry["size"] for entry in listed) / 1e6
    print(f"{size:.0f} MB; listing with checksums {time.perf_counter() - began:.2f} s")
    visible = sources.lasting(remote, None, folder.name)
    seen, sources._is = sources._is, lambda folder, owner: False
    gateway = sources.lasting(remote, target, folder.name)
    sources._is = seen
    took = {}
    for name, source in {"kernel": sources.FromKernel(ask), "gateway": gateway, "visible": visible}.items():
        home = folder / "measured"
        home.mkdir()
        began = time.perf_counter()
        collect(Stay(source, listed), home, folder / "parts", tell)
        took[name] = time.perf_counter() - began
        shutil.rmtree(home)
        print(f"{name:8} {took[name]:6.2f} s  {size / took[name]:6.0f} MB/s")
    print(f"the gateway's endpoint is {took['kernel'] / took['gateway']:.1f} times as fast as the kernel's connection")
    ask("end")


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as name:
        house = Path(name)
        places = {"GENAI4EU_RUNS": "runs", "GENAI4EU_SCRATCH": "scratch", "JUPYTER_DATA_DIR": "jupyter"}
        os.environ |= {key: str(house / place) for key, place in places.items()} | {"GENAI4EU_WARM": "off"}
        cell: dict[str, Any] = {"id": "a", "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        first = {**cell, "id": "p", "metadata": {"tags": ["parameters"]}, "source": "n: int = 1"}
        cells = [first, {**cell, "source": KEEP.replace("MB", str(size))}]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (house / "keep.ipynb").write_text(json.dumps(notebook))
        import papermill  # noqa: F401  # loads our engine

        from genai4eu.runs import engine

        vars(engine)["bring"] = measured
        with process.start(house / "gateway") as gateway:
            connect("factory", gateway.url, gateway.token_file)
            record = genai4eu.run(house / "keep.ipynb", on="factory-genai4eu", listener=lambda event, data: None)
            assert record.info["status"] == "completed", record.info["error"]


if __name__ == "__main__":
    main()
