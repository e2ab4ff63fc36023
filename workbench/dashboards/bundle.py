"""The bundle: an immutable folder that holds one published dashboard. Called by publishing and by the server.

::

    <slug>/dashboard.json   what it is: question, answer, run, when, where
    <slug>/index.html       the frozen page
    <slug>/evidence.html    parameters, metrics, environment
    <slug>/card.json, .md   the use-case card, where the use case has one
    <slug>/media/           images of the pages, named by their content
    <slug>/live.ipynb       the dashboard part alone, for the live view
    <slug>/outputs/ …       what the dashboard part reads: the layout of the record
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from ..errors import WorkbenchError

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")
#: What pages show of ``dashboard.json``, with the types that they can show.
_NEEDED: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("slug", "question", "answer", "run", "published", "where"), (str,)),
    **dict.fromkeys(("sector", "started"), (str, NoneType)),
    "figure": (dict, NoneType),
}


@dataclass(frozen=True)
class Bundle:
    """One published dashboard."""

    folder: Path

    @property
    def slug(self) -> str:
        """Name in addresses: the folder's name."""
        return self.folder.name

    @property
    def info(self) -> dict[str, Any]:
        """What ``dashboard.json`` says.

        Raises
        ------
        WorkbenchError
            If it is missing or damaged: whoever reads it may rely on every key that a page shows.
        """
        try:
            content = json.loads((self.folder / "dashboard.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or not _complete(content) or content["slug"] != self.slug:
            raise WorkbenchError(f"dashboard {self.slug} is damaged: delete {self.folder} and publish its run again")
        return content


def _complete(content: dict[str, Any]) -> bool:
    """Tell whether all is there, and of the right kind."""
    if not all(name in content and isinstance(content[name], types) for name, types in _NEEDED.items()):
        return False
    figure = content["figure"]
    return figure is None or all(isinstance(figure.get(name), str) for name in ("src", "width", "height"))


def dashboards_root() -> Path:
    """Return the folder of the bundles: ``GENAI4EU_DASHBOARDS``, or ``./dashboards``."""
    return Path(os.environ.get("GENAI4EU_DASHBOARDS") or "dashboards").absolute()


def all_bundles(root: Path) -> list[Bundle]:
    """Return the bundles in a folder by slug; half-made ones have names that are no slugs."""
    if not root.is_dir():
        return []
    return [Bundle(p) for p in sorted(root.iterdir()) if SLUG.fullmatch(p.name) and (p / "dashboard.json").is_file()]
