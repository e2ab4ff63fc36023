"""What a run keeps comes home from a gateway: in pieces, through broken connections, or later."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.kernels import transfer
from genai4eu.kernels.connect import connect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway import process
from genai4eu.runs import aside, reach, sources
from genai4eu.runs.attempts import LEASE
from genai4eu.runs.collect import NotHome, Part, collect
from genai4eu.runs.control import cancel
from genai4eu.runs.home import fetch
from genai4eu.runs.record import Record
from genai4eu.runs.seal import check
from genai4eu.runs.store import all_runs, find

from ..kernels.proxy import Proxy

pytestmark = pytest.mark.slow  # nearly every test starts kernels or servers

Write = Callable[..., Path]
PARAMETERS = ("parameters", "n: int = 3  # count [1] in 1..5")
TARGET = "factory-genai4eu"
SIZE = 20_000_000
KEEP = (
    "import genai4eu, os\nrun = genai4eu.current_run()\n(run.outputs / 'deep ü').mkdir()\n"
    f"(run.outputs / 'deep ü' / 'big.bin').write_bytes(os.urandom(1000) * {SIZE // 1000})\n"
    "(run.outputs / os.fsdecode(b'odd \\xff')).write_text('odd')\n"
    "(run.outputs / 'empty').touch()\nos.symlink('empty', run.outputs / 'link')"
)


@pytest.fixture
def far(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[process.GatewayProcess, Proxy]]:
    """A gateway whose kernels' folders cannot be seen from here, behind a network that can be spoilt."""
    monkeypatch.setattr(sources, "_is", lambda folder, owner: False)
    with process.start(house / "gateway") as gateway:
        proxy = Proxy(int(gateway.url.rpartition(":")[2]))
        connect("factory", proxy.url, gateway.token_file)
        yield gateway, proxy
        proxy.close()


def kept(record: Record) -> None:
    """Make sure that all is at home, and that the record is whole."""
    names = {str(p.relative_to(record.outputs)) for p in record.outputs.rglob("*") if p.is_file()}
    assert names == {"deep ü/big.bin", "empty", "link", "odd \\xff"}
    assert (record.outputs / "deep ü" / "big.bin").stat().st_size == SIZE
    assert record.sealed and check(record).whole and not aside.of(record.folder).exists()


def left(house: Path) -> list[Path]:
    return [p for p in (house / "scratch").rglob("*") if p.is_file()]


def test_through_the_gateway_and_a_network_that_breaks(
    far: tuple[process.GatewayProcess, Proxy], notebook: Write, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, proxy = far
    asked: list[str] = []
    plain = sources.FromKernel.copy

    def count(source: sources.FromKernel, entry: dict[str, Any], sink: Any) -> None:
        asked.append(entry["path"])
        plain(source, entry, sink)

    monkeypatch.setattr(sources.FromKernel, "copy", count)
    told: list[int] = []

    def listen(event: str, data: dict[str, Any]) -> None:
        if event == "collect":
            told.append(data["done"])
            if len(told) in (2, 6):
                proxy.cut()

    record = genai4eu.run(notebook(PARAMETERS, KEEP), on=TARGET, listener=listen)
    assert (record.info["status"], record.info["error"]) == ("completed", None)
    kept(record)
    assert asked == ["outputs/link"]  # links are the kernel's to follow, as long as it is there
    assert told == sorted(told) and told[-1] == SIZE + 3  # nothing came twice
    assert not left(house)


def test_where_the_gateway_offers_nothing_the_kernel_is_asked(
    far: tuple[process.GatewayProcess, Proxy], notebook: Write, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "offered", lambda gateway: False)
    record = genai4eu.run(notebook(PARAMETERS, KEEP), on=TARGET)
    assert record.info["status"] == "completed"
    kept(record)
    assert not left(house)


def test_a_full_disk_here_loses_nothing_there(
    far: tuple[process.GatewayProcess, Proxy], notebook: Write, house: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = notebook(PARAMETERS, KEEP)

    def listen(event: str, data: dict[str, Any]) -> None:
        if event == "collect":  # as if the disk filled up while the file arrives
            resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, hard))

    try:
        record = genai4eu.run(path, on=TARGET, listener=listen)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    info = record.read("run.json")
    assert (info["status"], record.sealed) == ("failed", False)
    assert "is full" in info["error"] and f"genai4eu runs fetch {record.id}" in info["error"]
    assert left(house), "it is still there"
    assert find(record.id).info["status"] == "failed"
    (link,) = (house / "scratch").rglob("link")
    link.unlink()
    link.symlink_to("/etc/hostname")
    with pytest.raises(WorkbenchError, match="outputs/link: only links there"):  # the kernel could have read it
        fetch(record, nobody)
    link.unlink()
    link.symlink_to("../outputs/empty")
    fetch(record, nobody)
    assert (record.info["status"], record.info["error"]) == ("completed", None)
    kept(record)
    assert not left(house)
    fetch(record, nobody)  # nothing is left to do, which is no fault


