"""A sweep beside stock papermill called by xargs: runs of a light notebook that imports the science stack, in one go.

Run it::

    .venv/bin/python -P tests/benchmarks/sweep.py [--runs 40] [--jobs 2] [--rounds 2] [--json]

Both sides run the same notebook, which asks for ``python3``, so many times, two at a time, in turns. Measured: wall
time of the whole command, the sweep's own start and its summary included; CPU time of its workers (what the workbench
itself costs) and of the kernels. The template of the warm kernels is started before, and its cold start printed apart.
Where Slurm is installed: a job array of as many tasks, on a Slurm of this computer with as many slots, beside the
ideal: all tasks' own times by Slurm's account, shared among the slots without a gap. A task is a whole process: it
imports the workbench and starts an ordinary kernel, in its own time; ``genai4eu sweep --per-task`` spares light runs
that.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from genai4eu.kernels import local
from genai4eu.kernels.warm import client

CELLS = [
    "import torch, sklearn.ensemble, xarray, matplotlib.pyplot, ipywidgets, pandas\nimport numpy as np",
    "rng = np.random.default_rng(seed)\nx = rng.normal(size=200)\ny = rate * x + rng.normal(size=200)",
    "frame = pandas.DataFrame({'x': x, 'y': y})\nframe.describe()",
    "slope = float(np.polyfit(x, y, 1)[0])\nprint(slope)",
    "float(((y - slope * x) ** 2).mean())",
]
TICK = os.sysconf("SC_CLK_TCK")


def write(path: Path, sources: list[str] = CELLS) -> None:
    """Write the light notebook; stock papermill reads it as we do."""
    base: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    declared = {"source": "seed: int = 0  # seed\nrate: float = 0.5  # rate", "metadata": {"tags": ["parameters"]}}
    cells = [declared, *({"source": s, "metadata": {}} for s in sources)]
    whole = [{**base, **cell, "id": f"c{i}"} for i, cell in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    about = {"metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps({"cells": whole, **about}))


class Watch:
    """CPU seconds of a sweep's workers and of the kernels that the template forked, read while they live."""

    def __init__(self, runs: Path, template: int) -> None:
        self._runs, self._template = str(runs), template
        self._workers: dict[int, float] = {}
        self._kernels = self._reaped()

    def look(self) -> None:
        """Note what every worker, and the process that forks them, has used so far."""
        for process in psutil.process_iter():
            try:
                mine = "genai4eu.sweeps.nursery" in process.cmdline()
                if mine and process.environ().get("GENAI4EU_RUNS") == self._runs:
                    times = process.cpu_times()
                    self._workers[process.pid] = times.user + times.system
            except psutil.Error:  # it has just ended
                continue

    def _reaped(self) -> float:
        fields = Path(f"/proc/{self._template}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICK  # its own time and that of the children it has waited for

    def told(self) -> dict[str, float]:
        """Return both, in seconds."""
        return {"workers": sum(self._workers.values()), "kernels": self._reaped() - self._kernels}


def ours(notebook: Path, options: argparse.Namespace) -> dict[str, float]:
    """Sweep; return the seconds of the whole command and of CPU."""
    with tempfile.TemporaryDirectory() as runs:
        program = str(Path(sys.executable).with_name("genai4eu"))
        command = [program, "sweep", str(notebook), "-p", f"seed=0..{options.runs - 1}", "--jobs", str(options.jobs)]
        watch = Watch(Path(runs), client.status()[0]["pid"])
        before, began = _children(), time.monotonic()
        process = subprocess.Popen(
            command,
            env={**os.environ, "GENAI4EU_RUNS": runs},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while True:
            try:
                out, err = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                watch.look()
        seconds = time.monotonic() - began
        assert process.returncode == 0, err
        assert f"{options.runs} completed" in out, out
        return {"seconds": seconds, **watch.told(), "cpu": _children() - before}


def stock(notebook: Path, options: argparse.Namespace) -> dict[str, float]:
    """Let xargs call papermill; return the seconds of the whole and of CPU."""
    with tempfile.TemporaryDirectory() as out:
        papermill = [sys.executable, "-P", "-m", "papermill", "--no-progress-bar", "-p", "seed", "{}", str(notebook)]
        command = ["xargs", "-P", str(options.jobs), "-I{}", *papermill, f"{out}/{{}}.ipynb"]
        before, began = _children(), time.monotonic()
        numbers = "\n".join(map(str, range(options.stock_runs or options.runs)))
        subprocess.run(command, input=numbers, text=True, check=True, capture_output=True)
        assert len(list(Path(out).iterdir())) == (options.stock_runs or options.runs)
        return {"seconds": time.monotonic() - began, "cpu": _children() - before}


def array(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Sweep on a Slurm of this computer; return the seconds of the array, of the command, and of the ideal."""
    from genai4eu.kernels.slurm import batch
    from genai4eu.kernels.slurm.options import Options
    from genai4eu.kernels.slurm.targets import add

    notebook = folder / "sleeps.ipynb"
    write(notebook, [f"import time\ntime.sleep({options.sleep})"])
    where = Path(__file__).parents[1] / "slurm" / "cluster.py"
    spec = importlib.util.spec_from_file_location("cluster", where)
    assert spec and spec.loader
    slurm = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(slurm)
    with tempfile.TemporaryDirectory(prefix="slurm-") as place, slurm.running(Path(place)) as cluster:
        os.environ["SLURM_CONF"] = str(cluster.conf)
        add("bench", Options(partition="cpu", time="60", cpus=1), check=False)
        program = str(Path(sys.executable).with_name("genai4eu"))
        command = [program, "sweep", str(notebook), "-p", f"seed=0..{options.runs - 1}", "--on", "bench"]
        began = time.monotonic()
        done = subprocess.run(
            [*command, "--jobs", str(options.jobs)], check=False, capture_output=True, text=True,
            env={**os.environ, "GENAI4EU_RUNS": str(folder / "runs")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        seconds = time.monotonic() - began
        while not all(job.over for job in batch.look().values()):
            time.sleep(0.5)
        tasks = [job for job in batch.look().values() if "_" in job.id]
        assert len(tasks) == options.runs, tasks
        own = [(job.end or 0) - (job.start or 0) for job in tasks]
        span = max(job.end or 0 for job in tasks) - min(job.submitted or 0 for job in tasks)
    return {"array": span, "command": seconds, "task": statistics.mean(own), "ideal": sum(own) / options.jobs}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cold() -> float:
    """Start the template; return the seconds until it serves."""
    began = time.monotonic()
    client.ensure(wait=True)
    return time.monotonic() - began


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure both sides in turns."""
    notebook = folder / "light.ipynb"
    write(notebook)
    result: dict[str, Any] = {
        "runs": options.runs,
        "stock runs": options.stock_runs or options.runs,
        "jobs": options.jobs,
        "cold start": cold(),
        "ours": [],
        "stock": [],
    }
    for _ in range(options.rounds):
        result["ours"].append(ours(notebook, options))
        if not options.ours:
            result["stock"].append(stock(notebook, options))
    if shutil.which("sbatch") and not options.local:
        result["slurm"] = array(folder, options)
    return result


def show(result: dict[str, Any]) -> None:
    """Print the figures and their ratio."""
    runs, last = result["runs"], len(os.sched_getaffinity(0))
    stock_runs = result["stock runs"]
    print(f"{runs} runs, {result['jobs']} at a time, {last} processors, {len(result['ours'])} rounds in turns: medians")
    print(f"cold start of the template, not counted below: {result['cold start']:.1f} s")
    median = {
        side: {k: statistics.median(m[k] for m in result[side]) for k in result[side][0]}
        for side in ("ours", "stock")
        if result[side]
    }
    us = median["ours"]
    rest = us["cpu"]
    print(f"genai4eu sweep    {us['seconds']:7.1f} s  {us['seconds'] / runs:6.3f} s a run")
    print(
        f"  CPU a run: workers {1000 * us['workers'] / runs:.0f} ms (their start included), kernels and template "
        f"{1000 * us['kernels'] / runs:.0f} ms; the command itself and its summary {rest:.1f} s in all"
    )
    if "stock" in median:
        them = median["stock"]
        each = them["seconds"] / stock_runs
        print(f"papermill, xargs  {them['seconds']:7.1f} s  {each:6.3f} s a run ({stock_runs} runs)")
        print(f"  CPU a run: {1000 * them['cpu'] / stock_runs:.0f} ms")
        print(f"throughput: {each / us['seconds'] * runs:.1f} times papermill's")
    if slurm := result.get("slurm"):
        ideal, jobs = slurm["ideal"], result["jobs"]
        print(
            f"Slurm, an array of {runs} tasks of {slurm['task']:.1f} s, {jobs} at a time: {slurm['array']:.0f} s, "
            f"{slurm['array'] / ideal:.2f} times the ideal of {ideal:.0f} s; "
            f"the whole command {slurm['command']:.0f} s, {slurm['command'] / ideal:.2f} times"
        )


def main() -> None:
    """Measure, then print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--stock-runs", type=int, help="runs of papermill, where that many would take too long")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ours", action="store_true", help="leave papermill out")
    parser.add_argument("--local", action="store_true", help="leave Slurm out")
    parser.add_argument("--sleep", type=float, default=1.0, help="seconds that a task of the array sleeps")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genai4eu-bench-") as folder:
        result = measure(Path(folder), options)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ |= dict.fromkeys(("XDG_RUNTIME_DIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"), home)
        os.environ.pop("GENAI4EU_WARM", None)
        local.ensure()
        try:
            main()
        finally:
            client.stop()
