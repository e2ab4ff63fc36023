"""A dashboard: one address, its versions, and what the centre decided about it. Called by publishing and the server.

::

    <slug>/site.json            what may change: which version stands, who may see it, its place in the gallery
    <slug>/versions/1, 2, …     immutable bundles, none of them ever changed
    <slug>/.lock                held by whoever changes one of them
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError
from ..runs.files import write_json
from .bundle import Bundle
from .lock import held
from .memory import read_json

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")
SITE = "site.json"
#: What holds where ``site.json`` says nothing. ``guest`` says of another centre's dashboard how it is shown here:
#: ``recorded``, nothing of it runs, or ``trusted``.
DEFAULTS: dict[str, Any] = {
    "current": 1, "visibility": "public", "withdrawn": False, "expires": None, "order": 0, "guest": None,
}  # fmt: skip


@dataclass(frozen=True)
class Dashboard:
    """What stands at one address."""

    folder: Path

    @property
    def slug(self) -> str:
        """Name in addresses: the folder's name."""
        return self.folder.name

    @property
    def site(self) -> dict[str, Any]:
        """What the centre decided: the content of ``site.json`` over the defaults.

        Raises
        ------
        WorkbenchError
            If the file is damaged: nobody is let in on a guess.
        """
        try:
            content = read_json(self.folder / SITE)
        except (OSError, ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or not isinstance(content.get("current", 1), int):
            raise WorkbenchError(f"dashboard {self.slug} is damaged: delete {self.folder} and publish its run again")
        return {**DEFAULTS, **content}

    def decide(self, **changes: Any) -> None:
        """Change what ``site.json`` says; what others decide meanwhile is not lost.

        Raises
        ------
        WorkbenchError
            If it is damaged, may not be written, or is there no more.
        """
        with self.changing():
            self.note(**changes)

    def note(self, **changes: Any) -> None:
        """Change what ``site.json`` says, for whoever is :meth:`changing` the dashboard already."""
        write_json(self.folder / SITE, {**self.site, **changes})

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Be the only one who changes the dashboard; others wait. The system lets go of it when its holder is gone.

        Raises
        ------
        WorkbenchError
            If the dashboard may not be changed, or was taken down meanwhile.
        """
        with contextlib.ExitStack() as until:
            try:
                until.enter_context(held(self.folder))
                (self.folder / SITE).stat()
            except FileNotFoundError:
                raise WorkbenchError(f"dashboard {self.slug} was taken down: publish its run again") from None
            except OSError as error:
                raise WorkbenchError(
                    f"dashboard {self.slug} cannot be changed ({error.strerror}): look at {self.folder}"
                ) from None
            yield

    @property
    def bundles(self) -> list[Bundle]:
        """All versions, the oldest first; half-made ones have names that are no numbers."""
        found = [p for p in (self.folder / "versions").glob("*") if p.name.isdecimal()]
        return [Bundle(p) for p in sorted(found, key=lambda p: int(p.name))]

    @property
    def current(self) -> Bundle:
        """The version that visitors see."""
        return self.version(self.site["current"])

    def version(self, number: int) -> Bundle:
        """Return one of the versions, there or not."""
        return Bundle(self.folder / "versions" / str(number))

    def of_run(self, run: str) -> Bundle | None:
        """Return the latest version made from a run, the current one before others; ``None`` where there is none."""
        for bundle in (self.current, *reversed(self.bundles)):
            with contextlib.suppress(WorkbenchError):  # a damaged version shows no run
                if bundle.info["run"] == run:
                    return bundle
        return None


def dashboards_root() -> Path:
    """Return the folder of the dashboards: ``GENAI4EU_DASHBOARDS``, or ``./dashboards``."""
    return Path(os.environ.get("GENAI4EU_DASHBOARDS") or "dashboards").absolute()


def all_dashboards(root: Path) -> list[Dashboard]:
    """Return the dashboards in a folder by slug; half-made ones have names that are no slugs."""
    if not root.is_dir():
        return []
    return [Dashboard(p) for p in sorted(root.iterdir()) if SLUG.fullmatch(p.name) and (p / SITE).is_file()]


def find(name: str, root: Path | None = None) -> Dashboard:
    """Return one dashboard by its slug, the beginning or end of it, or its address.

    Raises
    ------
    WorkbenchError
        If there is none, or more than one.
    """
    root = root or dashboards_root()
    short = name.rstrip("/").rpartition("/")[2].lower()
    standing = all_dashboards(root)
    exact = [d for d in standing if d.slug == short]
    near = exact or [d for d in standing if short and (d.slug.startswith(short) or d.slug.endswith(short))]
    if not near:
        raise WorkbenchError(f"unknown dashboard {name!r}: 'genai4eu dashboards list' shows those in {root}")
    if len(near) > 1:
        which = ", ".join(d.slug for d in near[:3]) + (", …" if len(near) > 3 else "")
        raise WorkbenchError(f"{name!r} may mean {len(near)} dashboards ({which}): give more of the name")
    return near[0]


def all_bundles(root: Path) -> list[Bundle]:
    """Return every version of every dashboard."""
    return [bundle for dashboard in all_dashboards(root) for bundle in dashboard.bundles]
