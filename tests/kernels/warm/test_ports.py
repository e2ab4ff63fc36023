"""Ports of kernels: what the system gives to others is not chosen."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from jupyter_client.connect import LocalPortCache

from genai4eu.kernels.warm import ports


def test_none_is_chosen_that_the_system_gives_to_others() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    chosen = [ports.find("127.0.0.1") for _ in range(100)]
    assert len(set(chosen)) == 100
    assert all(10_000 <= port < lowest for port in chosen)
    with socket.socket() as one:
        one.bind(("127.0.0.1", chosen[0]))  # free, as it was said


def test_a_port_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        draws = iter([taken.getsockname()[1], free := ports.find("127.0.0.1")])
        LocalPortCache.instance().currently_used_ports.discard(free)
        monkeypatch.setattr("random.SystemRandom.randrange", lambda *_: next(draws))
        assert ports.find("127.0.0.1") == free


def test_where_none_is_left_the_system_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "range").write_text("1024\t65535\n")
    monkeypatch.setattr(ports, "_RANGE", tmp_path / "range")
    asked: list[str] = []
    monkeypatch.setattr(LocalPortCache, "find_available_port", lambda _, ip: asked.append(ip) or 4711)
    assert ports.find("127.0.0.1") == 4711 and asked == ["127.0.0.1"]
    monkeypatch.setattr(ports, "_RANGE", tmp_path / "gone")
    assert ports.find("127.0.0.1") == 4711
