"""Targets as a person chooses among them: state, queue and cost of each. For notebooks, and for the form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.targets import Target

from .runs.context import before_visitors

if TYPE_CHECKING:
    from genai4eu.kernels.slurm.options import Options
    from genai4eu.widgets import TargetPicker

#: Seconds that a gateway may take to say what we have there.
_PATIENCE = 3.0


def targets(chosen: str | None = None, words: Mapping[str, str] | None = None) -> TargetPicker:
    """Show the targets with Python kernels, to choose among: state, queue, cost, and a button that asks them again.

    Parameters
    ----------
    chosen : str, optional
        Name of the first choice; the first that is ready by default.
    words : mapping of str to str, optional
        The widget's words in another language.

    Returns
    -------
    TargetPicker
        A widget; its ``chosen`` is what ``genai4eu.run(…, on=…)`` takes.

    Raises
    ------
    ValueError
        If ``chosen`` is no target.
    """
    from genai4eu.widgets import TargetPicker

    if before_visitors():  # the page shows it as it was recorded
        return TargetPicker([], words=words)
    made = TargetPicker(described(), chosen, refresh=described, words=words)
    made.workbench = True
    return made


def described() -> list[dict[str, Any]]:
    """Return what is to be known of every target with Python kernels; all are asked at the same time."""
    from genai4eu.kernels.slurm.targets import all_of_them
    from genai4eu.kernels.targets import all_targets, states

    found = [t for t in all_targets() if t.language == "python"]
    options = all_of_them()
    gateways = {t.url: t for t in found if t.url}
    with ThreadPoolExecutor(max_workers=16) as pool:
        asked = pool.map(_status, gateways.values())
        jobs = pool.submit(_jobs) if options else None
        state = states(found)
        status = dict(zip(gateways, asked, strict=True))
        waiting = jobs.result() if jobs else {}
    return [
        {"name": t.name, "title": t.display_name, "where": t.where, "state": state[t.name],
         **_more(t, options.get(t.name), status.get(t.url or ""), waiting)}
        for t in found
    ]  # fmt: skip


def _more(
    target: Target, options: Options | None, status: Mapping[str, Any] | None, jobs: Mapping[str, str]
) -> dict[str, str]:
    """Return queue, cost and note of a target, each where it is known."""
    from genai4eu.kernels.factories import factory_of

    if options is not None:
        return {"queue": jobs.get(target.name, jobs.get("", "none of your jobs")), "cost": cost(options)}
    if target.url is None:
        return {"queue": "none", "cost": "nothing is charged"}
    factory = factory_of(target.gateway, target.url)
    about = {"note": f"AI Factory: {factory.name}"} if factory else {}
    quota = (status or {}).get("quota") or {}
    if status and "kernels" in status:
        most = f" of {quota['kernels']}" if quota.get("kernels") else ""
        about["queue"] = f"{status['kernels']}{most} of your kernels in use"
    if quota.get("longest"):
        about["cost"] = f"a kernel ends after {quota['longest'] / 3600:g} h"
    return about


def _status(target: Target) -> dict[str, Any] | None:
    """Return what a gateway says of us; None where it does not, which the state tells, or where it has no such word."""
    from genai4eu.kernels.rest import Gateway

    ca_file = Path(target.ca_file) if target.ca_file else None
    try:
        answer = Gateway(str(target.url), Path(str(target.token_file)), ca_file).call(
            "GET", "/api/status", timeout=_PATIENCE
        )
    except KernelsError:
        return None
    return answer if isinstance(answer, dict) else None


def _jobs() -> dict[str, str]:
    """Return our jobs in Slurm's queue in words, by target; under no name, why they are unknown."""
    from genai4eu.kernels.slurm.jobs import ours

    try:
        rows = [row for row in ours() if row["state"] in ("PENDING", "RUNNING")]
    except KernelsError:
        return {"": "Slurm does not answer"}
    return {name: _queue([r for r in rows if r["target"] == name]) for name in {r["target"] for r in rows}}


def _queue(rows: list[dict[str, Any]]) -> str:
    """Say how many of our jobs run and wait, and at which place the first of them is."""
    states = Counter(row["state"] for row in rows)
    places = [row["place"] for row in rows if row["place"]]
    said = [f"{n} {verb}{'s' * (n == 1)}" for n, verb in ((states["RUNNING"], "run"), (states["PENDING"], "wait")) if n]
    said += [f"first at place {min(places)}"] if places else []
    return f"{', '.join(said)} (of your jobs)"


def cost(options: Options) -> str:
    """Say what a job of a Slurm target takes at most, and who pays."""
    from genai4eu.kernels.slurm.targets import seconds

    nodes, hours = options.nodes or 1, seconds(options.time) / 3600 if options.time else float("inf")
    kind, _, number = options.gpus.rpartition(":")
    parts = [(nodes * int(number), f"{kind} GPU".strip())] if number else []
    parts.append((nodes * (options.cpus or 1), "core"))
    if hours == float("inf"):
        said = ", ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in parts) + " for as long as it runs"
    else:
        said = "at most " + ", ".join(_hours(count * hours, what) for count, what in parts)
    return said + (f", charged to {options.account}" if options.account else "")


def _hours(number: float, what: str) -> str:
    said = f"{number:.3g}"
    return f"{said} {what} hour{'s' * (said != '1')}"
