"""The evidence of a small dashboard, and a card for it. Called by tests of what a reader may ask."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
from bs4 import BeautifulSoup

from genai4eu.dashboards.serving.server import Server
from genai4eu.runs.record import Record

Change = Callable[[str, Callable[[Any], None]], Record]
CARD = {
    "question": "Does a higher wave carry further?",
    "intended_use": "To show how waves are judged.",
    "not_for": ["Warnings to ships."],
    "data": [
        {"name": "Waves", "description": "sines", "licence": "CC0", "provenance": "made here", "personal": "none"},
    ],
    "model": {
        "description": "A flow that draws waves.",
        "training": "On sines.",
        "baselines": ["a random forest"],
        "sources": ["Airy 1841"],
    },
    "metrics": {"reach_flow": "reach of the flow, m", "reach_forest": "reach of the forest, m"},
    "limits": ["No wind."],
    "objections": ["A sea is no sine."],
}
METRICS = {
    "reach_flow": {"value": 12.5, "unit": "m", "better": "higher"},
    "reach_flow_low": {"value": 11.0, "unit": "m"},
    "reach_flow_high": {"value": 14.0, "unit": "m"},
    "reach_forest": {"value": 9.25, "unit": "m"},
}


def page_of(server: Server, path: str = "d/tiny-wave-a1b2/evidence") -> BeautifulSoup:
    answer = httpx.get(server.address + path)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def section(page: BeautifulSoup, id: str) -> str:
    heading = page.find(id=id)
    assert heading and heading.parent
    return " ".join(heading.parent.get_text(" ").split())


def download(server: Server, path: str = "d/tiny-wave-a1b2/record.zip") -> zipfile.ZipFile:
    answer = httpx.get(server.address + path)
    assert answer.headers["content-type"] == "application/zip", answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))
