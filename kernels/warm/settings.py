"""What a user may say about the template, by variables. Read by the template, and by clients before they start one."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from ..errors import KernelsError

#: Seconds after which a template that nobody asks for kernels ends, and children to hold ready.
IDLE, AHEAD = "GENAI4EU_WARM_IDLE", "GENAI4EU_WARM_AHEAD"
#: The process with which the template ends, for who has one of their own.
UNTIL = "GENAI4EU_WARM_UNTIL"
#: Names of the use cases whose dashboards' first steps the template goes through before it forks, with commas.
REHEARSE = "GENAI4EU_WARM_REHEARSE"
#: Packages and modules of the science stack, with commas, that the template leaves to the kernels that want them.
WITHOUT = "GENAI4EU_WARM_WITHOUT"


def wanted(env: Mapping[str, str]) -> bool:
    """Tell whether kernels shall be warm: unless the user said no."""
    return env.get("GENAI4EU_WARM", "").lower() not in ("off", "0", "no", "false")


def settings(env: Mapping[str, str]) -> tuple[float, int]:
    """Return the seconds after which an idle template ends, and how many children it holds ready.

    Raises
    ------
    KernelsError
        If one of the variables says nothing of use.
    """
    idle = _number(env, IDLE, 900, 2_592_000, "seconds")
    ahead = _number(env, AHEAD, 3, 100, "a whole number")
    if ahead % 1:
        raise KernelsError(f"{AHEAD} is {env[AHEAD]!r}: give a whole number from 0 to 100, or unset it")
    return idle, int(ahead)


def _number(env: Mapping[str, str], name: str, default: float, most: int, kind: str) -> float:
    given = env.get(name) or str(default)
    try:
        number = float(given)
    except ValueError:
        number = -1
    if not isfinite(number) or not 0 <= number <= most:
        raise KernelsError(f"{name} is {given!r}: give {kind} from 0 to {most}, or unset it")
    return number
