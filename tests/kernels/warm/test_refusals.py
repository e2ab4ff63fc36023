"""When no fork can serve: an ordinary start, and one line that says why."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.warm import client
from genai4eu.kernels.warm.channel import connect
from genai4eu.kernels.warm.place import Place, base, place_of

from ... import stack
from ...stack import ALL as LEFT_OUT  # noqa: F401  # kernels are looked at, and not what they compute
from .conftest import Kernel

pytestmark = pytest.mark.slow

Start = Callable[..., Kernel]


def why(capfd: pytest.CaptureFixture[str]) -> str:
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("genai4eu: an ordinary")]
    assert len(lines) <= 1
    return lines[0] if lines else ""


def test_off_is_silent(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    assert not start({"GENAI4EU_WARM": "off"}).warm
    assert why(capfd) == ""


@pytest.mark.parametrize("name", ["PYTHONPATH", "LD_LIBRARY_PATH", "OMP_SCHEDULE", "HOME"])
def test_a_variable_that_was_read_at_import(template: Any, start: Start, capfd: Any, name: str, tmp_path: Path) -> None:
    kernel = start({name: str(tmp_path)})
    assert not kernel.warm and f"{name} differs" in why(capfd)
    assert kernel.value(f"os.environ[{name!r}]", "import os") == str(tmp_path)


def test_no_template_yet(
    warm_home: dict[str, str], start: Start, capfd: Any, tmp_path: Path, monkeypatch: Any, until: Any
) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("GENAI4EU_WARM_IDLE", "1")
    try:
        assert not start().warm and "is being started" in why(capfd)
        until(lambda: client.status() and client.status()[0]["state"] == "ready")
        kernel = start()
        assert kernel.warm and not why(capfd)
        kernel.close()
        until(lambda: client.status() == [] and not base().exists())  # idle: it ends, and leaves nothing
    finally:
        client.stop()


def test_a_template_that_hangs(template: dict[str, Any], start: Start, capfd: Any) -> None:
    os.kill(template["pid"], signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert not start().warm and "does not answer" in why(capfd)
        assert not start().warm and "does not answer" in why(capfd)
        assert time.monotonic() - began < 20
    finally:
        os.kill(template["pid"], signal.SIGCONT)
        client._hung.clear()
    assert start().warm


IN_A_PIPE = """
from jupyter_client import KernelManager
manager = KernelManager(kernel_name="genai4eu")
manager.start_kernel()
manager.shutdown_kernel(now=True)
print("done")
"""


def test_a_template_that_hangs_keeps_nobodys_pipe(template: dict[str, Any]) -> None:
    os.kill(template["pid"], signal.SIGSTOP)
    try:
        command = [sys.executable, "-P", "-c", IN_A_PIPE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == "done\n" and "does not answer" in done.stderr
        trouble = client.trouble()
        assert trouble is not None and trouble.endswith("type genai4eu warm stop")
    finally:
        os.kill(template["pid"], signal.SIGCONT)
    assert client.trouble() is None


def test_what_was_installed_has_changed(start: Start, capfd: Any, tmp_path: Path, monkeypatch: Any, until: Any) -> None:
    """Also: a use case's warm imports are there, and what is broken or starts a thread is left out."""
    about = tmp_path / "packages" / "probe-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[genai4eu.usecases]\nprobe = probe:USECASE\nbroken = nowhere:USECASE\n")
    (about.parent / "probe.py").write_text(
        "USECASE = {'warm_imports': ['probe_heavy', 'probe_absent', 'probe_busy']}\n"
    )
    (about.parent / "probe_heavy.py").write_text("")
    busy = "import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
    (about.parent / "probe_busy.py").write_text(busy)
    monkeypatch.setenv("PYTHONPATH", str(about.parent))
    monkeypatch.setenv("GENAI4EU_WARM_OWNER", "probe")
    assert client.ensure(wait=True)
    (status,) = [about for about in client.status() if about.get("owner") == "probe"]
    assert "probe_heavy" in status["imports"] and {"broken", "probe_absent"} <= set(status["skipped"])
    assert status["skipped"]["probe_busy"] == "its import starts a thread"
    first = start()
    assert first.warm
    assert first.value("threading.active_count() > 1", "import threading, probe_busy")
    about.rename(about.with_name("probe-1.1.dist-info"))
    time.sleep(0.3)
    assert not start().warm and "probe-1." in why(capfd)
    assert first.value("1 + 1") == 2
    until(lambda: client.ask(client.place_for(sys.executable, os.environ), "status"))
    assert start().warm and first.value("2 + 2") == 4
    first.manager.shutdown_kernel()
    assert first.process is None or first.process.poll() == 0  # the old template still tells how it ended
    client.stop()


