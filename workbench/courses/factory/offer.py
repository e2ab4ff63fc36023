"""What a room offers of a factory: the target, and how much of it. Asked at ``course start``, kept in ``room.json``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genai4eu.kernels import targets
from genai4eu.kernels.rest import Gateway

from ...errors import WorkbenchError


@dataclass(frozen=True)
class Wish:
    """What a trainer wants to offer.

    Attributes
    ----------
    target : str
        A kernelspec of this account.
    kernels, seconds, budget : int
        Kernels at once, seconds for a cell, and seconds for a seat over the whole course.
    """

    target: str
    kernels: int = 2
    seconds: int = 120
    budget: int = 600


def offer(wish: Wish, isolated: bool, told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Return what stands in ``room.json`` of a factory, once it is sure that cells could run there.

    Parameters
    ----------
    isolated : bool
        Whether seats have users of their own.
    told : callable
        Is told what the trainer ought to know.

    Raises
    ------
    WorkbenchError, KernelsError
        If the target is unknown, down, not Python, or would undo the isolation of the seats.
    """
    found, target, kernels = targets.find(wish.target), wish.target, wish.kernels
    if found.language != "python":
        raise WorkbenchError(f"the target {target} is not one of Python: name one that is")
    if isolated and found.url is None:
        raise WorkbenchError(
            f"the target {target} runs under your account on {found.where}, where every participant could then read "
            "the whole room: name a target of a gateway (genai4eu targets)"
        )
    targets.check(found)
    if found.url and found.token_file:
        gateway = Gateway(found.url, Path(found.token_file), Path(found.ca_file) if found.ca_file else None)
        if isolated and gateway.is_here:
            told("the factory's gateway is on this computer: have it run as a user who may read nothing of the room")
        kernels = _within(gateway, kernels, told)
    seconds = min(wish.seconds, wish.budget)
    return {"target": target, "kernels": kernels, "seconds": seconds, "budget": wish.budget}


def _within(gateway: Gateway, kernels: int, told: Callable[[str], None]) -> int:
    """Return how many kernels the account may have at once; only our own gateways say so."""
    status = gateway.call("GET", "/api/status")
    quota = status.get("quota", {}).get("kernels") if isinstance(status, dict) else None
    if quota is None or quota >= kernels:
        return kernels
    if quota < 1:
        raise WorkbenchError(f"your account may have no kernels at {gateway.url}: ask its operator")
    told(f"your account may have {quota} kernels at {gateway.url}: so many marked cells run at once, not {kernels}")
    return int(quota)
