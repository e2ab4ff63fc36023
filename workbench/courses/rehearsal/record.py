"""Record what Chromium sends in a seat, for browsers of the rehearsal to send the same: once for each JupyterLab.

``python -P -m genai4eu.courses.rehearsal.record ADDRESS CODE`` writes ``browser.json`` anew; ADDRESS and CODE are those
of a room's fresh seat. Needs Playwright and a Chromium; whoever rehearses needs neither.
"""

from __future__ import annotations

import asyncio
import base64
import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from genai4eu.kernels.wire import unpack_v1

from ...runs.files import write_text
from ..room.files import ADDRESS
from .chromium import executed, launched, signed_in
from .recording import FILE

_EVENTS = ("requestWillBeSent", "loadingFinished", "webSocketFrameSent")
#: What a request's time or a file's version would make unlike the next one.
_NOW = re.compile(r"(?<=[?&])\d{13}$")
_VERSION = re.compile(r"\.[0-9a-f]{8,20}\.js(\?v=[0-9a-f]+)?$")

#: Seconds that a browser is busy with itself at most, before it asks again; more of it is this computer's other work.
_PAUSE = 0.2
#: What waits for something to happen, or names what is this time's only.
_WAITS = re.compile(r"lesson/news\?.*seen=[^&]")


async def main(address: str, code: str) -> None:
    """Sign in, open the lesson, execute its first cell, and write down what was sent."""
    heard: list[tuple[str, dict[str, Any]]] = []
    async with launched() as browser:
        page = await browser.new_page()
        wire = await page.context.new_cdp_session(page)
        for name in _EVENTS:
            wire.on(f"Network.{name}", lambda told, name=name: heard.append((name, told)))
        await wire.send("Network.enable", {"maxPostDataSize": 1 << 20})
        await signed_in(page, address, code)
        await executed(page)
    version = importlib.metadata.version("jupyterlab")
    written = {"jupyterlab": version, "waves": waves(heard), "talk": talk(heard)}
    write_text(FILE, _lines(written))


def _lines(written: dict[str, Any]) -> str:
    """Return JSON with a line for each wave, so that a difference can be read."""
    rows = {name: ",\n  ".join(map(json.dumps, written[name])) for name in ("waves", "talk")}
    version = json.dumps(written["jupyterlab"])
    return f'{{"jupyterlab": {version},\n "waves": [\n  {rows["waves"]}],\n "talk": [\n  {rows["talk"]}]}}\n'


def waves(heard: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return requests in the order in which each had to wait for what came before.

    Those of a wave overlap; its pause are the seconds in which the browser was busy with itself before.
    """
    found: list[dict[str, Any]] = []
    end = 0.0
    for began, ended, method, path, body in sorted(_requests(heard)):
        if not found or began >= end:
            found.append({"pause": round(min(_PAUSE, max(0.0, began - end)), 3) if found else 0.0, "requests": []})
        found[-1]["requests"].append([method, path, *([body] if body else [])])
        end = max(end, ended)
    return found


def _requests(heard: list[tuple[str, dict[str, Any]]]) -> list[tuple[float, float, str, str, str]]:
    """Return begin, end, method, path and body of what was sent in the seat, once its page was there."""
    ends = {told["requestId"]: told["timestamp"] for name, told in heard if name == "loadingFinished"}
    found = []
    for name, told in heard:
        if name == "webSocketFrameSent" and _said(told)[1] == "execute_request":
            break
        path = _path(told["request"]["url"]) if name == "requestWillBeSent" else None
        if path is None or _WAITS.search(path) or told["type"] == "Document" or told["requestId"] not in ends:
            continue
        body = _plain(told["request"].get("postData", ""))
        found.append((told["timestamp"], ends[told["requestId"]], told["request"]["method"], path, body))
    return found


def _path(url: str) -> str | None:
    """Return a request's path below the seat's address, without what is this time's only; None if it is elsewhere."""
    parts = urlsplit(url)
    below = parts.path.removeprefix(f"{ADDRESS}/")  # a room's own place for files: as if the seat's server had them
    if below != parts.path:
        path = re.sub("^lab/", "static/lab/", below) if below.startswith("lab/") else f"lab/{below}"
    elif (seat := re.match(r"/user/[^/]+/(.*)", parts.path)) and "favicon" not in seat[1]:
        path = seat[1]
    else:
        return None
    path += f"?{parts.query}" if parts.query else ""
    return _plain(_VERSION.sub(".*.js", _NOW.sub("{now}", path)))


def _plain(text: str) -> str:
    """Return a text in which the lesson, its session and its kernel have no name of their own."""
    text = re.sub(r"(?<=sessions/)[0-9a-f-]{36}|(?<=\"id\":\")[0-9a-f-]{36}", "{session}", text)
    text = re.sub(r"(?<=\"path\":\")[0-9a-f-]{36}", "{draft}", text)
    text = re.sub(r"(?<=\"kernel\":\{\"name\":\")[\w-]+", "{kernelspec}", text)
    return re.sub(r"[\w-]+\.ipynb", "{lesson}", text)


def talk(heard: list[tuple[str, dict[str, Any]]]) -> list[list[Any]]:
    """Return what was said to the kernel until the first cell: channel, kind, content."""
    found = []
    for name, told in heard:
        if name == "webSocketFrameSent":
            channel, kind, content = _said(told)
            if kind == "execute_request":
                break
            if kind and "subshell" not in kind:  # its name is this time's only
                found.append([channel, kind, content])
    return found


def _said(told: dict[str, Any]) -> tuple[str, str, Any]:
    """Return channel, kind and content of a message to the kernel."""
    if told["response"]["opcode"] != 2:
        return "", "", None
    channel, parts = unpack_v1(base64.b64decode(told["response"]["payloadData"]))
    return channel, json.loads(parts[0])["msg_type"], json.loads(parts[3])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
    print(f"{Path(FILE)} is written anew")
