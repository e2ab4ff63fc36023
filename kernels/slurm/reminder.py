"""How long a job still has, how long it may wait, and when to say so. Used by ``relay``.

Times are by the clock of the node, which the agent tells: the login node's may be off.
"""

from __future__ import annotations

import time

from .queued import Job

#: Seconds before the end at which the user is told; in a job too short for either, when half of it is over.
WARNINGS = (600, 120)
#: Seconds in the queue after which news of it need not be fresh.
LONG = 120.0
_WAITS = {
    "Priority": "others come first",
    "Resources": "no node is free yet",
    "Dependency": "it waits for another job",
    "QOSMaxJobsPerUserLimit": "your limit of jobs at once",
    "AssocGrpCPUMinutesLimit": "your project's hours are used up",
    "ReqNodeNotAvail": "the nodes are reserved or down",
}


class Reminder:
    """Keeps the node's clock and which warnings were given."""

    def __init__(self) -> None:
        self._offset: float | None = None
        self._given: set[float] = set()
        self._whole = 0  # the longest the job was ever to run
        self._since = time.monotonic()

    def clock(self, node: float) -> None:
        """Take the node's time. What came quickest is the most right."""
        offset = node - time.time()
        self._offset = offset if self._offset is None else max(self._offset, offset)

    def remaining(self, job: Job) -> float | None:
        """Return the seconds a running job has left, or ``None`` if nobody knows."""
        if job.end is None or job.state != "RUNNING":
            return None
        return max(0.0, job.end - time.time() - (self._offset or 0.0))

    def long_wait(self, ready: bool) -> bool:
        """Return whether the job has been in the queue for long."""
        return not ready and time.monotonic() - self._since > LONG

    def due(self, job: Job) -> str:
        """Return a warning if it is time for one, each once; the nearest, where time was cut short."""
        left = self.remaining(job)
        if left is None:
            return ""
        self._whole = max(self._whole, (job.end or 0) - (job.start or 0))
        told = {
            float(limit) for limit in WARNINGS if 1.5 * limit <= self._whole
        }  # else news to nobody in a job as short
        passed = {limit for limit in told or {self._whole / 2} if left <= limit} - self._given
        self._given |= passed
        if not passed:
            return ""
        return f"Slurm job {job.id} ends in {span(left)}, its time is up then: save what you need"

    def rows(self, number: str, job: Job | None, trouble: str) -> dict[str, str]:
        """Return what is shown in a waiting cell, or, once the job runs, in the one that waited."""
        if job is None:
            return {"job": number or "not submitted yet", **({"but": trouble} if trouble else {})}
        rows = {"job": job.id, "state": job.state.lower()}
        if job.state == "PENDING":
            if why := waits_for(job.reason):
                rows["reason"] = why
            if job.place:
                rows["place"] = f"{job.place} in partition {job.partition}"
            rows["start"] = (
                time.strftime("about %d %b %H:%M", time.localtime(job.start)) if job.start else "not known yet"
            )
        elif job.state == "RUNNING":
            rows["node"] = job.nodes
            left = self.remaining(job)
            rows["time left"] = span(left) if left is not None else "not known"
        return {**rows, **({"but": trouble} if trouble else {})}


def waits_for(reason: str) -> str:
    """Return why a job waits: Slurm's word, and what it means; nothing before Slurm has one."""
    if reason == "None":
        return ""
    return f"{reason}: {_WAITS[reason]}" if reason in _WAITS else reason


def span(seconds: float) -> str:
    """Return a time in words: ``1 h 5 min``, ``9 min``, ``45 s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes >= 5 else f"{minutes} min {rest} s" if minutes else f"{rest} s"
