"""The whole way once: a gateway on this computer, a run of a template through it, a published dashboard.

Called by ``genai4eu demo``, ``make demo`` and, for every sector, ``make demo-all``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process

from .catalogue import usecases
from .dashboards.publishing.publish import publish
from .dashboards.publishing.published import Published
from .errors import WorkbenchError
from .runs.record import Record
from .runs.runner import run

TEMPLATE = "health-imaging"
GATEWAY = "demo"


@dataclass
class Steps:
    """Says each step on standard error, with the seconds that it took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step."""
        print(f"{name} …", file=sys.stderr, flush=True)
        begun = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begun, 1)
        print(f"{name}: {self.seconds[name]:.1f} s", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Demo:
    """What the demo made of one template."""

    record: Record
    published: Published
    seconds: dict[str, float]

    @property
    def summary(self) -> dict[str, Any]:
        """What scripts want to know."""
        about = self.record.summary()
        chosen = {k: about[k] for k in ("status", "target", "kernel_id", "metrics")}
        return {"run": self.record.id, **chosen, "dashboard": str(self.published.folder), "seconds": self.seconds}


def everything() -> list[str]:
    """Return the templates of all installed use cases."""
    return [u.name for u in usecases()]


def demo(profile: str, templates: Sequence[str] = (TEMPLATE,)) -> list[Demo]:
    """Run templates through a gateway of their own and publish the runs.

    Parameters
    ----------
    profile : str
        The templates' sizes.
    templates : sequence of str
        Their names; each runs after the one before.

    Raises
    ------
    WorkbenchError
        If a step does not succeed; no process is left then, nor after Ctrl-C.
    """
    steps = Steps()
    with tempfile.TemporaryDirectory(prefix="genai4eu-demo-") as private, _jupyter(Path(private)):
        with steps.step("start a kernel gateway on this computer"):
            gateway = process.start(Path(private) / "gateway")
        with gateway:
            with steps.step(f"connect to {gateway.url}"):
                targets = connect(GATEWAY, gateway.url, gateway.token_file)
            target = next(t for t in targets if t.endswith("-genai4eu"))
            return [_one(name, target, profile, steps) for name in templates]


def _one(name: str, target: str, profile: str, steps: Steps) -> Demo:
    with steps.step(f"run {name} ({profile}) on {target}"):
        record = _completed(run(name, on=target, profile=profile))
    with steps.step("publish the run"):
        published = publish(record)
    print(f"record: {record.folder}\ndashboard: {published.folder}", file=sys.stderr)
    return Demo(record, published, dict(steps.seconds))


@contextmanager
def _jupyter(folder: Path) -> Iterator[None]:
    """Keep the demo's kernelspecs out of the user's own Jupyter folder."""
    before = os.environ.get("JUPYTER_DATA_DIR")
    os.environ["JUPYTER_DATA_DIR"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("JUPYTER_DATA_DIR")
        if before is not None:
            os.environ["JUPYTER_DATA_DIR"] = before


def _completed(record: Record) -> Record:
    info = record.info
    if info["status"] != "completed":
        raise WorkbenchError(f"run {record.id} {info['status']}: {info['error']}; see genai4eu runs show {record.id}")
    return record
