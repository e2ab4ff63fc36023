"""The process of the live views, from the side of the server that follows it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genai4eu.dashboards.live.tier import Tier


@pytest.mark.parametrize("turns", range(5))
def test_the_server_stops_also_in_the_moment_in_which_the_tier_says_something(tmp_path: Path, turns: int) -> None:
    async def stop() -> None:
        said = asyncio.StreamReader()
        tier = Tier(tmp_path, 1, lambda session: None)
        following = asyncio.create_task(tier._follow(cast(Any, SimpleNamespace(stdout=said))))
        await asyncio.sleep(0)
        said.feed_data(b"kernels 1\n")
        for _ in range(turns):  # of the loop, of which the line takes some
            await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait([following], timeout=5)
        assert following.cancelled()

    asyncio.run(stop())
