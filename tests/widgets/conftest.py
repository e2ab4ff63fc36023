"""Bare pages that show one widget: what the tests in Chromium open."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from genai4eu import widgets

from ..barriers import COLOURS, barriers_in

#: What a model does that has nothing of its own to do: everyone who listens hears of a change.
HEARD = "listeners.forEach((f) => f());"
#: A page as a dashboard has it: light or dark as the visitor asks.
_PAGE = (
    "<style>:root { color-scheme: light dark } body { margin: 16px; font: 17px/1.5 system-ui, sans-serif } "
    "@media (prefers-color-scheme: dark) { body { background: #0f1720; color: #e9eef3 } }</style>"
)


def open_widget(
    page: Page,
    folder: Path,
    script: str,
    state: Mapping[str, Any],
    save: str = HEARD,
    send: str = "",
    style: str = "",
    frozen: bool = False,
) -> list[str]:
    """Show a widget on a bare page, with a model that stands for the kernel's; return what fails or leaves.

    Parameters
    ----------
    page : Page
        Of Chromium.
    folder : Path
        Where the page is written.
    script : str
        Name of the widget's module, or the module itself.
    state : mapping
        Of the model; bytes arrive as a ``DataView``. The page has it as ``window.state``.
    save, send : str
        JavaScript of the model's ``save_changes``, and of its ``send``, which has the message as ``message``; the page
        has what was sent as ``window.sent``.
    style : str
        The widget's style sheet.
    frozen : bool
        Whether no kernel stands behind it, as on a page of stored widgets.
    """
    code = script if "\n" in script else Path(widgets.__file__).with_name(script).read_text(encoding="utf-8")
    code = code.replace("export default", "const widget =").replace("export function", "function")
    plain = {name: value for name, value in state.items() if not isinstance(value, bytes)}
    coded = {name: base64.b64encode(v).decode() for name, v in state.items() if isinstance(v, bytes)}
    written = json.dumps(plain).replace("</", "<\\/")  # no text may end the script
    file = folder / "page.html"
    file.write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>widget</title>{_PAGE}<style>{style}</style>
        <main><h1>Widget</h1><div id="here" class="{"jupyter-widgets-disconnected" if frozen else ""}"></div></main>
        <script type="module">{code}
        const state = {written}, listeners = [];
        for (const [name, text] of Object.entries({json.dumps(coded)}))
          state[name] = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
        window.state = state; window.sent = [];
        window.tell = (news) => {{ Object.assign(state, news); {HEARD} }};
        const model = {{ get: (name) => state[name], set: (name, value) => {{ state[name] = value; }},
          on: (name, f) => listeners.push(f), off: () => listeners.splice(0), save_changes: () => {{ {save} }},
          send: (message) => {{ window.sent.push(message); {send} }} }};
        window.end = widget.render({{ model, el: document.getElementById("here") }});</script></html>""",
        encoding="utf-8",
    )
    faults = faults_of(page)
    page.goto(file.as_uri())
    return faults


def open_panel(page: Page, folder: Path, panel: Any, **more: Any) -> list[str]:
    """Show a widget on a bare page, with its own state."""
    names = [name for name in panel.trait_names(sync=True) if not name.startswith("_") and name not in _BASE]
    state = {name: getattr(panel, name) for name in names}
    return open_widget(page, folder, str(panel._esm), state, style=str(getattr(panel, "_css", "")), **more)


_BASE = ("layout", "tabbable", "tooltip", "comm")


def look(browser: Browser, width: int, colours: Any) -> Page:
    """Return a page of this width in these colours."""
    return browser.new_page(viewport={"width": width, "height": 900}, color_scheme=colours)


def each_look(browser: Browser) -> Iterator[tuple[Page, int, str]]:
    """Yield a wide and a narrow page, in the light and in the dark: the same one, as another is another process."""
    page = browser.new_page()
    for width in (1280, 320):
        for colours in COLOURS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=colours)
            yield page, width, colours
    page.close()


def without_barriers(page: Page, faults: list[str]) -> None:
    """Hold a page to what every page must be: no barriers, nothing that fails or leaves, no sideways scrolling.

    What can be touched is 44 px high, or stands in a label that is.
    """
    assert not (found := barriers_in(page)), found
    assert not faults, faults
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea, summary, a")].map((n) => {
          const box = (n.matches("[type=radio], [type=checkbox]") && n.closest("label") || n).getBoundingClientRect();
          return [n.outerHTML.slice(0, 120), box.height, box.width]; })
          .filter(([, high, wide]) => high && (high < 43.9 || wide < 43.9))"""
    )
    assert not small, small


def faults_of(page: Page, near: tuple[str, ...] = ("file:",)) -> list[str]:
    """Return a list that will hold what fails on a page, and the addresses it asks for other than those ``near``."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(near) else faults.append(request.url))
    return faults
