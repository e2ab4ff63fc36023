"""The QR code of a page: what a browser draws is read again as a phone would, and is the address of the page."""

from __future__ import annotations

import io

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser

from genai4eu.dashboards.access import admission
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server

pytestmark = pytest.mark.chromium


def _read(picture: bytes) -> list[str]:
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
    return [code.text for code in zxingcpp.read_barcodes(pixels)]


@pytest.mark.parametrize("version", ["", "v/1/"])
def test_the_picture_holds_the_address(server: Server, published: Published, browser: Browser, version: str) -> None:
    page = browser.new_page(viewport={"width": 300, "height": 300})
    address = f"{server.address}d/{published.slug}/{version}"
    page.goto(f"{address}qr.svg")
    assert _read(page.screenshot()) == [address]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_read_from_the_page_at_its_own_size(
    server: Server, published: Published, browser: Browser, scheme: str
) -> None:
    """A link has the longest address that there is, and so the finest code."""
    dashboard = Dashboard(dashboards_root() / published.slug)
    address = f"{server.address}l/{admission.add_link(dashboard)}/"
    page = browser.new_page(viewport={"width": 320, "height": 800}, color_scheme=scheme, device_scale_factor=2)  # type: ignore[arg-type]
    page.goto(address)
    code = page.locator(".share img")
    code.scroll_into_view_if_needed()
    assert _read(code.screenshot()) == [address]
    page.close()
