"""Kill what runs depend on, at random points, many times, and count what is left.

Run it::

    .venv/bin/python -P tests/benchmarks/chaos.py [--rounds 100] [--seed 0] [--json]

Each round starts runs of a notebook of a few seconds on warm kernels, and one through a gateway, and kills, in turn, a
kernel, a runner, the template process of the warm kernels, or the gateway. What must be 0 is named so: records that
cannot be read, runs that claim to have completed without having done so, processes left over, runs of which the next
command says nothing. Everything lies in a folder of its own, the template process included.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from genai4eu.kernels.gateway import process
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.warm import client as warm
from genai4eu.kernels.warm.place import Place
from genai4eu.runs.record import Record

#: Seconds after which a process counts as left over: some notice only by their heartbeat that they are not wanted.
PATIENCE = 60.0
VICTIMS = ("kernel", "runner", "template", "gateway")
#: Cells of the notebook; the last leaves a file that tells whether it was reached.
CELLS = 8
GENAI4EU = str(Path(sys.executable).with_name("genai4eu"))


@dataclass
class Chaos:
    """The place where it happens, and what was seen."""

    folder: Path
    dice: random.Random
    seen: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    gateway: GatewayProcess | None = None
    port: int = 0

    @property
    def env(self) -> dict[str, str]:
        """Variables that keep everything in the folder."""
        own = {"GENAI4EU_RUNS": "runs", "GENAI4EU_SCRATCH": "scratch", "JUPYTER_DATA_DIR": "jupyter",
               "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config"}  # fmt: skip
        mark = {"GENAI4EU_WARM_OWNER": f"chaos-{self.folder.name}", "GENAI4EU_CHAOS": self.folder.name}
        return {**os.environ, **{k: str(self.folder / v) for k, v in own.items()}, **mark}

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run our command line."""
        return subprocess.run([GENAI4EU, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True,
                              check=False, timeout=300)  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start our command line, as a terminal would: in a session of its own."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        return subprocess.Popen([GENAI4EU, *arguments], cwd=self.folder, env=self.env, **quiet)  # type: ignore[call-overload, no-any-return]

    def mine(self) -> list[psutil.Process]:
        """Return all processes that descend from here, wherever they were adopted: by a variable they inherit."""
        found = []
        for one in psutil.process_iter():
            try:
                inherits = one.environ().get("GENAI4EU_CHAOS") == self.folder.name
                if inherits and one.status() != psutil.STATUS_ZOMBIE and one.pid != os.getpid():
                    found.append(one)
            except (psutil.Error, OSError):
                continue
        return found


def notebook(folder: Path) -> Path:
    """Write the notebook: each cell prints, shows and waits a little."""
    cell = "import time, genai4eu\nprint('x' * 5000)\ngenai4eu.current_run().metric('step', {i})\ntime.sleep(0.25)"
    last = "(genai4eu.current_run().outputs / 'last.txt').write_text('reached')"
    sources = [*(cell.format(i=i) for i in range(CELLS)), last]
    base: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    made = [{**base, "id": "p", "metadata": {"tags": ["parameters"]}, "source": "n: int = 1"}]
    made += [{**base, "id": f"c{i}", "metadata": {}, "source": s} for i, s in enumerate(sources)]
    path = folder / "chaos.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def raise_gateway(chaos: Chaos) -> None:
    """Start the gateway, after its end at the same address, and the first time connect to it."""
    first = chaos.gateway is None
    chaos.gateway = process.start(chaos.folder / "gateway", port=chaos.port, env=chaos.env)
    if first:
        chaos.port = int(chaos.gateway.url.rpartition(":")[2])
        token = str(chaos.gateway.token_file)
        done = chaos.call("connect", "chaos", "--url", chaos.gateway.url, "--token-file", token)
        if done.returncode:
            raise SystemExit(f"the gateway cannot be reached: {done.stderr}")


def places(chaos: Chaos) -> list[Place]:
    """Return where template processes may be: of runs here, and of the gateway, which has one for its user."""
    owners = [chaos.env, {**chaos.env, "GENAI4EU_WARM_OWNER": getpass.getuser()}]
    return [warm.place_for(sys.executable, env) for env in owners]


def templates(chaos: Chaos) -> list[psutil.Process]:
    """Return the template processes that serve."""
    found = [warm.ask(place, "status") for place in places(chaos)]
    return [psutil.Process(about["pid"]) for about in found if about]


def kernels(chaos: Chaos) -> list[psutil.Process]:
    """Return the kernels that records name and that are still there."""
    found = []
    for path in (chaos.folder / "runs").glob("*/environment.json"):
        try:
            one = psutil.Process(json.loads(path.read_text())["pid"])
            if one.create_time() <= path.stat().st_mtime:  # else another process has the number meanwhile
                found.append(one)
        except (psutil.NoSuchProcess, ValueError, OSError):
            continue
    return [k for k in found if k in chaos.mine()]


def kill(chaos: Chaos, victim: str, runner: psutil.Process) -> bool:
    """Kill the victim; tell whether there was one."""
    target: psutil.Process | None = None
    if victim == "runner":
        target = runner
    elif victim == "template":
        target = next(iter(templates(chaos)), None)
    elif victim == "gateway" and chaos.gateway:
        target = psutil.Process(chaos.gateway.process.pid)
    elif victim == "kernel":
        target = next(iter(kernels(chaos)), None)
    try:
        if target is None:
            return False
        target.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return False
    return True


def wait(chaos: Chaos, victim: str, runner: subprocess.Popen[bytes]) -> None:
    """Wait for the moment: at any time from the start, or, for a kernel always, from when the kernel has begun."""
    if victim != "kernel" and chaos.dice.random() < 0.4:
        time.sleep(chaos.dice.uniform(0.3, 5.0))
        return
    runs, before = chaos.folder / "runs", set(chaos.seen)
    while runner.poll() is None and not [p for p in runs.glob("*/environment.json") if p.parent.name not in before]:
        time.sleep(0.05)
    time.sleep(chaos.dice.uniform(0.0, 2.5))


def round_of(chaos: Chaos, victim: str) -> None:
    """Start a run, kill the victim at some moment, and look at what is left."""
    path = str(chaos.folder / "chaos.ipynb")
    runner = chaos.start("run", path, *(["--on", "chaos-genai4eu"] if victim == "gateway" else []))
    wait(chaos, victim, runner)
    killed = kill(chaos, victim, psutil.Process(runner.pid))
    chaos.seen[f"{victim}: {'killed' if killed else 'was not there'}"] += 1
    if victim == "gateway" and killed and chaos.gateway:
        chaos.gateway.process.wait()
        raise_gateway(chaos)
    try:
        runner.wait(180)
    except subprocess.TimeoutExpired:
        chaos.faults.append(f"{victim}: the runner hangs")
        runner.kill()
    look(chaos, victim)


def look(chaos: Chaos, victim: str) -> None:
    """Let the next command tell what happened, and hold it to what is there."""
    done = chaos.call("runs", "list", "--json")
    if done.returncode:
        chaos.faults.append(f"{victim}: runs list says {done.stderr.strip()}")
        return
    for about in json.loads(done.stdout):
        record = Record(chaos.folder / "runs" / about["id"])
        if about["id"] in chaos.seen:
            continue
        chaos.seen[about["id"]] = 1
        chaos.seen[f"{victim}: {about['status']}"] += 1
        chaos.faults += [f"{victim}: {about['id']} {fault}" for fault in faults_of(record, about)]
    deadline = time.monotonic() + PATIENCE
    while (left := kernels(chaos)) and time.monotonic() < deadline:
        time.sleep(0.2)
    chaos.faults += [f"{victim}: kernel {k.pid} is left over" for k in left]


def faults_of(record: Record, about: dict[str, Any]) -> list[str]:
    """Say what is wrong with a record of a run that is over."""
    found = []
    if about["status"] in ("damaged", "running", "pending"):
        found.append(f"is {about['status']}")
    if about["status"] == "completed" and not (record.outputs / "last.txt").is_file():
        found.append("claims to have completed")
    if about["status"] != "completed" and not about["error"]:
        found.append("does not say why it ended")
    if not record.sealed:
        found.append("is not sealed")
    try:
        json.loads((record.folder / "input.ipynb").read_text())
        if record.notebook_path.exists():
            json.loads(record.notebook_path.read_text())
    except (ValueError, OSError) as error:
        found.append(f"cannot be read: {error}")
    return found


def end(chaos: Chaos) -> None:
    """End template and gateway; whatever is there afterwards is left over."""
    for held in filter(None, (place.holder() for place in places(chaos))):  # also one that is still importing
        signal.pidfd_send_signal(held, signal.SIGTERM)
        os.close(held)
    if chaos.gateway:
        chaos.gateway.stop()
    deadline = time.monotonic() + PATIENCE
    while (left := chaos.mine()) and time.monotonic() < deadline:
        time.sleep(0.5)
    for one in left:
        chaos.faults.append(f"left over at the end: {one.pid} {' '.join(one.cmdline())[:120]}")
        one.kill()


def main() -> None:
    """Do the rounds, then print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="kills in all (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genai4eu-chaos-", ignore_cleanup_errors=True) as name:
        chaos = Chaos(Path(name), random.Random(options.seed))
        notebook(chaos.folder)
        began = time.monotonic()
        try:
            raise_gateway(chaos)
            for number in range(options.rounds):
                round_of(chaos, VICTIMS[number % len(VICTIMS)])
                print(f"\r{number + 1}/{options.rounds}, faults: {len(chaos.faults)} ", end="", file=sys.stderr)
        finally:
            end(chaos)
        seen = {k: n for k, n in sorted(chaos.seen.items()) if ": " in k}
        result = {"rounds": options.rounds, "seconds": round(time.monotonic() - began), **seen, "faults": chaos.faults}
    print(file=sys.stderr)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for key, value in result.items():
        print(f"{key:<28}{len(value) if isinstance(value, list) else value}")
    for fault in chaos.faults:
        print(f"  {fault}")


if __name__ == "__main__":
    main()
