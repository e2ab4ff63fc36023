"""Hostile words in everything that a run says of itself, through publishing to each page and file: they stay words."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
import yaml
from playwright.sync_api import Browser, Dialog

from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.pages.citation import Citation
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import running
from genai4eu.runs.record import Record

from .conftest import seal

#: Leaves an attribute, a title, a script and JSON in one; breaks a header, a BibTeX entry, YAML and a path.
WORD = (
    "x\"'></title></script><img src=x onerror=\"alert('ran')\"><script>alert('ran')</script>}}\r\n"
    "Set-Cookie: a=b\r\n../../{{7*7}}: &a"
)
PATHS = (
    "",
    "evidence",
    "notebook.ipynb",
    "parameters.json",
    "citation.cff",
    "qr.svg",
    "record.zip",
    "card.json",
    "card.md",
)


def _hostile(found: Any) -> Any:
    """Return plain data with hostile words in place of every text, and behind every name."""
    if isinstance(found, dict):
        return {name: _hostile(value) for name, value in found.items()}
    return WORD if isinstance(found, str) else found


@pytest.fixture
def published(record: Record) -> Published:
    """A dashboard of a run whose files were written by somebody hostile, and sealed."""
    told = json.loads((record.folder / "run.json").read_text("utf-8"))
    kept = {name: told[name] for name in ("id", "status", "started", "ended", "template")}
    hostile = {**_hostile(told), **kept, "usecase": WORD, "usecase_version": WORD, "error": None}
    (record.folder / "run.json").write_text(json.dumps(hostile), "utf-8")
    (record.folder / "parameters.json").write_text(json.dumps({"seed": 0, f"p{WORD}": WORD}), "utf-8")
    metric = {"value": 0.5, "unit": WORD, "better": "higher"}
    names = [f"{who}_{WORD}" for who in ("model", "baseline")]
    (record.folder / "metrics.json").write_text(json.dumps(dict.fromkeys([*names, WORD], metric)), "utf-8")
    (record.folder / "environment.json").write_text(
        json.dumps({"python": WORD, "packages": {WORD: WORD, "numpy": WORD}}), "utf-8"
    )
    notebook = json.loads(record.notebook_path.read_text("utf-8"))
    notebook["metadata"] |= {"authors": [{"name": WORD}], "genai4eu": {"headline": WORD}, "title": WORD}
    record.notebook_path.write_text(json.dumps(notebook), "utf-8")
    (record.folder / "outputs" / re.sub(r"[/\r\n]", "-", WORD)[:200]).write_text("x", "utf-8")
    seal(record.folder)
    line = WORD.replace("\r\n", " ")  # with such characters it is refused
    return publish(record, title=line, summary=line)


def test_files_and_headers_hold_them_as_words(published: Published) -> None:
    with running(dashboards_root()) as server, httpx.Client(base_url=f"{server.address}d/{published.slug}/") as client:
        answers = {path: client.get(path) for path in PATHS}
    for path, answer in answers.items():
        assert answer.status_code in (200, 404), path  # a run of no known use case has no card
        assert "set-cookie" not in answer.headers, path
        name = answer.headers.get("content-disposition", 'attachment; filename="a.b"')
        assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+"', name), name
    assert yaml.safe_load(answers["citation.cff"].text)["authors"] == [{"name": WORD.strip()}]
    ElementTree.fromstring(answers["qr.svg"].text)
    assert json.loads(answers["parameters.json"].text)[f"p{WORD}"] == WORD


def test_a_bibtex_entry_has_its_braces_in_pairs(published: Published) -> None:
    entry = Citation.of(Bundle(published.folder), "https://dashboards.example/d/x/").bibtex
    depth = 0
    for at, sign in enumerate(entry.rstrip()):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth > 0 or at < entry.index("{") or at == len(entry.rstrip()) - 1, "it ends before its end"
    assert depth == 0
    assert "textbraceright" in entry


@pytest.mark.chromium
@pytest.mark.slow
def test_on_no_page_they_run_or_become_elements(browser: Browser, published: Published) -> None:
    with running(dashboards_root()) as server:
        context = browser.new_context(bypass_csp=True)  # the policy would hide what the pages let through
        page = context.new_page()
        ran: list[str] = []

        def dismiss(dialog: Dialog) -> None:
            ran.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", dismiss)
        for path in ("", f"d/{published.slug}/", f"d/{published.slug}/evidence", "kiosk"):
            for language in ("en", "fr"):
                answer = page.goto(f"{server.address}{path}?lang={language}")
                assert answer is not None and answer.status == 200, path
                page.wait_for_load_state("networkidle")
                assert page.locator("img[src='x'], [onerror]").count() == 0, path
                assert "alert('ran')" in page.content(), f"{path} shows none of it: this shows nothing"
                assert "49: &" not in page.content(), f"{path} is a template twice"
        assert not ran
        context.close()
