"""Bare pages that show one widget: what the tests in Chromium open."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from genai4eu import widgets

#: What a model does that has nothing of its own to do: everyone who listens hears of a change.
HEARD = "heard.forEach((f) => f());"


def open_widget(page: Page, folder: Path, script: str, state: Mapping[str, Any], save: str = HEARD) -> list[str]:
    """Show a widget on a bare page, with a model that stands for the kernel's; return what fails or leaves.

    Parameters
    ----------
    page : Page
        Of Chromium.
    folder : Path
        Where the page is written.
    script : str
        Name of the widget's module.
    state : mapping
        Of the model; bytes arrive as a ``DataView``. The page has it as ``window.state``.
    save : str
        JavaScript of the model's ``save_changes``.
    """
    code = Path(widgets.__file__).with_name(script).read_text(encoding="utf-8")
    code = code.replace("export default", "const widget =").replace("export function", "function")
    plain = {name: value for name, value in state.items() if not isinstance(value, bytes)}
    coded = {name: base64.b64encode(v).decode() for name, v in state.items() if isinstance(v, bytes)}
    file = folder / "page.html"
    file.write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>widget</title>
        <main><h1>Widget</h1><div id="here"></div></main><script type="module">{code}
        const state = {json.dumps(plain)}, heard = [];
        for (const [name, text] of Object.entries({json.dumps(coded)}))
          state[name] = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
        window.state = state;
        const model = {{ get: (name) => state[name], set: (name, value) => {{ state[name] = value; }},
          on: (name, f) => heard.push(f), off: () => heard.splice(0), save_changes: () => {{ {save} }} }};
        window.end = widget.render({{ model, el: document.getElementById("here") }});</script></html>""",
        encoding="utf-8",
    )
    faults = faults_of(page)
    page.goto(file.as_uri())
    return faults


def faults_of(page: Page, near: tuple[str, ...] = ("file:",)) -> list[str]:
    """Return a list that will hold what fails on a page, and the addresses it asks for other than those ``near``."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(near) else faults.append(request.url))
    return faults
