"""What a check found: where, what, and how to mend it. Made by the checks, printed by publishing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ....errors import WorkbenchError, together


@dataclass(frozen=True)
class Finding:
    """One thing that speaks against publishing a run, or that whoever publishes it should know."""

    #: What kind of thing: ``alternative text``, ``language``, ``secret``, …
    kind: str
    #: ``cell 12`` or the name of a file.
    where: str
    what: str
    remedy: str
    #: False for what is only worth a look.
    refused: bool = True

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return " ".join(f"{self.where}: {self.what}: {self.remedy}".split())

    def about(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {**asdict(self), "sentence": self.sentence}


def refuse(findings: Iterable[Finding], run: str) -> None:
    """Raise what speaks against publishing, all of it at once.

    Raises
    ------
    WorkbenchError
        If anything does.
    """
    faults = [finding.sentence for finding in findings if finding.refused]
    if faults:
        fault = together(faults, f"things in run {run}")
        raise WorkbenchError(f"run {run} cannot be published: {fault}" if len(faults) == 1 else str(fault))


def cell(number: int) -> str:
    """Name a cell as JupyterLab's status bar and people do: counted from one."""
    return f"cell {number}"


#: A notebook's cell with its number.
Numbered = tuple[int, Mapping[str, Any]]
