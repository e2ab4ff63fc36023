"""Ports of kernels: what somebody else may be given is not chosen."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.connect import LocalPortCache

from genai4eu.kernels.warm import ports

_CHOOSE = (
    "import json, sys; from genai4eu.kernels.warm import ports\n"
    "print(json.dumps([ports.find('127.0.0.1') for _ in range(100)]), flush=True); sys.stdin.read()"
)


def test_processes_choose_from_ports_of_their_own_and_not_from_the_systems() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    others = [subprocess.Popen([sys.executable, "-P", "-c", _CHOOSE], stdin=-1, stdout=-1, text=True) for _ in range(3)]
    chosen = [ports.find("127.0.0.1") for _ in range(100)]
    for other in others:
        assert other.stdout is not None
        chosen += json.loads(other.stdout.readline())
    for other in others:
        other.communicate()
    assert len(set(chosen)) == 400  # nobody has bound one yet
    assert all(10_000 < port < lowest for port in chosen)


def test_a_port_in_use_is_not_chosen() -> None:
    cache = LocalPortCache.instance()
    port = ports.find("127.0.0.1")
    cache.return_port(port)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        assert ports.find("127.0.0.1") != port


def test_where_none_is_left_the_system_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(_: LocalPortCache, ip: str) -> int:
        asked.append(ip)
        return 4711

    monkeypatch.setattr(LocalPortCache, "find_available_port", ask)
    monkeypatch.setattr(ports, "_RANGE", tmp_path / "range")
    assert ports.find("127.0.0.1") == 4711
    (tmp_path / "range").write_text("1024\t65535\n")
    assert ports.find("127.0.0.1") == 4711 and asked == ["127.0.0.1"] * 2
