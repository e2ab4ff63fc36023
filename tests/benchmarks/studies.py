"""What the sectors' goals have in common: seeds, the records that are there already, runs for those missing, intervals.

Imported by the scripts in ``sectors/``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
from scipy import stats

import genai4eu
from genai4eu import catalogue
from genai4eu.runs.record import Record
from genai4eu.runs.store import all_runs


def seeds(text: str) -> list[int]:
    """Return the seeds of ``0-4``, ``0,2,5`` or ``0-2,7``."""
    ends = [part.partition("-") for part in text.split(",")]
    return [n for first, _, last in ends for n in range(int(first), int(last or first) + 1)]


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of all studies: profile and seeds."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="default", help="sizes (default: default)")
    parser.add_argument("--seeds", type=seeds, default=seeds("0-4"), help="such as 0-4 or 0,2 (default: 0-4)")
    return parser


def completed(template: str, plain: Sequence[str], profile: str, seeds: Sequence[int]) -> list[Record]:
    """Return a completed record for each seed, running what is not there.

    Parameters
    ----------
    template : str
        Name of the template.
    plain : sequence of str
        Parameters that must have been left alone for a record to count.
    """
    found = []
    for seed in seeds:
        record = recorded(template, plain, profile, seed) or genai4eu.run(template, profile=profile, seed=seed)
        if record.info["status"] != "completed":
            sys.exit(f"run {record.id}: {record.info['error']}")
        print(f"seed {seed}: {record.id}, {record.info['duration']:.0f} s", file=sys.stderr)
        found.append(record)
    return found


def recorded(template: str, plain: Sequence[str], profile: str, seed: int) -> Record | None:
    """Return a completed record of this study by the use case's present version, if there is one."""
    version = catalogue.usecase(template).version
    for record in all_runs():
        info, values = record.info, record.parameters
        same = (info["template"], info["status"], info["usecase_version"]) == (template, "completed", version)
        if same and all(values[n] is None for n in plain) and (values["profile"], values["seed"]) == (profile, seed):
            return record
    return None


def interval(values: Sequence[float], digits: int = 2, scale: float = 1.0) -> str:
    """Return the mean and half of Student's 95 % interval over seeds; of one value, itself."""
    some = scale * np.asarray(values, float)
    if len(some) < 2:
        return f"{some.mean():.{digits}f}"
    half = stats.t.ppf(0.975, len(some) - 1) * some.std(ddof=1) / len(some) ** 0.5
    return f"{some.mean():.{digits}f} ± {half:.{digits}f}"
