"""Below a path of a reverse proxy: every address that a page names is true, and all its links lead somewhere."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import tornado.httpclient
import tornado.httpserver
import tornado.netutil
import tornado.web
from bs4 import BeautifulSoup

from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.pages.share import qr
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.options import Options
from genai4eu.dashboards.serving.server import running
from genai4eu.errors import WorkbenchError

NAME = "dash.example.org"
OUTSIDE = f"https://{NAME}/results/ai/"
_PASSED = ("Accept-Language", "Content-Type", "Origin")


class _Proxy(tornado.web.RequestHandler):
    """Passes on what lies below a path, without that path, as ``proxy_pass http://…/;`` of nginx does."""

    def initialize(self, upstream: str, host: str | None) -> None:
        self.upstream, self.host = upstream, host

    async def get(self, path: str) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        headers = {name: self.request.headers[name] for name in _PASSED if name in self.request.headers}
        headers |= {"Host": self.host} if self.host else {}
        found = await tornado.httpclient.AsyncHTTPClient().fetch(
            f"{self.upstream}{path}{query}", method=self.request.method, headers=headers, raise_error=False,
            follow_redirects=False, body=self.request.body if self.request.method == "POST" else None,
        )  # fmt: skip
        self.set_status(found.code)
        for name in ("Content-Type", "Location", "Cache-Control"):
            if name in found.headers:
                self.set_header(name, found.headers[name])
        self.finish(found.body)

    head = post = get


@pytest.fixture(params=[NAME, None], ids=["the proxy says its name", "the proxy says ours"])
def proxied(published: Published, request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve below a path of a proxy; return the address of that path as it can be reached here."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    options = {"behind_proxy": True, "names": (NAME,), "base_path": "/results/ai/"}
    with running(dashboards_root(), **options) as server:
        inside = f"http://127.0.0.1:{server.port}/"
        (socket,) = tornado.netutil.bind_sockets(0, "127.0.0.1")

        async def start() -> tornado.httpserver.HTTPServer:
            routes = [(r"/results/ai/(.*)", _Proxy, {"upstream": inside, "host": request.param})]
            made = tornado.httpserver.HTTPServer(tornado.web.Application(routes))
            made.add_sockets([socket])
            return made

        proxy = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        assert server.address == OUTSIDE
        yield f"http://127.0.0.1:{socket.getsockname()[1]}/results/ai/"
        loop.call_soon_threadsafe(proxy.stop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def _page(address: str) -> BeautifulSoup:
    answer = httpx.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return BeautifulSoup(answer.text, "html.parser")


def _ours(text: str) -> set[str]:
    """Return the absolute addresses of ours in a text."""
    return set(re.findall(rf"https?://(?:{re.escape(NAME)}|127\.0\.0\.1|localhost)[^\s\"'<>)}}\\]*", text))


def test_every_address_that_is_named_is_true(proxied: str, published: Published) -> None:
    place = f"{OUTSIDE}d/{published.slug}/"
    named: set[str] = set()
    for name in ("", "evidence", "v/1/", "v/1/evidence"):
        named |= _ours(httpx.get(f"{proxied}d/{published.slug}/{name}").raise_for_status().text)
    assert {place, f"{place}evidence", f"{place}v/1/", f"{place}v/1/record.zip"} <= named
    assert all(address.startswith(place) for address in named), named
    page = _page(f"{proxied}d/{published.slug}/")
    for name, end in (("og:url", ""), ("og:image", None)):
        told = page.find("meta", property=name)
        if told is not None:
            assert end is None or told["content"] == place + end
    canonical, typed = page.select_one("link[rel=canonical]"), page.select_one(".share .id")
    assert canonical and canonical["href"] == place and typed and typed.get_text() == place[8:-1]
    assert httpx.get(f"{proxied}d/{published.slug}/qr.svg").content == qr(place)
    for address in named:  # what is named is there
        assert httpx.get(proxied + address.removeprefix(OUTSIDE)).status_code == 200, address


def test_what_is_taken_along_names_the_same_address(proxied: str, published: Published) -> None:
    content = httpx.get(f"{proxied}d/{published.slug}/record.zip").raise_for_status().content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(n for n in archive.namelist() if n.endswith("ro-crate-metadata.json"))
        crate = json.loads(archive.read(name))
        texts = [archive.read(n).decode() for n in archive.namelist() if n.endswith((".json", ".cff"))]
    assert crate["@graph"]
    named = set().union(*map(_ours, texts))
    assert named and all(address.startswith(f"{OUTSIDE}d/{published.slug}/") for address in named), named


def test_every_link_leads_somewhere(proxied: str, published: Published) -> None:
    for start in ("", "?lang=nl", f"d/{published.slug}/", f"d/{published.slug}/evidence", "accessibility", "kiosk"):
        page = _page(proxied + start)
        found = {str(t[k]) for k in ("href", "src") for t in page.select(f"[{k}]") if t.get("rel") != ["canonical"]}
        own = {urljoin(proxied + start, link).partition("#")[0] for link in found if not urlsplit(link).scheme}
        assert own and all(link.startswith(proxied) for link in own), own
        for link in own:
            assert httpx.get(link, follow_redirects=True).status_code == 200, (start, link)
    moved = httpx.get(f"{proxied}d/{published.slug}", follow_redirects=True)
    assert str(moved.url) == f"{proxied}d/{published.slug}/"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"base_path": "/results"}, "give --behind-proxy"),
        ({"base_path": "/a/../b", "behind_proxy": True, "names": (NAME,)}, "is no path of an address"),
        ({"base_path": "/a b", "behind_proxy": True, "names": (NAME,)}, "is no path of an address"),
        ({"base_path": "//a//b", "behind_proxy": True, "names": (NAME,)}, "is no path of an address"),
        ({"base_path": 'x"><script>', "behind_proxy": True, "names": (NAME,)}, "is no path of an address"),
    ],
)
def test_what_is_no_path_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(WorkbenchError, match=says):
        Options(**options).check()  # type: ignore[arg-type]


def test_what_a_visitor_says_of_a_path_is_not_believed(published: Published) -> None:
    with running(dashboards_root(), behind_proxy=True, names=(NAME,)) as server:
        told = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example", "Host": NAME}
        text = httpx.get(f"http://127.0.0.1:{server.port}/d/{published.slug}/", headers=told).text
    assert "evil" not in text and f'content="https://{NAME}/d/{published.slug}/"' in text
