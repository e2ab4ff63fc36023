"""Whether a course can be held on this computer: what was measured, against which limits, what would help.

Called by the rehearsal; arithmetic and words, nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .crowd import Outcome, spread, stages
from .memory import Measured, Memory
from .places import GO, REMARK, STOP, Finding
from .recording import own_seconds

_MB, _GB = 1e6, 1e9


@dataclass(frozen=True)
class Limits:
    """What has to hold.

    Attributes
    ----------
    seconds : float
        From the code to the first executed cell, for the last participant.
    left : float
        Part of the computer's memory that has to be left at the end.
    network : float
        Bits a second of a classroom's network, to say what the pages take there.
    """

    seconds: float = 60.0
    left: float = 0.1
    network: float = 100e6


@dataclass
class Report:
    """What a rehearsal found.

    Attributes
    ----------
    course, lesson : str
        Its name, and the file of the lesson.
    findings : list of Finding
        What was looked at, in the order of the course.
    figures : dict
        What was measured: seconds and bytes.
    """

    course: str
    lesson: str
    participants: int
    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def go(self) -> bool:
        """Whether the course can be held."""
        return all(finding.verdict != STOP for finding in self.findings)

    def data(self) -> dict[str, Any]:
        """Return all of it as JSON takes it."""
        verdict = GO if self.go else STOP
        return {"verdict": verdict, **asdict(self)}

    def lines(self) -> Iterator[str]:
        """Yield it in words."""
        marks = {GO: "✓", REMARK: "·", STOP: "✗"}
        for finding in self.findings:
            yield f"{marks[finding.verdict]} {finding.name}: {finding.sentence}"
            if finding.remedy and finding.verdict != GO:
                yield f"    → {finding.remedy}"
        yield ""
        many = f"{self.participants} participant{'s' * (self.participants != 1)}"
        stops = [finding.name for finding in self.findings if finding.verdict == STOP]
        if self.go:
            yield f"GO: {self.course} can be held here with {many}"
        else:
            yield f"NO-GO: {self.course} cannot be held here with {many} as things stand: {', '.join(stops)}"


def arrival(outcome: Outcome, limits: Limits) -> Finding:
    """Judge how participants came in."""
    many, there = len(outcome.came), [came for came in outcome.came if not came.fault]
    faults = [f"{came.seat}: {came.fault}" for came in outcome.came if came.fault]
    if faults:
        told = f"{len(faults)} of {many} did not come in ({'; '.join(faults[:3])})"
        return Finding("coming in", STOP, told, "see the message; with fewer seats more may come in")
    seconds = spread([came.seconds for came in there])
    told = (
        f"from the code to the first executed cell {seconds['p50']:.1f} s in the middle, {seconds['p95']:.1f} s for 95 "
        f"of 100, {seconds['max']:.1f} s for the last of {many}; the limit is {limits.seconds:.0f} s"
    )
    if seconds["max"] <= limits.seconds:
        return Finding("coming in", GO, told)
    fit = int(many * limits.seconds / seconds["max"])
    return Finding(
        "coming in", STOP, told,
        f"let about {fit} come at a time, hold the course with {fit} seats, or take a computer with more processors",
    )  # fmt: skip


def memory(after: Memory, participants: int, total: int, limits: Limits) -> Finding:
    """Judge the memory that is left.

    Parameters
    ----------
    after : Memory
        At the end.
    total : int
        Bytes that the computer has.
    """
    each = after.whole / participants
    must = total * limits.left
    told = (
        f"{each / _MB:.0f} MB a participant, with what all share; {after.available / _GB:.1f} of {total / _GB:.1f} GB "
        "are left, "
        f"{must / _GB:.1f} have to be"
    )
    if after.available >= must:
        return Finding("memory", GO, told)
    fit = max(0, int((after.available + after.whole - must) / each)) if each else 0
    return Finding("memory", STOP, told, f"have {fit} seats at most, close other programs, or take more memory")


def lesson(outcome: Outcome, file: str, minutes: int) -> Finding:
    """Judge how all worked through a lesson at once."""
    name, many = "the lesson", len(outcome.worked)
    faults = [f"{worked.seat}, {fault}" for worked in outcome.worked for fault in worked.faults]
    failed = sum(bool(worked.faults) for worked in outcome.worked)
    if failed:
        told = f"{failed} of {many} met a failure in {file} ({'; '.join(faults[:3])})"
        return Finding(name, STOP, told, "'genai4eu course check' tells whether it works alone; then have fewer seats")
    slowest = max((worked.slowest for worked in outcome.worked), default=0.0)
    told = (
        f"all {many} executed {file} at once without a failure in {outcome.together:.0f} s; the slowest cell took "
        f"{slowest:.1f} s; the lesson has {minutes} min"
    )
    if outcome.together <= minutes * 60:
        return Finding(name, GO, told)
    return Finding(name, STOP, told, "make its data smaller, give it more minutes, or have fewer seats")


def browsers(outcome: Outcome, asked: int, absent: str) -> Iterator[Finding]:
    """Say how those with a real browser came in, where some were asked for."""
    if asked and absent:
        yield Finding("browsers", REMARK, f"no real browser was among them: {absent}")
    elif asked and (faults := [visit.fault for visit in outcome.visits if visit.fault]):
        yield Finding("browsers", STOP, f"{len(faults)} of {asked} real browsers did not come in ({faults[0]})")
    elif asked:
        seconds = spread([visit.seconds for visit in outcome.visits])
        told = f"{asked} real Chromium among them, on this computer too, took {seconds['max']:.1f} s at most"
        yield Finding("browsers", GO, told)


def ratios(stock: dict[str, Any], room: dict[str, Any]) -> dict[str, float]:
    """Return how many times as much a stock JupyterHub took as the room, of seconds and of memory."""
    pairs = {
        f"{which} seconds": (side["seconds"]["code to first cell"].get(which) for side in (stock, room))
        for which in ("p50", "p95", "max")
    }
    pairs["memory"] = (side["memory"]["processes"] for side in (stock, room))
    return {name: round(theirs / ours, 2) for name, (theirs, ours) in pairs.items() if theirs and ours}


def network(outcome: Outcome, limits: Limits) -> Finding:
    """Say what the pages take in a classroom's network: no limit of this computer's, yet often the slowest part."""
    there = [came for came in outcome.came if not came.fault]
    received = sum(came.received for came in there)
    seconds = received * 8 / limits.network
    told = (
        f"{received / max(1, len(there)) / _MB:.1f} MB a participant in {_middle(there)} requests; {seconds:.0f} s for "
        f"all at {limits.network / 1e6:.0f} Mbit/s; the browser itself is busy for about {own_seconds():.1f} s more"
    )
    if seconds <= limits.seconds / 2:
        return Finding("network", GO, told)
    return Finding("network", REMARK, told, "use cables, or let a few come at a time")


def _middle(there: Sequence[Any]) -> int:
    return int(spread([came.requests for came in there]).get("p50", 0))


def figures(outcome: Outcome, seen: Measured) -> dict[str, Any]:
    """Return what was measured of one side, as data."""
    many, before, after = max(1, len(outcome.came)), seen.before, seen.after
    there = [came for came in outcome.came if not came.fault]
    return {
        "came": len(there),
        "seconds": stages(outcome.came),
        "participants": [{**asdict(came), "seconds": round(came.seconds, 3)} for came in outcome.came],
        "received": sum(came.received for came in there) // max(1, len(there)),
        "requests": _middle(there),
        "lesson": {
            "without failure": sum(not worked.faults for worked in outcome.worked),
            "seconds": spread([worked.seconds for worked in outcome.worked]),
            "together": round(outcome.together, 3),
            "faults": [f"{worked.seat}, {fault}" for worked in outcome.worked for fault in worked.faults],
        },
        "memory": {
            "processes": after.whole,
            "each": {
                kind: {"own": after.own[kind] // many, "shared": after.shared.get(kind, 0) // many}
                for kind in after.own
            },
            "rest": after.rest,
            "computer": before.available - after.available,
            "computer each": (before.available - after.available) // many,
        },
        "processor seconds": seen.busy,
        "browsers' processor seconds": round(outcome.own, 2),
    }
