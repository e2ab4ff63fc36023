"""Signing in with a real browser, which sends what it wants to: origin, cookies, referrer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jupyter_server.auth.security import passwd
from playwright.sync_api import Browser

from genai4eu.dashboards.access import admission
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import running

pytestmark = [pytest.mark.chromium, pytest.mark.slow]


def test_signing_in_and_out(published: Published, tmp_path: Path, browser: Browser) -> None:
    admission.let_in(Dashboard(dashboards_root() / published.slug), "private")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"IdentityProvider": {"hashed_password": passwd("sesame", "sha256")}}), "utf-8")
    with running(dashboards_root(), config=config) as server:
        page = browser.new_page(locale="en")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.address}d/{published.slug}/")
        page.click("text=Sign in >> nth=-1")
        page.fill("#password", "wrong")
        page.click("main button")
        page.wait_for_selector("#wrong")
        page.fill("#password", "sesame")
        page.click("main button")
        page.wait_for_url(f"**/d/{published.slug}/")
        assert "Does a higher wave carry further?" in page.inner_text("h1")
        page.goto(f"{server.address}sign-in")
        page.click("text=Sign out")
        page.wait_for_url(server.address)
        answer = page.goto(f"{server.address}d/{published.slug}/")
        assert answer is not None and answer.status == 404
        assert all(url.startswith((server.address, "data:", "blob:")) for url in asked)