def test_a_killed_runner_leaves_what_can_be_fetched_as_long_as_it_is_there(
    far: tuple[process.GatewayProcess, Proxy], notebook: Write, house: Path
) -> None:
    gateway, _ = far
    for fate in ("fetched", "lost"):
        path = notebook(
            PARAMETERS,
            KEEP.replace("os.symlink('empty', ", "(lambda a, b: b.touch())('', "),
            "import time; time.sleep(300)",
        )
        command = [sys.executable, "-P", "-m", "genai4eu", "run", str(path), "--on", TARGET]
        runner = subprocess.Popen(command, cwd=house, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while len([p for p in left(house) if p.name in ("link", "empty")]) < 2:
            assert runner.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        record = find(all_runs()[0].id)  # "the next command"
        assert (record.info["status"], record.sealed) == ("died", False)
        if fate == "fetched":
            fetch(record, nobody)
            assert record.info["status"] == "died"
            kept(record)
            continue
        shutil.rmtree(house / "scratch")
        with pytest.raises(WorkbenchError, match=r"what it kept is not home .*has no such file of this run"):
            fetch(record, nobody)
        gateway.stop()
        with pytest.raises(KernelsError, match="does not answer"):
            fetch(record, nobody)
        assert not record.sealed  # until the day that was said


class Fixed:
    """A source with one file."""

    links = True

    def __init__(self, path: str, data: bytes, digest: str) -> None:
        self.entry = {"path": path, "size": len(data), "sha256": digest, "link": False}
        self.data = data
        self.given: list[int] = []
        self.removed = False

    def listing(self) -> list[dict[str, Any]]:
        return [self.entry]

    def copy(self, entry: dict[str, Any], sink: Any) -> None:
        self.given.append(sink.tell())
        sink.write(self.data[sink.tell() :])

    def remove(self) -> None:
        self.removed = True


def nobody(event: str, data: dict[str, Any]) -> None:
    """Listen to nothing."""


GOOD = "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447"  # of b"hello world\n"


def test_nothing_is_removed_before_its_checksum_agrees(tmp_path: Path) -> None:
    wrong = Fixed("outputs/a", b"hello world!", GOOD)
    with pytest.raises(NotHome, match="changed on its way from the kernel, twice"):
        collect(wrong, tmp_path, tmp_path / "parts", nobody)
    assert not wrong.removed and not (tmp_path / "outputs").exists()
    right = Fixed("outputs/a", b"hello world\n", GOOD)
    part = Part(tmp_path / "parts" / GOOD, lambda size: None)
    part.write(b"hello")  # of an earlier try
    part.close()
    collect(right, tmp_path, tmp_path / "parts", nobody)
    assert right.removed and right.given == [5]
    assert (tmp_path / "outputs" / "a").read_bytes() == b"hello world\n"


@pytest.mark.parametrize("path", ["../x", "/etc/x", "run.json", "outputs/../run.json", "outputs", "outputs/\0", ""])
def test_a_kernel_cannot_name_a_file_outside(path: str, tmp_path: Path) -> None:
    evil = Fixed(path, b"hello world\n", GOOD)
    with pytest.raises(WorkbenchError, match="names a file outside the run's folder"):
        collect(evil, tmp_path, tmp_path / "parts", nobody)
    assert not evil.removed and not list(tmp_path.iterdir())


def test_no_room_is_said_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=5))
    source = Fixed("outputs/a", b"hello world\n", GOOD)
    with pytest.raises(NotHome, match="has room for 0 MB"):
        collect(source, tmp_path, tmp_path / "parts", nobody)
    assert not source.removed and not source.given


