"""A real Chromium in a seat. Called by recording, and by the rehearsal where ``--browsers`` asks for some."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
#: Milliseconds after which a page has failed.
_PATIENCE = 180_000


@dataclass(frozen=True)
class Visit:
    """What a real browser needed.

    Attributes
    ----------
    seconds : float
        From the code to the first executed cell.
    fault : str
        What went wrong; empty if nothing did.
    """

    seconds: float
    fault: str = ""


def absent() -> str:
    """Return why there is no real browser; empty where there is one."""
    try:
        import playwright.async_api  # noqa: F401
    except ImportError:
        return "Playwright is not installed: pip install playwright"
    return "" if _found() else "no Chromium is installed"


def _found() -> str:
    return next((path for name in _NAMES if (path := shutil.which(name))), "")


@contextlib.asynccontextmanager
async def launched() -> AsyncIterator[Any]:
    """Run a browser for the time of a ``with``."""
    from playwright.async_api import async_playwright

    options = [*_OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]  # root cannot have Chromium's own
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_found(), args=options)
        try:
            yield browser
        finally:
            await browser.close()


async def signed_in(page: Any, address: str, code: str) -> float:
    """Type the code, wait until the lesson is shown and its kernel idle, and return when the code was typed."""
    page.set_default_timeout(_PATIENCE)
    await page.goto(address)
    await page.fill("[name=code]", code)
    typed = time.monotonic()
    await page.click("form button")
    await page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    await page.wait_for_function("document.body.innerText.includes('| Idle')")
    return typed


async def executed(page: Any) -> None:
    """Execute the lesson's first cell with code, as a participant does."""
    await page.click(".jp-Notebook .jp-CodeCell .cm-content")
    await page.keyboard.press("Shift+Enter")
    await page.wait_for_function("/[0-9]/.test(document.querySelector('.jp-CodeCell .jp-InputPrompt').textContent)")


async def visited(address: str, code: str) -> Visit:
    """Be a participant with a real browser."""
    async with launched() as browser:
        page = await browser.new_page()
        try:
            typed = await signed_in(page, address, code)
            await executed(page)
        except _errors() as error:
            return Visit(0.0, str(error).splitlines()[0])
        return Visit(time.monotonic() - typed)


def _errors() -> type[Exception]:
    from playwright.async_api import Error

    return Error
