"""How long lists of many runs take: generated records, the command line as a person calls it.

Run it::

    .venv/bin/python -P tests/benchmarks/records.py [--runs 10000] [--repeats 5] [--json]

Printed: the first list, which reads every record and writes the index; lists after that, with one record changed in
between, as a table into a pipe, as JSON, and with a filter; and what the bare command line costs (``--version``).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("genai4eu"))


def generate(root: Path, runs: int) -> None:
    """Write records that look like those of a sweep over two parameters."""
    for number in range(runs):
        stamp = f"202611{1 + number // 400:02d}-{number // 60 % 24:02d}{number % 60:02d}00"
        folder = root / f"{stamp}-study-{number:04x}"
        folder.mkdir(parents=True)
        info = {
            "id": folder.name, "template": "study.ipynb", "title": "Does more training help?", "usecase": None,
            "usecase_version": None, "status": "completed" if number % 10 else "failed",
            "started": "2026-11-26T12:00:00+00:00", "ended": "2026-11-26T12:00:09+00:00", "duration": 9.0,
            "target": "genai4eu", "kernel_id": "k", "cells": [{"index": 0, "status": "completed"}] * 9,
            "error": None if number % 10 else "ValueError: no",
        }  # fmt: skip
        contents = {
            "run.json": info,
            "parameters.json": {"epochs": number % 100, "lr": 0.1 / (1 + number), "profile": "smoke", "seed": number},
            "metrics.json": {"dice": {"value": (number % 997) / 997, "unit": "1"}},
            "ro-crate-metadata.json": {"@graph": []},
        }
        for name, content in contents.items():
            (folder / name).write_text(json.dumps(content))


def measure(
    arguments: list[str], environment: dict[str, str], repeats: int, changed: Path | None = None
) -> list[float]:
    """Return the seconds that each of several calls took, from start to end of its process."""
    seconds = []
    for _ in range(repeats):
        if changed:
            changed.write_text(changed.read_text())
        begun = time.monotonic()
        subprocess.run([COMMAND, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.monotonic() - begun)
    return seconds


def main() -> None:
    """Measure, then print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="records (default 10000)")
    parser.add_argument("--repeats", type=int, default=5, help="calls of each kind (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genai4eu-bench-") as name:
        root = Path(name) / "runs"
        print(f"writing {options.runs} records …", file=sys.stderr)
        generate(root, options.runs)
        time.sleep(2.5)  # files of the last two seconds are read each time
        environment = {**os.environ, "GENAI4EU_RUNS": str(root), "XDG_CACHE_HOME": f"{name}/cache"}
        one = next(root.iterdir()) / "run.json"
        results = {"first list": measure(["runs", "list"], environment, 1)}
        for title, arguments in {
            "list": ["runs", "list"],
            "list --json": ["runs", "list", "--json"],
            "list --metric": ["runs", "list", "--metric", "dice>0.99"],
            "--version": ["--version"],
        }.items():
            changed = one if title == "list" else None
            results[title] = measure(arguments, environment, options.repeats, changed)
    if options.json:
        print(json.dumps(results))
        return
    for title, seconds in results.items():
        median, calls = statistics.median(seconds), len(seconds)
        print(f"{title:<14} median {median:5.2f} s  worst {max(seconds):5.2f} s  ({calls} calls)")


if __name__ == "__main__":
    main()
