"""Our run beside stock papermill's, on the same notebooks, in one go.

Run it::

    .venv/bin/python -P tests/benchmarks/runs.py [--repeats 5] [--json]

Measured per tool, alternating: wall time of the whole command, bytes that the process writes (``/proc/PID/io``), and
what each says of a run whose kernel was killed. Each command is a process of its own. ``--flood`` lets a cell of ours
print a gigabyte, and gives the most memory that runner and kernel had, and the size of the record; stock papermill is
spared that, it keeps all of it in memory and writes it once more at each cell. ``--one-process`` gives the cost of one
light run after the other in one process, as sweeps have it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIGHT = ["sum(range(1000))"] * 20
#: One 10 MB output, then nineteen light cells: what rewriting the whole notebook twice a cell costs.
HEAVY = ["print('x' * 10_000_000)", *LIGHT[1:]]
FLOOD = ["line = 'x' * 999\nfor _ in range(1_000_000):\n    print(line)"]
#: What a light run of science does: its imports, and little more.
SCIENCE = ["import numpy, pandas, xarray, sklearn, matplotlib", *LIGHT[:5]]
KILLED = ["1", "import os\nos.kill(os.getpid(), 9)", "2"]


def write(path: Path, sources: list[str]) -> None:
    """Write a notebook of code cells, the first of them the parameters cell."""
    cells = [
        {"source": "n: int = 1", "metadata": {"tags": ["parameters"]}},
        *({"source": s, "metadata": {}} for s in sources),
    ]
    base: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    whole = [{**base, **cell, "id": f"c{i}"} for i, cell in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(
        json.dumps({"cells": whole, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
    )


def ours(notebook: Path, folder: Path) -> list[str]:
    """Return our command for one run."""
    return [str(Path(sys.executable).with_name("genai4eu")), "run", str(notebook), "--json"]


def stock(notebook: Path, folder: Path) -> list[str]:
    """Return stock papermill's command for the same."""
    out = folder / f"out-{time.monotonic_ns()}.ipynb"
    return [sys.executable, "-P", "-m", "papermill", "--no-progress-bar", "-k", "python3", str(notebook), str(out)]


