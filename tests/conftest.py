"""What all tests share: what the machine must have, private folders, and small notebooks."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.connect import LocalPortCache
from playwright.sync_api import Browser

from . import stack
from .chromium import FLAT, launched
from .forks import shared

ROOT = Path(__file__).resolve().parents[1]


#: The files that take longest, the longest first: nobody waits for them at the end while a processor has nothing to do.
LONGEST = (
    "test_readme.py",
    "test_faults.py",
    "test_reconnect.py",
    "test_batch_runs.py",
    "test_study.py",
    "test_browser.py",
    "test_home.py",
    "test_demo.py",
    "test_resume.py",
    "test_kernels.py",
    "test_sweep.py",
    "test_local.py",
    "test_live.py",
    "test_house.py",
    "test_queue.py",
    "test_lab.py",
)


# What is imported while tests are collected stays: looking through it for garbage takes a third of that time.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from now on, and never among what is there already."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a worker a file after the other, but all files that look at one trained study: it is made once."""
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    class ByStudy(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return file.rpartition("/")[0] if file.startswith("tests/usecases/") else file

    return ByStudy(config, log) if config.getvalue("dist") == "loadfile" else None


def _require(name: str, program: str) -> str:
    """Return the program's path; without it, skip with the reason, or fail where GENAI4EU_REQUIRE names it."""
    found = shutil.which(program)
    if found:
        return found
    _lacking(name, f"{name} is not installed ({program} not found)")
    return ""


def _lacking(name: str, reason: str) -> None:
    """Skip with the reason, or fail where GENAI4EU_REQUIRE names it."""
    if name in os.environ.get("GENAI4EU_REQUIRE", "").split(","):
        pytest.fail(f"{reason}, and GENAI4EU_REQUIRE asks for it")
    pytest.skip(reason)


# As our command line does: jsonschema imports this optional checker, which takes every worker a second to build.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# Threads that wait for work spin by default, which on a busy computer keeps others from theirs: three times as slow.
# One thread each, which waits for no other, takes a third again.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What environments that tests make import is compiled once, not by each process.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Started in the background the tests would ignore Ctrl-C, and all that they start and stop with it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _ordinary_kernels() -> Iterator[None]:
    """Start kernels the ordinary way, so that no template outlives the tests; those of warm kernels ask for them."""
    before = os.environ.get("GENAI4EU_WARM")
    os.environ["GENAI4EU_WARM"] = "off"
    yield
    os.environ.pop("GENAI4EU_WARM")
    os.environ |= {} if before is None else {"GENAI4EU_WARM": before}


@pytest.fixture(scope="session")
def bare_template() -> Iterator[dict[str, str]]:
    """Variables of a template for this session's tests, with nothing of the science stack; it ends with the session."""
    from genai4eu.kernels.warm import client, settings

    with tempfile.TemporaryDirectory(prefix="warm", dir="/tmp") as folder:  # sockets' paths are short
        here = {"GENAI4EU_WARM": "on", "XDG_RUNTIME_DIR": folder, stack.WITHOUT: stack.ALL}
        with _set({**here, settings.UNTIL: str(os.getpid()), settings.IDLE: "3600"}):
            assert client.ensure(wait=True)
        yield here
        with _set(here):
            client.stop()


@contextmanager
def _set(variables: dict[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def forked_kernels(bare_template: dict[str, str]) -> Iterator[None]:
    """Fork the kernels of a file's tests: an ordinary start takes ten times as long."""
    with _set(bare_template):
        yield


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a test's kernels the ordinary way in a file whose others are forked."""
    monkeypatch.setenv("GENAI4EU_WARM", "off")


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """Hold each test to it: who ignores Ctrl-C hands that on to all that is started later, which then never ends."""
    yield
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    assert before is not signal.SIG_IGN, "Ctrl-C is ignored since this test"


@pytest.fixture(scope="session", autouse=True)
def _ports_of_their_own() -> Iterator[None]:
    """Give stock kernels, too, ports that nobody else is given: tests that run beside would take them meanwhile."""
    from genai4eu.kernels.warm import ports

    before = LocalPortCache.find_available_port
    LocalPortCache.find_available_port = lambda _, ip: ports.find(ip)
    yield
    LocalPortCache.find_available_port = before


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of Debian's Chromium: where it is installed, of the build without windows, which costs a third less."""
    return shutil.which("chromium-headless-shell") or _require("chromium", "chromium")


@pytest.fixture(scope="session")
def whole_chromium_path() -> str:
    """Path of the Chromium that people use; the build without windows lets a page go without its last words."""
    return _require("chromium", "chromium")


@pytest.fixture(scope="module")
def browser_options() -> tuple[str, ...]:
    """What Chromium is started with; a file whose pages draw in three dimensions puts its own in place of it."""
    return FLAT


@pytest.fixture(scope="module")
def _chromium(chromium_path: str, browser_options: tuple[str, ...]) -> Iterator[Browser]:
    """One Chromium a file: Playwright's event loop would be in the way of other files' own."""
    with launched(chromium_path, *browser_options) as started:
        yield started


@pytest.fixture
def browser(_chromium: Browser) -> Iterator[Browser]:
    """Debian's Chromium; what a test opened in it is closed after the test."""
    yield _chromium
    for context in _chromium.contexts:
        context.close()


@pytest.fixture(scope="session")
def sbatch_path() -> str:
    """Path of Slurm's sbatch."""
    return _require("slurm", "sbatch")


@pytest.fixture(scope="session")
def room_means() -> None:
    """What a room needs whose seats are users of their own: JupyterHub's proxy, and root."""
    from genai4eu.courses.room.supervisor import proxy
    from genai4eu.errors import WorkbenchError

    try:
        proxy()
    except WorkbenchError as error:
        _lacking("room", str(error))
    if os.geteuid():
        _lacking("room", "only root can make the seats' users")


#: Where everything is kept, by the variable that says so.
_FOLDERS = {
    "GENAI4EU_RUNS": "runs",
    "GENAI4EU_DASHBOARDS": "dashboards",
    "GENAI4EU_SCRATCH": "scratch",
    "JUPYTER_DATA_DIR": "jupyter",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private folder in which runs, dashboards, scratch and Jupyter's own files are kept."""
    for variable, folder in _FOLDERS.items():
        monkeypatch.setenv(variable, str(tmp_path / folder))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], AbstractContextManager[Path]]:
    """For the time of a ``with`` a house for what is made once for all tests of a file, who look at copies of it."""

    @contextmanager
    def house() -> Iterator[Path]:
        folder = tmp_path_factory.mktemp("apart")
        with pytest.MonkeyPatch.context() as patch:
            for variable, name in _FOLDERS.items():
                patch.setenv(variable, str(folder / name))
            patch.chdir(folder)
            yield folder

    return house


def as_notebook(*cells: tuple[str, str] | str) -> dict[str, Any]:
    """Return a notebook of the given cells; a cell is its source, or (tag, source)."""
    made = []
    for number, cell in enumerate(cells):
        tag, source = cell if isinstance(cell, tuple) else ("", cell)
        about: dict[str, Any] = {"id": f"cell-{number}", "metadata": {"tags": [tag]} if tag else {}, "source": source}
        markdown = source.startswith("#") and tag != "parameters"
        made.append({**about, "cell_type": "markdown"} if markdown else
                    {**about, "cell_type": "code", "outputs": [], "execution_count": None})  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="session")
def _wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Wheels of the workbench and of what else no index has, each in a folder called by its key, as runs keep them."""
    from genai4eu.runs import kernel_packages

    made = tmp_path_factory.mktemp("wheels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("listing")))
        packages = json.loads(kernel_packages.listing())["local"]
        keys = {name: about["key"] for name, about in packages.items() if about["key"]}
        digests = {}
        for name, key in keys.items():
            (made / key).mkdir()
            about = json.loads(kernel_packages.wheel(name, str(made / key)))
            digests[path := made / key / about["file"]] = about["sha256"]
            path.chmod(0o444)  # records share it
    yield made
    spoilt = [p for p, digest in digests.items() if hashlib.sha256(p.read_bytes()).hexdigest() != digest]
    assert not spoilt, f"a test wrote into what others read: {spoilt}"


@pytest.fixture
def made_before(_wheels: Path, house: Path) -> None:
    """Put wheels where a run looks for them: to make the workbench's takes half a second of a processor.

    A user's first run makes it, as in ``runs/test_environment.py``, which puts nothing there.
    """
    shutil.copytree(_wheels, house / "cache" / "genai4eu" / "wheels", copy_function=os.link)


@pytest.fixture
def notebook(house: Path, made_before: None) -> Callable[..., Path]:
    """Write a notebook of the given cells; a cell is its source, or (tag, source)."""

    def write(*cells: tuple[str, str] | str, name: str = "study.ipynb") -> Path:
        path = house / name
        path.write_text(json.dumps(as_notebook(*cells)), encoding="utf-8")
        return path

    return write


@pytest.fixture
def genai4eu(house: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as a user would, in a process of its own, from the private folder."""

    def call(*arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return shared()(*arguments, cwd=house, timeout=timeout)

    return call


@pytest.fixture
def root() -> Iterator[Path]:
    """The repository."""
    yield ROOT
