"""Lists that show well in a notebook as well as in a terminal. Called by people, and by the quickstart."""

from __future__ import annotations

import json
from pathlib import Path

from .catalogue import source, usecases


class Listing(list[dict[str, str]]):
    """Rows of text that a notebook shows as a table."""

    def _repr_markdown_(self) -> str:
        if not self:
            return "*nothing to show*"
        heads = list(self[0])
        lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        lines += ["| " + " | ".join(row[h].replace("|", "\\|") for h in heads) + " |" for row in self]
        return "\n".join(lines)


def templates() -> Listing:
    """Return the templates of the installed use cases.

    Returns
    -------
    Listing
        Rows of ``template``, ``sector``, ``version`` and ``question``.
    """
    return Listing(
        {"template": u.name, "sector": u.sector, "version": u.version, "question": u.title} for u in usecases()
    )


def params(name: str | Path) -> Listing:
    """Return the parameters of a template or notebook.

    Returns
    -------
    Listing
        Rows of ``parameter``, ``value`` (the notebook's own), ``takes`` and ``what it is``.

    Raises
    ------
    WorkbenchError
        For an unknown template, or a notebook without a parameters cell.
    """
    return Listing(
        {"parameter": p.name, "value": json.dumps(p.plain_default), "takes": p.allowed, "what it is": p.help}
        for p in source(name).schema.parameters.values()
    )


#: The quickstart's word for it.
parameters = params
