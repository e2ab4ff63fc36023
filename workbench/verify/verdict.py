"""The verdict on a run: a file beside its record, which is sealed. Called by ``verify``, lists, views and dashboards.

``runs/<id>.verdicts/<date>-<target>.json``, one for every verification.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic

from ..runs.files import write_json

_WORDS = {"identical": "bit-identical", "equal": "equal", "different": "different"}


class Verdict(pydantic.BaseModel):
    """What a verification found.

    Attributes
    ----------
    run, seal : str
        The run, and the SHA-256 of its record's seal: the verdict is on that record and no other.
    by : str
        Id of the verifying run.
    outcome : str
        The worst of its outputs: ``identical``, ``equal`` or ``different``; ``failed`` where the run failed.
    where : str
        The computer, and the target where that was another one.
    environment : str
        ``lock file`` for one made from the record, ``target`` for the target's own.
    outputs : dict
        What was found of each output, as :class:`~.finding.Finding` says it.
    around : dict
        What was not the same around the two runs.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")

    run: str
    seal: str
    by: str
    outcome: str
    target: str
    where: str
    environment: str
    tolerance: str
    started: str
    error: str | None = None
    outputs: dict[str, dict[str, Any]] = {}
    around: dict[str, list[str]] = {}

    @property
    def verified(self) -> bool:
        """Whether the result was had again."""
        return self.outcome in ("identical", "equal")

    @property
    def exact(self) -> bool:
        """Whether no number differs at all; what was set aside may."""
        return self.verified and not any(about.get("max_abs") for about in self.outputs.values())

    def sentence(self) -> str:
        """Say it in one line."""
        when = self.started[:10]
        if self.outcome == "failed":
            return f"not verified on {when}: the verifying run {self.error or 'did not complete'}"
        same = "verified, every value the same" if self.exact else "verified within the tolerance"
        lead = {"identical": "verified, bit-identical", "equal": same}
        made = " in an environment made from its lock file" if self.environment == "lock file" else ""
        return f"{lead.get(self.outcome, 'not verified, different')} on {when} on {self.where}{made} ({self.counts()})"

    def counts(self) -> str:
        """Say how many outputs were found how."""
        counted = Counter(about["outcome"] for about in self.outputs.values())
        return ", ".join(f"{counted[o]} {word}" for o, word in _WORDS.items() if counted[o])


def folder(record: Path) -> Path:
    """Return where the verdicts on a record lie."""
    return record.with_name(f"{record.name}.verdicts")


def keep(record: Path, verdict: Verdict) -> Path:
    """Write a verdict, whole or not at all."""
    place = folder(record)
    place.mkdir(exist_ok=True)
    stamp = re.sub(r"[-:]", "", verdict.started[:19]).replace("T", "-")
    target = re.sub(r"[^A-Za-z0-9.-]+", "-", verdict.target)
    name, number = f"{stamp}-{target}", 1
    while (path := place / f"{name}{'' if number == 1 else f'-{number}'}.json").exists():
        number += 1
    write_json(path, verdict.model_dump())
    return path


def verdicts(record: Path) -> list[Verdict]:
    """Return the verdicts on a record, the latest first; what is no verdict, or on another record, is passed over."""
    found = []
    for path in sorted(folder(record).glob("*.json"), key=_when, reverse=True):
        try:
            verdict = Verdict.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
        if verdict.run == record.name:
            found.append(verdict)
    return found


def _when(path: Path) -> tuple[str, int]:
    """Return what sorts verdicts by time: their second, and those of one second as they were written."""
    return path.name[:15], path.stat().st_mtime_ns


def seal_of(record: Path) -> str | None:
    """Return the fingerprint of a record's seal; None where there is none."""
    from ..runs.record import CRATE
    from ..runs.seal import sha256

    return sha256(record / CRATE) if (record / CRATE).is_file() else None


def about(record: Path) -> list[dict[str, Any]]:
    """Return what lists and pages show of the verdicts on a record, as it is sealed now."""
    seal = seal_of(record)
    return [_shown(v) for v in verdicts(record) if v.seal == seal]


def _shown(verdict: Verdict) -> dict[str, Any]:
    kept = ("outcome", "started", "target", "where", "environment", "by", "tolerance")
    said: Mapping[str, Any] = verdict.model_dump(include=set(kept))
    return {**said, "verified": verdict.verified, "exact": verdict.exact, "sentence": verdict.sentence()}
