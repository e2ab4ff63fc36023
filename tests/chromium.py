"""Starts Debian's Chromium for tests: quiet, so that it asks nobody on its own; with WebGL in software where asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

QUIET = (
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--js-flags=--max-lazy --no-flush-bytecode",  # tests look at a page for a moment: a tenth less of a processor
)
#: Without a graphics card and without WebGL: what most pages need, and what starts soonest.
FLAT = ("--disable-gpu",)
#: WebGL without a graphics card.
SOFTWARE = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")


@contextmanager
def launched(chromium_path: str, *options: str) -> Iterator[Browser]:
    """Run a browser for the time of a ``with``: flat unless ``options`` say otherwise.

    One at a time in a process: Playwright allows no second one beside it.
    """
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=[*QUIET, *(options or FLAT)])
        yield started
        started.close()
