"""Two dashboards on a server, and visitors of their live views. Called by tests without a browser."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from genai4eu.dashboards.access import admission
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from ..benchmarks.viewers import Visitor
from .conftest import CELLS, RUN, execute, seal

SLUG, OTHER = "tiny-wave-a1b2", "tiny-wave-b2c3"
#: The small study with waves drawn by hand: half of what its kernel takes to come is matplotlib, which
#: ``test_browser`` goes through, and which is nothing to who watches what kernels do to each other.
BY_HAND = [
    *CELLS[:3],
    (
        "dashboard",
        "import genai4eu\n"
        "from IPython.display import Markdown, display\n"
        "from genai4eu.widgets import Choice, Explorer, Range\n"
        "opened = genai4eu.open_run()\n"
        "display(Markdown(f\"Yes: the peak rises from 0.2 to **{opened.metrics['peak']:.1f}** (± 0.1).\"))",
    ),
    (
        "dashboard",
        "class Wave:\n"
        "    axes = ()\n"
        "    def get_size_inches(self):\n        return 5, 3\n"
        "    def savefig(self, file, **_):\n"
        "        file.write(b'<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 9h9\"/></svg>')",
    ),
    (CELLS[5][0], CELLS[5][1].replace(
        "    fig, ax = plt.subplots(figsize=(5, 3))\n    ax.plot(height * wave, color=colour)\n    return fig, ",
        "    return Wave(), ",
    )),
    *CELLS[6:],
]  # fmt: skip


@contextmanager
def private(house: Path) -> Iterator[Path]:
    """Keep runs, dashboards and Jupyter's own files in a folder, as ``house`` does, for more than one test."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("RUNS", "DASHBOARDS", "SCRATCH"):
            patch.setenv(f"GENAI4EU_{variable}", str(house / variable.lower()))
        for variable in ("JUPYTER_DATA_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(variable, str(house / variable.lower()))
        yield house


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two dashboards of the small run."""
    with private(tmp_path_factory.mktemp("live")) as house:
        first = execute(house / "runs" / RUN, BY_HAND)
        second = shutil.copytree(first, house / "runs" / RUN.replace("a1b2", "b2c3"))
        told = json.loads((second / "run.json").read_text("utf-8"))
        (second / "run.json").write_text(json.dumps({**told, "id": second.name}), "utf-8")
        seal(second)
        publish(Record(first))
        publish(Record(second))
        yield dashboards_root()


@pytest.fixture(scope="module")
def one_by_hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dashboards of a house that has one, to be copied."""
    with private(tmp_path_factory.mktemp("one")) as house:
        publish(Record(execute(house / "runs" / RUN, BY_HAND)))
        return dashboards_root()


@pytest.fixture
def by_hand(one_by_hand: Path, house: Path) -> Path:
    """A private copy of a folder of dashboards with one whose kernels come soon."""
    return shutil.copytree(one_by_hand, dashboards_root())


@pytest.fixture
def swift(by_hand: Path) -> Iterator[Server]:
    """A gallery with it, and a place for one visitor: no kernel in reserve is taken for theirs."""
    with running(by_hand, viewers=1) as started:
        yield started


@pytest.fixture(scope="module")
def link(root: Path) -> str:
    """The first dashboard's place by its link."""
    return f"l/{admission.add_link(Dashboard(root / SLUG))}"


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    with running(root, viewers=9) as started:
        yield started


def play(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 150))


def visitor(server: Server, place: str = f"d/{SLUG}") -> Visitor:
    return Visitor(f"{server.address}{place}/")


async def eventually(what: Callable[[], bool], sentence: str) -> None:
    for _ in range(300):
        if what():
            return
        await asyncio.sleep(0.1)
    pytest.fail(sentence)


async def closed(one: Visitor) -> int | None:
    """Read until the connection ends, and return why it did."""
    while await asyncio.wait_for(one.read(), 60) is not None:
        pass
    return one.socket.close_code if one.socket else None


def height(one: Visitor) -> str:
    """Return the id of the slider's model."""
    return next(name for name, told in one.shown() if told["state"].get("max") == 10)


async def drawn(one: Visitor, value: float) -> bool:
    """Move the slider, and tell whether the kernel drew that wave."""
    return f"A wave of {value:g} m; line" in json.dumps(await one.move(height(one), value=value))
