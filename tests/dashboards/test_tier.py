"""The live tier's start and end: where its socket stands, what is told where it cannot start, and that it stops."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genai4eu.dashboards.live import tier, voila_process
from genai4eu.dashboards.live.proxy import TierGoneError


def test_a_deep_folder_for_temporary_files_does_not_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux takes no name of a socket beyond 107 bytes."""
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    for where, expected in ((deep, Path("/tmp")), (Path("/tmp"), Path("/tmp"))):
        monkeypatch.setattr(tempfile, "tempdir", str(where))
        folder = tier._folder()
        assert folder.parent == expected
        assert folder.stat().st_mode & 0o777 == 0o700
        folder.rmdir()
    assert list(deep.iterdir()) == []


def test_why_it_did_not_start_stands_in_the_servers_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'No module named voila' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    monkeypatch.setattr(tier, "_kernel", lambda: "python3")
    live = tier.Tier(tmp_path, 1, lambda _: None)

    async def scene() -> None:
        with pytest.raises(TierGoneError):
            await live.ready()
        async with asyncio.timeout(30):  # who waits is told first, then all is cleared up
            while live.pid is not None or live.socket.parent.exists():
                await asyncio.sleep(0.02)

    with caplog.at_level(logging.ERROR):
        asyncio.run(scene())
    assert "did not start: No module named voila" in caplog.text


def test_a_kernel_that_nobody_asks_for_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked may have gone, or lost patience, before its part was executed: then nobody ever ends it."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    kernels = voila_process.LiveKernels()
    kernels._kernel_connections = {"held": 1, "alone": 0}
    assert not kernels._forgotten("alone")
    now = voila_process.FORGOTTEN + 1
    assert kernels._forgotten("alone")
    assert not kernels._forgotten("held")
    kernels._kernel_connections["held"] = 0
    assert not kernels._forgotten("held"), "it is alone from now on"


@pytest.mark.parametrize("turns", range(5))
def test_the_server_stops_also_in_the_moment_in_which_the_tier_says_something(tmp_path: Path, turns: int) -> None:
    async def stop() -> None:
        said = asyncio.StreamReader()
        one = tier.Tier(tmp_path, 1, lambda session: None)
        following = asyncio.create_task(one._follow(cast(Any, SimpleNamespace(stdout=said))))
        await asyncio.sleep(0)
        said.feed_data(b"kernels 1\n")
        for _ in range(turns):  # of the loop, of which the line takes some
            await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait([following], timeout=5)
        assert following.cancelled()

    asyncio.run(stop())
