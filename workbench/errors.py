"""Errors a user can put right; the command line prints each as one line and exits with code 1."""

from __future__ import annotations

from collections.abc import Sequence


class WorkbenchError(Exception):
    """Wrong input or a missing thing; the message names the thing and the remedy."""


class Unfinished(WorkbenchError):
    """Work that was stopped by its user, and what is left of it; its exit code is that of Ctrl-C."""


def together(faults: Sequence[str], what: str, most: int | None = None) -> WorkbenchError:
    """Return all faults of a call as one error: one in its line, more with a line for each.

    Parameters
    ----------
    what : str
        What will not do, in the plural.
    most : int, optional
        Of so many there is a line each; the rest is counted.
    """
    if len(faults) == 1:
        return WorkbenchError(faults[0])
    left = len(faults[most:]) if most else 0
    lines = [f"{len(faults)} {what} will not do:", *faults[:most], *([f"and {left} more"] if left else [])]
    return WorkbenchError("\n  ".join(lines))


class Stopped(KeyboardInterrupt):
    """A run is to end now, for a reason that only whoever stops it knows. Raised by signal handlers.

    Parameters
    ----------
    status : str
        How the run ends.
    sentence : str
        Why, in one line.
    """

    def __init__(self, status: str = "cancelled", sentence: str = "stopped by its user") -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
