"""``%%factory`` in a notebook: what a participant sees, gets back and can stop, with a factory and without one."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.manager import start_new_kernel

from genai4eu.courses.room.factory import SECRET, SOCKET, socket_of, variables
from genai4eu.courses.room.folder import Room

from ...patience import eventually
from .conftest import Served, a_room

pytestmark = pytest.mark.slow

IMPORT = "from genai4eu.courses import check\n"


@dataclass
class Notebook:
    """A seat's kernel and what it said below the last cell."""

    manager: KernelManager
    client: BlockingKernelClient
    heard: list[dict[str, Any]] = field(default_factory=list)

    def run(self, code: str, when: Callable[[dict[str, Any]], None] = lambda _: None) -> str:
        """Execute a cell, and return its error, if any."""
        self.heard = []

        def listen(message: dict[str, Any]) -> None:
            self.heard.append(message)
            when(message)

        reply = self.client.execute_interactive(code, output_hook=listen, timeout=60)["content"]
        return f"{reply['ename']}: {reply['evalue']}" if reply["status"] == "error" else ""

    def said(self, kind: str = "text/plain") -> list[str]:
        """Return what was displayed, each change of it, too."""
        return [m["content"]["data"].get(kind, "") for m in self.heard if "data" in m["content"]]

    @property
    def printed(self) -> str:
        return "".join(m["content"]["text"] for m in self.heard if m["msg_type"] == "stream")

    def set(self, **variables: str) -> None:
        """Set variables of the kernel's variables, for another room or none."""
        for name in (SOCKET, SECRET, "GENAI4EU_SEAT"):
            variables.setdefault(name, "")
        assert not self.run(f"import os; os.environ.update({variables!r})")


