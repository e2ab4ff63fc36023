"""The bundle: an immutable folder that holds one version of a dashboard. Called by publishing and by the server.

::

    dashboard.json      what it is: question, answer, run, when, where
    page.json           the frozen page: its blocks in order, without the frame that the server puts around them
    card.json, .md      the use-case card, where the use case has one
    media/              images, widget state and scripts of the page, named by their content
    live.ipynb          the dashboard part alone, for the live view
    seal.json           what the record held: every file with its digest, and the fingerprint of the whole
    outputs/ …          what the dashboard part reads: the layout of the record
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from ..errors import WorkbenchError
from .memory import read_json

#: What pages show of ``dashboard.json``, with the types that they can show.
_NEEDED: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("slug", "question", "answer", "run", "published", "where"), (str,)),
    **dict.fromkeys(("sector", "started"), (str, NoneType)),
    "figure": (dict, NoneType),
}


@dataclass(frozen=True)
class Bundle:
    """One version of a published dashboard, at ``<slug>/versions/<number>``."""

    folder: Path

    @property
    def slug(self) -> str:
        """Name of the dashboard in addresses."""
        return self.folder.parent.parent.name

    @property
    def number(self) -> int:
        """Number of the version, from 1."""
        return int(self.folder.name)

    @property
    def info(self) -> dict[str, Any]:
        """What ``dashboard.json`` says.

        Raises
        ------
        WorkbenchError
            If it is missing or damaged: whoever reads it may rely on every key that a page shows.
        """
        content = self.read("dashboard.json")
        if not _complete(content) or content["slug"] != self.slug:
            raise self._damaged()
        return content

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """Blocks of the frozen page, as publishing wrote them.

        Raises
        ------
        WorkbenchError
            If they are missing or damaged.
        """
        blocks = self.read("page.json").get("blocks")
        if not isinstance(blocks, list):
            raise self._damaged()
        if not all(isinstance(block, dict) and {"kind", "html", "model"} <= block.keys() for block in blocks):
            raise self._damaged()
        return blocks

    def read(self, name: str) -> dict[str, Any]:
        """Return one of the JSON files.

        Raises
        ------
        WorkbenchError
            If it is missing, or no JSON object.
        """
        try:
            content = read_json(self.folder / name)
        except (OSError, ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise self._damaged()
        return content

    def _damaged(self) -> WorkbenchError:
        return WorkbenchError(f"dashboard {self.slug} is damaged: delete {self.folder} and publish its run again")


def _complete(content: dict[str, Any]) -> bool:
    """Tell whether all is there, and of the right kind."""
    if not all(name in content and isinstance(content[name], types) for name, types in _NEEDED.items()):
        return False
    figure = content["figure"]
    return figure is None or all(isinstance(figure.get(name), str) for name in ("src", "width", "height"))
