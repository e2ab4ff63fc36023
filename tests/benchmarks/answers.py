"""How long a dashboard's controls wait for the trained model: every setting of every control, in one run.

    python -P tests/benchmarks/answers.py [RUN ...] [--json]

Of each use case the latest completed run is taken (``GENAI4EU_RUNS``), or those named. The first answer of a fresh
process (networks are read, nothing is remembered) stands by itself; then each control goes through its settings, the
others standing where they begin. The goal is a second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from importlib import import_module
from typing import Any

from genai4eu.runs.record import Record
from genai4eu.runs.store import all_runs, find, runs_root
from genai4eu.usecases import generative
from genai4eu.widgets import Choice, Range, use_style

#: Folder of each use case's ``live``; agrifood's controls stand in a room of their own.
FOLDERS = {
    "health-imaging": "health_imaging", "materials": "materials", "climate": "climate_downscaling",
    "robotics": "robot_manipulation", "agrifood": "irrigation",
}  # fmt: skip
MOST = 12  # settings tried of a control: the ends, and what lies between


def settings(control: Choice | Range) -> list[Any]:
    """Return the values that are tried of a control."""
    if isinstance(control, Choice):
        return list(dict(control.options).values())
    step = control.step or (control.hi - control.lo) / 100
    every = [control.lo + i * step for i in range(round((control.hi - control.lo) / step) + 1)]
    thinned = every[:: max(1, len(every) // MOST)]
    return [*thinned, every[-1]] if thinned[-1] != every[-1] else thinned


def timed(record: Record, usecase: str) -> dict[str, Any]:
    """Return seconds of the first answer, and the median and worst of the others with the setting of the worst."""
    package = f"{generative.__package__.rpartition('.')[0]}.{FOLDERS[usecase]}"
    live = import_module(f"{package}.live")
    rooms = import_module(f"{package}.settings") if usecase == "agrifood" else live
    controls = rooms.controls(record.outputs, Choice, Range)
    usual = {name: control.widget().value for name, control in controls.items()}

    def answer(**changed: Any) -> float:
        began = time.perf_counter()
        live.respond(record.outputs, **{**usual, **changed})
        return time.perf_counter() - began

    first = answer()
    others = {(name, str(v)): answer(**{name: v}) for name, control in controls.items() for v in settings(control)}
    worst = max(others, key=lambda at: others[at])
    return {
        "usecase": usecase, "run": record.id, "settings": len(others), "first": first,
        "median": statistics.median(others.values()), "worst": others[worst], "at": " ".join(worst),
    }  # fmt: skip


def latest() -> dict[str, Record]:
    """Return the latest completed run of each use case."""
    found = {}
    for record in sorted(all_runs(), key=lambda r: r.id):
        if record.info.get("usecase") in FOLDERS and record.info["status"] == "completed":
            found[record.info["usecase"]] = record
    return found


def main() -> None:
    """Time the controls of each run and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN", help="a run's id (default: the latest of each use case)")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    options = parser.parse_args()
    chosen = {r.info["usecase"]: r for r in map(find, options.runs)} if options.runs else latest()
    if not chosen:
        raise SystemExit(f"no completed run of {', '.join(FOLDERS)} in {runs_root()}: genai4eu run NAME first")
    use_style()
    rows = [timed(record, usecase) for usecase, record in chosen.items()]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'use case':15} {'settings':>8} {'first [s]':>10} {'median [s]':>11} {'worst [s]':>10}  at")
    for row in rows:
        print("{usecase:15} {settings:8d} {first:10.2f} {median:11.2f} {worst:10.2f}  {at}".format(**row))


if __name__ == "__main__":
    main()