@pytest.fixture(scope="module")
def notebook(home: dict[str, str]) -> Iterator[Notebook]:
    manager, client = start_new_kernel(kernel_name="python3", env=dict(os.environ))
    yield Notebook(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def seat(notebook: Notebook, serve: Callable[..., Served]) -> Notebook:
    """A seat of a room that has a factory."""
    room = serve().room
    notebook.set(**variables(room, "seat-01"), GENAI4EU_SEAT="seat-01")
    assert not notebook.run(IMPORT)
    return notebook


def test_a_cell_takes_values_along_and_brings_some_back(seat: Notebook) -> None:
    assert not seat.run("import numpy as np; scans = np.arange(6.0).reshape(2, 3); own = 1")
    cell = (
        "%%factory --seconds 20 --in scans --out mean,told\nfrom IPython.display import HTML, display\nimport sys\n"
        "mean, told = scans.mean(0), {'own': 'own' in globals()}\nprint('there')\nprint('odd', file=sys.stderr)\n"
        "shown = display(HTML('<b>a</b>'), display_id='x')\nshown.update(HTML('<b>b</b>'))\nmean.sum()"
    )
    assert not seat.run(cell)
    assert seat.printed == "there\nodd\n"
    assert [html for html in seat.said("text/html") if html in ("<b>a</b>", "<b>b</b>")] == ["<b>a</b>", "<b>b</b>"]
    assert "np.float64(7.5)" in seat.said()
    assert seat.said()[0] == "The factory starts a kernel for this cell …"
    assert "Running at the factory. At most 20 s. You have 100 s left in this course." in seat.said()
    assert seat.said()[-1].startswith("Ran at the factory for ")
    assert not seat.run("assert mean.tolist() == [1.5, 2.5, 3.5] and told == {'own': False}")


def test_an_error_is_the_factorys_own(seat: Notebook) -> None:
    assert seat.run("%%factory\n{}['weights']") == "FactoryError: KeyError: 'weights'"
    (error,) = [m["content"] for m in seat.heard if m["msg_type"] == "error"]
    assert "magic.py" not in str(error["traceback"])
    assert "----> " in str(error["traceback"])
    assert "Stopped with an error" in seat.said()[-1]


@pytest.mark.parametrize(
    ("cell", "words"),
    [("%%factory --now\n1", "unrecognized arguments: --now"), ("%%factory --in nope\n1", "--in names nope, which is"),
     ("%%factory --in open_file\n1", "open_file is a function, which does not travel")],
)  # fmt: skip
def test_what_will_not_do_is_said_before_anybody_waits(seat: Notebook, cell: str, words: str) -> None:
    seat.run("def open_file(): pass")
    assert words in seat.run(cell)
    assert not seat.said()


def test_what_a_cell_did_not_make_is_named(seat: Notebook) -> None:
    words = "NameError: --out names score, which the cell did not make"
    assert seat.run("%%factory --out score\n1") == f"FactoryError: {words}"


def test_ctrl_c_reaches_the_factory(seat: Notebook, kernels: Callable[[], int]) -> None:
    def interrupt(message: dict[str, Any]) -> None:
        if message["content"].get("text") == "go\n":
            seat.manager.interrupt_kernel()

    cell = "import time\nx = 1\ntry:\n    print('go')\n    time.sleep(60)\nfinally:\n    print('mended')"
    assert seat.run(f"%%factory --out x\n{cell}", interrupt) == "Interrupted: KeyboardInterrupt: "
    assert seat.printed == "go\nmended\n"
    assert seat.said()[-1].startswith("Interrupted after ")
    assert kernels() == 0
    assert not seat.run("assert 'x' not in globals()")


def test_the_end_of_the_seats_kernel_ends_the_factorys(
    notebook: Notebook, serve: Callable[..., Served], kernels: Callable[[], int]
) -> None:
    room = serve().room
    env = {**os.environ, **variables(room, "seat-02"), "GENAI4EU_SEAT": "seat-02"}
    manager, client = start_new_kernel(kernel_name="python3", env=env)
    client.execute(IMPORT)
    client.execute("%%factory\nimport time; time.sleep(60)")
    eventually(lambda: kernels() == 1)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    eventually(lambda: kernels() == 0)


def test_without_a_factory_a_cell_says_so(notebook: Notebook) -> None:
    notebook.set()
    assert not notebook.run("%load_ext genai4eu.courses")
    words = "This cell is for a factory's computer, and here is none."
    assert notebook.run("%%factory --out made\nmade = 2") == f"NoFactory: {words}"
    assert not notebook.run("own = 20")
    assert not notebook.run(
        "%%factory --seconds 60 --in own --out made --here\nmade = own + 1\n%timeit -n1 -r1 1\nmade * 2"
    )
    assert notebook.said()[-2:] == [words + " It runs on your own kernel instead, which may take longer.", "42"]
    assert not notebook.run("assert made == 21")
    assert notebook.run("%%factory --here\n1 / 0").startswith("ZeroDivisionError")


def test_a_factory_that_is_down_is_no_dead_end(notebook: Notebook, serve: Callable[..., Served]) -> None:
    served = serve(budget=1)
    notebook.set(**variables(served.room, "seat-01"), GENAI4EU_SEAT="seat-01")
    assert not notebook.run(IMPORT)
    assert "may run longer" in notebook.run("%%factory\nimport time; time.sleep(9)")
    words = "You have used the 1 s at the factory that this course gives you."
    assert notebook.run("%%factory\n1") == f"FactoryError: {words}"
    assert not notebook.run("%%factory --here\n6 * 7")
    assert notebook.said()[-1] == "42"


def test_a_broker_that_comes_back_is_waited_for(
    notebook: Notebook, serve: Callable[..., Served], tmp_path: Path
) -> None:
    room = a_room(tmp_path / "late")
    notebook.set(**variables(room, "seat-01"), GENAI4EU_SEAT="seat-01")
    assert not notebook.run(IMPORT)
    asked = notebook.client.execute("%%factory\nprint('after all')")
    time.sleep(1)
    served = Served(room)
    served.begin()
    try:
        reply = notebook.client.get_shell_msg(timeout=60)
        assert (reply["parent_header"]["msg_id"], reply["content"]["status"]) == (asked, "ok")
    finally:
        served.end()


def test_words_are_the_participants(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / ".course").mkdir()
    about = {"course": {"languages": ["en", "nl"]}, "lessons": []}
    (tmp_path / ".course" / "course.json").write_text(json.dumps(about))
    (tmp_path / ".course" / "language").write_text("nl")
    notebook.set(GENAI4EU_COURSE=str(tmp_path))
    assert not notebook.run(IMPORT)
    assert "fabriek" in notebook.run("%%factory\n1")
    notebook.set(GENAI4EU_COURSE="")


def test_the_socket_stands_apart_from_what_is_the_rooms_own(tmp_path: Path) -> None:
    room: Room = a_room(tmp_path / "room")
    assert socket_of(room).parent not in ((room.folder / "run"), room.folder)
