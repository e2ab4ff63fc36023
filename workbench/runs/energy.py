"""The energy of a run: the scheduler's figure, else the computer's own counters, else an estimate that says so.

The kernel's side reads the counters (``kernel_side.usage``); here they become ``energy.json``. Called by the runner
and by whoever shows a record.
"""

from __future__ import annotations

from typing import Any

#: Watts of one busy processor core where nothing is known of the processor, and of a gigabyte of memory in use.
#: Source: L. Lannelongue, J. Grealey, M. Inouye, Green Algorithms, Advanced Science 8 (2021) 2100707.
CORE_WATTS = 12.0
MEMORY_WATTS = 0.3725
_SOURCE = "Lannelongue et al. 2021, doi:10.1002/advs.202100707"


def energy(usage: dict[str, Any] | None) -> dict[str, Any]:
    """Return what ``energy.json`` says.

    Parameters
    ----------
    usage : dict or None
        What the kernel's side measured from the run's begin to its end: ``seconds``, ``cpu_seconds``,
        ``peak_memory`` [B], ``scheduler_joules``, ``counter_joules`` {counter: J}; None where the kernel was gone.
    """
    if usage is None:
        return {"joules": None, "source": "unknown", "why": "the kernel ended before it could be asked"}
    if usage.get("scheduler_joules"):
        covers = "the processors and memory of the job's nodes, as Slurm accounts for them"
        return {"joules": usage["scheduler_joules"], "source": "scheduler", "covers": covers, "usage": usage}
    counters = usage.get("counter_joules") or {}
    if any(name.startswith("processor") for name in counters):
        covers = f"all that ran on this computer meanwhile, by {', '.join(counters)}; not fans, disks, power supply"
        return {"joules": sum(counters.values()), "source": "counters", "covers": covers, "usage": usage}
    return _estimate(usage, counters)


def _estimate(usage: dict[str, Any], counters: dict[str, float]) -> dict[str, Any]:
    """Return an estimate from what the kernel's processes used; accelerators count as far as they count themselves."""
    gigabytes = (usage.get("peak_memory") or 0) / 1e9
    joules = usage["cpu_seconds"] * CORE_WATTS + usage["seconds"] * gigabytes * MEMORY_WATTS
    others = f"{', '.join(counters)} by their own counters" if counters else "not accelerators"
    return {
        "joules": joules + sum(counters.values()),
        "source": "estimate",
        "covers": f"processor and memory of the kernel's processes, {others}; not cooling, power supply",
        "assumes": f"{CORE_WATTS:g} W a busy core, {MEMORY_WATTS:g} W a gigabyte of memory",
        "reference": _SOURCE,
        "usage": usage,
    }


def energy_sentence(about: dict[str, Any]) -> str:
    """Say the energy of a run in words, with how it was found."""
    if not about or about.get("joules") is None:
        return "unknown"
    how = {"scheduler": "measured by the scheduler", "counters": "measured by the computer's counters"}
    return f"{amount(about['joules'])}, {how.get(about['source'], 'an estimate')}"


def amount(joules: float) -> str:
    """Return an energy with no more digits than such figures bear."""
    return " ".join(joules_in(joules))


def joules_in(joules: float) -> tuple[str, str]:
    """Return an energy as digits and the unit that suits them."""
    if joules < 3.6e3:
        return (f"{joules:.2g}" if joules < 100 else f"{joules:.0f}"), "J"
    watt_hours = joules / 3.6e3
    return (f"{watt_hours:.3g}", "Wh") if watt_hours < 1000 else (f"{watt_hours / 1000:.3g}", "kWh")
