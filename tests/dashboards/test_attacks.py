"""What a hostile author or page may try: scripts in words, another page around ours."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Dialog

from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from .conftest import RUN, execute

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
ADDRESS = f"d/{'-'.join(RUN.split('-')[2:])}/"
HOSTILE = "</title></script><img src=x onerror=\"alert('ran')\"><script>alert('ran')</script>"
ALIVE = "<details open ontoggle=\"alert('ran')\">x</details><script>alert('ran')</script>"
SAID = json.dumps(f"<b>Yes</b>, in 2 of 2. {ALIVE} <a href=\"javascript:alert('ran')\">more</a>")
CELLS = [
    ("parameters", "seed: int = 0  # <script>alert('ran')</script> [1] in 0..99"),
    ("", "import genai4eu\nrun = genai4eu.current_run()\n"
         "(run.outputs / \"<img src=x onerror=alert('ran')>.txt\").write_text('x')\n"
         "run.metric(\"peak\", 0.5, unit=\"<script>alert('ran')</script>\")"),
    ("dashboard", f"# Is it there? {ALIVE}"),
    ("dashboard", f"from IPython.display import HTML, Markdown, display\ndisplay(Markdown({SAID}), HTML({SAID}))"),
    ("dashboard", f"import ipywidgets as w\nw.HTML({SAID}, description='Text')"),
]  # fmt: skip


def test_words_of_a_hostile_run_run_no_script_on_any_page(browser: Browser, house: Path) -> None:
    publish(Record(execute(house / "runs" / RUN, CELLS)), title=f"Wave {HOSTILE}"[:300], summary=f"Yes {HOSTILE}"[:300])
    with running(dashboards_root()) as server:
        page = browser.new_page()
        ran: list[str] = []
        hosts: set[str] = set()

        def dismiss(dialog: Dialog) -> None:
            ran.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", dismiss)
        page.on("request", lambda request: hosts.add(httpx.URL(request.url).host))
        for path in ("", ADDRESS, ADDRESS + "evidence", "kiosk"):
            answer = page.goto(server.address + path)
            assert answer is not None and answer.status == 200, path
            page.wait_for_load_state("networkidle")
            for link in page.locator("a[href^='javascript:']:visible").all():  # an HTML widget keeps its author's links
                link.click()
        assert not ran and hosts <= {"127.0.0.1", ""}, (ran, hosts)
        page.close()


def test_a_page_of_another_origin_cannot_show_ours_in_a_frame(browser: Browser, server: Server, tmp_path: Path) -> None:
    (tmp_path / "around.html").write_text(f"<iframe src='{server.address}{ADDRESS}'></iframe>", "utf-8")
    handler: Callable[..., Any] = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
        page = browser.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.goto(f"http://127.0.0.1:{elsewhere.server_port}/around.html")
        page.wait_for_load_state("networkidle")
        assert page.frame_locator("iframe").get_by_text("higher wave").count() == 0
        assert any("frame-ancestors" in text for text in told), told
        page.close()
        elsewhere.shutdown()