def test_what_may_hold_a_secret_stays_where_its_kernel_died(notebook: Write, house: Path) -> None:
    knows = "import genai4eu.redact\ngenai4eu.redact.keep_out('hush-hush', 'secret:x')"
    record = genai4eu.run(notebook(PARAMETERS, KEEP, knows, "os.kill(os.getpid(), 9)"))
    info = record.read("run.json")
    assert (info["status"], record.sealed) == ("died", True)
    assert "what it kept is not home (it may hold the value of a secret" in info["error"]
    assert not list(record.outputs.rglob("*")) and left(house)


def test_a_run_in_another_terminal_is_cancelled(notebook: Write, house: Path) -> None:
    path = notebook(PARAMETERS, KEEP, "import time; time.sleep(300)")
    command = [sys.executable, "-P", "-m", "genai4eu", "run", str(path)]
    with subprocess.Popen(command, cwd=house, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as runner:
        deadline = time.monotonic() + 120
        while not [p for p in left(house) if p.name == "empty"]:
            assert runner.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        (record,) = all_runs()
        cancel(record)
        assert runner.wait(30) != 0
    assert (record.info["status"], record.sealed) == ("cancelled", True)
    kept(record)
    with pytest.raises(WorkbenchError, match="has ended: cancelled"):
        cancel(record)
    assert [p.name for p in (house / "runs").iterdir()] == [record.id]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_gateway_that_dies_after_the_last_cell_is_not_waited_for_as_in_mid_cell(
    far: tuple[process.GatewayProcess, Proxy],
    notebook: Write,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    gateway, _ = far
    monkeypatch.setattr(reach, "PATIENCE", 2.0)
    monkeypatch.setattr(transfer, "PATIENCE", 2.0)
    told: list[str] = []

    def listen(event: str, data: dict[str, Any]) -> None:
        if event == "collect" and (when == "before" or data["done"] == data["total"]):
            gateway.process.kill()
        elif event == "notice":
            told.append(data["text"])

    began = time.monotonic()
    record = genai4eu.run(notebook(PARAMETERS, KEEP), on=TARGET, listener=listen)
    assert time.monotonic() - began < LEASE / 2, "it waited as long as the kernel is kept"
    info = record.read("run.json")
    if when == "after":
        assert (info["status"], info["error"], record.sealed) == ("completed", None, True)
        assert (record.outputs / "deep ü" / "big.bin").stat().st_size == SIZE
        assert any("all outputs are home" in text and "does not answer" in text for text in told)
        assert "all outputs are home" in (record.folder / "log.txt").read_text()
    else:
        assert (info["status"], record.sealed) == ("failed", False)
        assert "does not answer" in info["error"] and f"genai4eu runs fetch {record.id}" in info["error"]


def test_a_connection_that_breaks_in_mid_cell_is_told_to_who_waits(
    far: tuple[process.GatewayProcess, Proxy], notebook: Write, house: Path
) -> None:
    _, proxy = far
    cell = "import os, time\nprint('begun', flush=True)\nwhile not os.path.exists(path):\n    time.sleep(0.1)"
    told: list[str] = []

    def listen(event: str, data: dict[str, Any]) -> None:
        if event == "stream" and data["text"] == "begun\n":
            proxy.down()
        elif event == "notice":
            told.append(data["text"])
            if len(told) == 1:
                proxy.up()
        if any("connected again" in text for text in told):
            (house / "go").touch()

    path = notebook(PARAMETERS, f"path = {str(house / 'go')!r}\n{cell}")
    record = genai4eu.run(path, on=TARGET, listener=listen)
    assert record.info["status"] == "completed"
    assert told == ["no connection to the gateway; the kernel is kept for 600 s, connecting again …",
                    "connected again, nothing was lost"]  # fmt: skip
