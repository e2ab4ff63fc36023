"""Kernels of live views give memory back, once nobody has asked for a while."""

from __future__ import annotations

import asyncio
import ctypes
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from genai4eu.dashboards.live import thrift


def test_it_gives_back_once_after_the_last_of_many_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=given.append))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(thrift, "_IDLE", 0.05)
    handled: list[str] = []
    kernel: Any = SimpleNamespace(post_handler_hook=lambda: handled.append("by the kernel itself"))

    async def scene() -> None:
        thrift.begin(kernel)
        for _ in range(5):
            kernel.post_handler_hook()
        assert given == []
        await asyncio.sleep(0.2)

    asyncio.run(scene())
    assert len(handled) == 5, "what ipykernel does after a message is done all the same"
    assert given == [0]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    kernel: Any = SimpleNamespace(post_handler_hook=None)
    thrift.begin(kernel)
    assert kernel.post_handler_hook is None
