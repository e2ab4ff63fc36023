"""A course's room beside a stock JupyterHub with ordinary kernels, in one run: twenty come in the same second.

    python -P tests/benchmarks/courses.py [COURSE] [--participants 20] [--lesson 1] [--json]

Both are driven in the same way by the same browsers without a screen, which send what Chromium was recorded to send,
from the login page to the first executed cell; then all execute the lesson with its solutions at once. Without COURSE
it is the one that ``genai4eu course new`` makes. Nothing else should run meanwhile; as root, seats are users.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from genai4eu.courses.course import Course
from genai4eu.courses.rehearsal.participant import STAGES
from genai4eu.courses.rehearsal.rehearse import Plan, rehearse
from genai4eu.courses.skeleton import make

_TOTAL = "code to first cell"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("course", nargs="?", type=Path)
    parser.add_argument("--participants", type=int, default=20)
    parser.add_argument("--lesson", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genai4eu-bench-", dir=_place(given.course)) as folder:
        Path(folder).chmod(0o711)
        course = Course(given.course or make(Path(folder) / "course", ("en",)))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        plan = Plan(course, given.participants, Path(folder), given.lesson, port=port, stock=True)
        report = rehearse(plan, lambda what: print(f"… {what}", file=sys.stderr))
    if given.json:
        print(json.dumps(report.data(), indent=2))
        return
    if "stock" not in report.figures:
        raise SystemExit("\n".join(report.lines()))
    print("\n".join([*_table(report.figures), "", *report.lines()]))


def _place(course: Path | None) -> Path | None:
    return course.absolute().parent if course and os.access(course.absolute().parent, os.W_OK) else None


def _table(figures: dict[str, Any]) -> list[str]:
    """Return both sides beside each other, and how many times as much stock takes."""
    room, stock = figures["room"], figures["stock"]
    lines = [f"{'':34}{'room':>10}{'stock':>10}{'stock/room':>12}"]
    for name in (*STAGES, _TOTAL):
        for which in ("p50", "max") if name != _TOTAL else ("p50", "p95", "max"):
            pair = [side["seconds"][name].get(which, float("nan")) for side in (room, stock)]
            lines.append(_line(f"{name}, {which} [s]", *pair))
    many = len(room["participants"])
    memory = [side["memory"]["processes"] / many / 1e6 for side in (room, stock)]
    lines.append(_line("memory a participant [MB]", *memory))
    for kind in room["memory"]["each"]:
        pair = [side["memory"]["each"].get(kind, {}).get("own", float("nan")) / 1e6 for side in (room, stock)]
        lines.append(_line(f"of it {kind}, their own [MB]", *pair))
    lines.append(_line("computer's difference [MB]", *(s["memory"]["computer"] / 1e6 for s in (room, stock))))
    lines.append(_line("received a participant [MB]", *(s["received"] / 1e6 for s in (room, stock))))
    lines.append(_line("lesson at once, all [s]", *(s["lesson"]["together"] for s in (room, stock))))
    for name in ("came", "without failure"):
        pair = [side.get(name, side["lesson"].get(name)) for side in (room, stock)]
        lines.append(f"{name:34}{pair[0]:>10}{pair[1]:>10}")
    return lines


def _line(name: str, room: float, stock: float) -> str:
    ratio = f"{stock / room:>12.2f}" if room else ""
    return f"{name:34}{room:>10.2f}{stock:>10.2f}{ratio}"


if __name__ == "__main__":
    main()