def test_a_folder_that_others_can_reach(start: Start, capfd: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "run" / "genai4eu-warm").mkdir(parents=True)
    (tmp_path / "run" / "genai4eu-warm").chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert not start().warm and "not yours alone" in why(capfd)
    command = [str(Path(sys.executable).with_name("genai4eu")), "warm", "status"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "" and "not yours alone: remove it, or set XDG_RUNTIME_DIR" in said.stderr


def test_owners_and_interpreters_have_templates_of_their_own() -> None:
    places = [place_of(i, o).folder for i in ("/bin/a", "/bin/b") for o in ("", "ana", "bor")]
    assert len(set(places)) == 6
    assert place_of("/bin/a", "ana").folder == places[1]


def test_other_users_are_not_answered(template: dict[str, Any]) -> None:
    """Even where the file's mode would let them in."""
    if os.getuid() != 0:
        pytest.skip("needs root, to be another user")
    code = (
        "import os, socket, sys\nfd = os.open(sys.argv[1], os.O_PATH)\n"
        "os.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX)\ns.settimeout(5)\ns.connect(f'/proc/self/fd/{fd}/socket')\n"
        's.sendall(b\'\\x11\\0\\0\\0{"ask": "status"}\')\nprint(s.recv(100))\n'
    )
    place = Place(Path(template["folder"]))
    modes = {path: path.stat().st_mode for path in (place.folder, place.socket)}
    place.folder.chmod(0o755)
    place.socket.chmod(0o666)
    try:
        said = subprocess.run([sys.executable, "-c", code, place.folder], capture_output=True, text=True, timeout=20)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert said.stdout.strip() == "b''" or "Broken pipe" in said.stderr or "reset" in said.stderr, said


@pytest.mark.parametrize(
    "said",
    [b"", b"\x05\0\0\0hello", b"\xff\xff\xff\xff", b"\x02\0\0\0[]", b'\x0f\0\0\0{"ask": "kernel"}'[:19]]
    + [
        struct.pack("<I", len(m)) + m
        for m in (b"{}", b'{"ask": "kernel"}', b'{"ask": "go"}', b'{"ask": []}', b'{"ask": 1}')
    ],
)
def test_nonsense_does_not_end_the_template(template: dict[str, Any], said: bytes) -> None:
    channel = connect(Place(Path(template["folder"])).socket, 5)
    channel.sock.sendall(said)
    channel.sock.shutdown(socket.SHUT_WR)
    channel.close()
    assert template["pid"] in [about["pid"] for about in client.status()]


def test_a_client_that_loses_patience_gets_no_kernel(template: dict[str, Any], start: Start, until: Any) -> None:
    """An offer that nobody takes goes back, and no kernel is left with nobody's connection file."""
    from genai4eu.kernels.warm.adopt import describe

    place = Place(Path(template["folder"]))
    for _ in range(5):
        channel = connect(place.socket, 5)
        request = {"env": dict(os.environ), "connection_file": "/none", "options": [], "cwd": "/", **describe()}
        channel.send({**request, "ask": "kernel", "fds": []})
        message, fds = channel.receive()
        assert "pid" in message, message
        assert len(fds) == 1
        os.close(fds[0])
        channel.close()
    assert start().warm
    about = client.ask(place, "status")
    assert about and about["kernels_started"] == template["kernels_started"] + 1


def test_a_template_that_cannot_start_says_why(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "genai4eu").mkdir()
    (tmp_path / "genai4eu" / "__init__.py").write_text("raise SystemExit('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GENAI4EU_WARM_OWNER", "broken")
    with pytest.raises(KernelsError, match="broken on purpose"):
        client.ensure(wait=True)
    trouble = client.trouble()
    assert trouble is not None and "could not start: broken on purpose: see /" in trouble and "\n" not in trouble


@pytest.fixture
def heavy(in_warm_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another template, with a part of the science stack: what it takes of memory is told."""
    monkeypatch.setenv("GENAI4EU_WARM_OWNER", "heavy")
    monkeypatch.setenv(stack.WITHOUT, stack.SECTORS)


@pytest.mark.usefixtures("heavy")
def test_command_line(template: dict[str, Any], kernel: Kernel) -> None:
    command = [str(Path(sys.executable).with_name("genai4eu")), "warm"]

    def said(*arguments: str) -> str:
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout

    (about,) = [a for a in json.loads(said("status", "--json")) if a["pid"] == template["pid"]]
    assert about["kernels"] == [kernel.process.pid] and about["memory"] > 50 << 20
    assert f"template {template['pid']}" in said("status") and "1 running" in said("status")
    assert "ended" in said("stop") and json.loads(said("status", "--json")) == []
    assert said("status").startswith("no template is running")
    assert kernel.value("1 + 1") == 2


@pytest.mark.parametrize("name", ["GENAI4EU_WARM_IDLE", "GENAI4EU_WARM_AHEAD"])
def test_a_setting_that_says_nothing_is_named(start: Start, capfd: Any, monkeypatch: Any, name: str) -> None:
    monkeypatch.setenv(name, "abc")
    monkeypatch.setenv("GENAI4EU_WARM_OWNER", "abc")  # one whose template is not there yet
    assert not start().warm
    assert f"{name} is 'abc': give " in why(capfd)
    assert "abc" not in [about.get("owner") for about in client.status()]
    assert f"{name} is 'abc'" in str(client.trouble())