def measure(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command to its end; return seconds and megabytes written by it and its kernel."""
    environment = {**os.environ, "GENAI4EU_RUNS": str(folder / "runs")}
    begun = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    written = 0
    while process.poll() is None:
        written = max(written, _written(process.pid))
        time.sleep(0.02)
    return {"seconds": time.monotonic() - begun, "written_mb": written / 1e6}


def _written(pid: int) -> int:
    """Return the bytes that a process has written to files so far; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


def compare(notebook: Path, folder: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Measure both tools in turn and return the medians."""
    tools: dict[str, Callable[[Path, Path], list[str]]] = {"genai4eu": ours, "papermill": stock}
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in tools}
    for _ in range(repeats):
        for name, tool in tools.items():
            seen[name].append(measure(tool(notebook, folder), folder))
    return {n: {k: statistics.median(m[k] for m in ms) for k in ms[0]} for n, ms in seen.items()}


def flood(folder: Path) -> dict[str, Any]:
    """Let a cell print a gigabyte; return seconds, megabytes of memory and of the record, and how it ended."""
    import psutil

    write(folder / "flood.ipynb", FLOOD)
    environment = {**os.environ, "GENAI4EU_RUNS": str(folder / "flood"), "GENAI4EU_WARM": "off"}
    begun, most = time.monotonic(), {"runner": 0, "kernel": 0}
    process = subprocess.Popen(ours(folder / "flood.ipynb", folder), cwd=folder, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    runner = psutil.Process(process.pid)
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            most["runner"] = max(most["runner"], runner.memory_info().rss)
            most["kernel"] = max([most["kernel"], *(k.memory_info().rss for k in runner.children(recursive=True))])
        time.sleep(0.05)
    seconds = time.monotonic() - begun
    assert process.stdout is not None
    status = json.loads(process.stdout.read())["status"]
    kept = sum(p.stat().st_size for p in (folder / "flood").rglob("*") if p.is_file())
    memory = {f"{name}_mb": size / 1e6 for name, size in most.items()}
    return {"status": status, "seconds": seconds, **memory, "record_mb": kept / 1e6}


def one_process(folder: Path, repeats: int) -> dict[str, float]:
    """Run a light notebook again and again in this process, on warm kernels; return the medians."""
    import genai4eu
    from genai4eu.kernels.warm import client

    client.ensure(wait=True)
    write(folder / "science.ipynb", SCIENCE)
    os.environ["GENAI4EU_RUNS"] = str(folder / "runs")
    seen = []
    for _ in range(repeats + 2):
        begun, spent = time.monotonic(), time.process_time()
        record = genai4eu.run(folder / "science.ipynb", listener=lambda event, data: None)
        seen.append((time.monotonic() - begun, time.process_time() - spent))
        assert record.info["status"] == "completed", record.info["error"]
    return {
        "seconds": statistics.median(s for s, _ in seen[2:]),
        "own_cpu_seconds": statistics.median(c for _, c in seen[2:]),
    }


def truth(folder: Path) -> dict[str, str]:
    """Return what each tool's result says of a run whose kernel was killed."""
    notebook = folder / "killed.ipynb"
    write(notebook, KILLED)
    shown = subprocess.run(ours(notebook, folder), cwd=folder, capture_output=True, text=True, check=False,
                           env={**os.environ, "GENAI4EU_RUNS": str(folder / "runs")})  # fmt: skip
    out = folder / "killed-out.ipynb"
    subprocess.run([*stock(notebook, folder)[:-1], str(out)], cwd=folder, capture_output=True, check=False)
    cells = json.loads(out.read_text())["cells"]
    return {
        "genai4eu": json.loads(shown.stdout)["status"],
        "papermill": ", ".join(c["metadata"]["papermill"]["status"] for c in cells),
    }


def main() -> None:
    """Measure, then print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each tool (default 5)")
    parser.add_argument("--flood", action="store_true", help="only: a cell of ours prints a gigabyte")
    parser.add_argument("--one-process", action="store_true", help="only: light runs one after the other in a process")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.flood or options.one_process:
        with tempfile.TemporaryDirectory(prefix="genai4eu-bench-") as name:
            found = flood(Path(name)) if options.flood else one_process(Path(name), options.repeats)
        print(
            json.dumps(found, indent=2) if options.json else "\n".join(f"{k:<16} {_shown(v)}" for k, v in found.items())
        )
        return
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="genai4eu-bench-") as name:
        folder = Path(name)
        for case, sources in {"light": LIGHT, "heavy": HEAVY}.items():
            print(f"measuring {case} …", file=sys.stderr)
            write(folder / f"{case}.ipynb", sources)
            results[case] = compare(folder / f"{case}.ipynb", folder, options.repeats)
        results["killed kernel"] = truth(folder)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for case in ("light", "heavy"):
        show(case, results[case]["genai4eu"], results[case]["papermill"])
    said = results["killed kernel"]
    print(f"killed kernel: ours says {said['genai4eu']}; papermill says {said['papermill']}")


def _shown(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def show(case: str, us: dict[str, float], them: dict[str, float]) -> None:
    """Print one case with the ratios of ours to stock."""
    print(f"{case}: 20 cells" + (", one output of 10 MB" if case == "heavy" else ""))
    for key, unit in {"seconds": "s", "written_mb": "MB"}.items():
        figures = f"ours {us[key]:8.2f} {unit:<2}  papermill {them[key]:8.2f} {unit:<2}"
        print(f"  {key:<11} {figures}  ratio {us[key] / them[key]:.2f}")


if __name__ == "__main__":
    main()
