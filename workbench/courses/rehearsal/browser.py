"""A browser without a screen: cookies, six connections, a page's own requests. Called by a participant."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import aiohttp
from yarl import URL

#: As Chromium has them to one server, and what it says of itself.
_CONNECTIONS = 6
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome Safari/537.36",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "en-US,en;q=0.9",
}
_NAVIGATE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}
_FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}
_FILES = re.compile(r"""<(?:script|link|img)\b[^>]*?\b(?:src|href)=["']([^"']+)["']""")
_CONFIG = re.compile(r"""<script id="jupyter-config-data"[^>]*>(.*?)</script>""", re.S)


class Refused(Exception):
    """A server answered otherwise than a browser needs."""


class Page:
    """What a navigation ended with.

    Attributes
    ----------
    url : URL
        After all redirections.
    text : str
        HTML.
    """

    def __init__(self, url: URL, text: str) -> None:
        self.url, self.text = url, text

    def files(self) -> list[str]:
        """Return the addresses of scripts, style sheets and pictures."""
        found = (urljoin(str(self.url), html.unescape(address)) for address in _FILES.findall(self.text))
        return [address for address in dict.fromkeys(found) if address.startswith("http")]

    def field(self, name: str) -> str:
        """Return the value of a form's hidden field."""
        found = re.search(rf"""<input[^>]*name=["']{name}["'][^>]*value=["']([^"']*)["']""", self.text)
        return found[1] if found else ""

    def action(self) -> str:
        """Return where the form is sent.

        Raises
        ------
        Refused
            If there is none.
        """
        found = re.search(r"""<form\b[^>]*action=["']([^"']+)["']""", self.text)
        if not found:
            raise Refused(f"{self.url.path} has no form to sign in with")
        return html.unescape(found[1])

    def config(self) -> dict[str, Any]:
        """Return JupyterLab's configuration.

        Raises
        ------
        Refused
            If this is not its page.
        """
        found = _CONFIG.search(self.text)
        if not found:
            said = re.search(r'role="alert"[^>]*>([^<]*)|<h1[^>]*>([^<]*)', self.text)
            raise Refused(f"{self.url.path} is not JupyterLab: {(said[1] or said[2]).strip() if said else 'no words'}")
        config: dict[str, Any] = json.loads(found[1])
        return config


class Browser:
    """One browser, with nothing in its cache; to be used with ``async with``.

    Attributes
    ----------
    requests, received : int
        How many, and bytes of the answers as they came over the network.
    """

    def __init__(self) -> None:
        self.requests = self.received = 0

    async def __aenter__(self) -> Self:
        """Begin."""
        trace = aiohttp.TraceConfig()
        trace.on_response_chunk_received.append(self._chunk)
        self.client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit_per_host=_CONNECTIONS), cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers=_HEADERS, timeout=aiohttp.ClientTimeout(total=600), auto_decompress=False, trace_configs=[trace],
        )  # fmt: skip
        #: Sockets are no part of the six.
        self.sockets = aiohttp.ClientSession(
            cookie_jar=self.client.cookie_jar, headers=_HEADERS, timeout=aiohttp.ClientTimeout(total=None)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self.client.close()
        await self.sockets.close()

    async def _chunk(self, _session: Any, _context: Any, told: aiohttp.TraceResponseChunkReceivedParams) -> None:
        self.received += len(told.chunk)

    async def _ask(
        self, method: str, address: str | URL, headers: Mapping[str, str], data: Any = None
    ) -> aiohttp.ClientResponse:
        """Ask; where a connection had just been closed as idle, ask once more on another, as browsers do."""
        try:
            return await self.client.request(method, address, data=data, headers=headers)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError):
            return await self.client.request(method, address, data=data, headers=headers)

    async def go(self, address: str | URL, form: Mapping[str, str] | None = None) -> Page:
        """Navigate, as a click or the address bar does; with a form, post it."""
        self.requests += 1
        method = "POST" if form else "GET"
        origin = {"Origin": str(URL(str(address)).origin())} if form else {}
        headers = {**_NAVIGATE, **origin, "Accept-Encoding": "identity"}  # a page's text is read here
        async with await self._ask(method, address, headers, form) as answer:
            self.requests += len(answer.history)
            text = await answer.text()
            if answer.status >= 400 and answer.status != 403:  # a wrong code comes with 403 and the form again
                raise Refused(f"{answer.url.path} answered {answer.status}")
            return Page(answer.url, text)

    async def file(self, address: str | URL) -> None:
        """Fetch a script, a style sheet or a picture."""
        self.requests += 1
        async with await self._ask("GET", address, {"Sec-Fetch-Mode": "no-cors"}) as answer:
            await answer.read()
            if answer.status >= 400:
                raise Refused(f"{answer.url.path} answered {answer.status}")

    async def fetch(self, method: str, address: URL, body: str | None = None) -> bytes:
        """Ask as JupyterLab's own code does, and return the answer; a service that is switched off answers 404."""
        self.requests += 1
        headers = {**_FETCH, **self.token(address), "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        async with await self._ask(method, address, headers, body) as answer:
            content = await answer.read()
            if answer.status >= 400 and answer.status != 404:
                raise Refused(f"{method} {answer.url.path} answered {answer.status}: {content[:200]!r}")
            return content

    def token(self, address: URL) -> dict[str, str]:
        """Return the header that proves that the page is the seat's own."""
        cookie = self.client.cookie_jar.filter_cookies(address).get("_xsrf")
        return {"X-XSRFToken": cookie.value, "Origin": str(address.origin())} if cookie else {}

    async def ready(self, address: URL) -> None:
        """Listen to a server's progress as the waiting page does, until it is ready.

        Raises
        ------
        Refused
            If it does not start.
        """
        self.requests += 1
        async with self.client.get(address, headers={**_FETCH, "Accept": "text/event-stream"}) as answer:
            if answer.status >= 400:
                raise Refused(f"{address.path} answered {answer.status}")
            async for line in answer.content:
                told = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
                if told.get("failed"):
                    raise Refused(f"the server does not start: {told.get('message')}")
                if told.get("ready"):
                    return
