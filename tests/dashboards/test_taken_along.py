"""A dashboard is taken along whole, and its older versions keep their addresses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from bs4 import BeautifulSoup

from genai4eu.dashboards.access import admission
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.publishing.publish import publish, republish
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.crate import seal as describe
from genai4eu.runs.record import Record

from ..crates import faults, warmed
from .conftest import seal
from .evidence import download, page_of


def test_the_download_describes_each_of_its_files(carded: Record) -> None:
    (carded.outputs / "ä #1%.txt").write_text("x")
    seal(carded.folder)
    publish(carded)
    with running(dashboards_root()) as server, download(server) as archive:
        assert archive.testzip() is None
        top = "tiny-wave-a1b2-v1/"
        names = {name.removeprefix(top) for name in archive.namelist()}
        graph = {e["@id"]: e for e in json.loads(archive.read(f"{top}ro-crate-metadata.json"))["@graph"]}
        parts = {part["@id"] for part in graph["./"]["hasPart"]}
        assert parts == {quote(name) for name in names - {"ro-crate-metadata.json"}}
        for name in names - {"ro-crate-metadata.json"}:
            found = hashlib.sha256(archive.read(top + name)).hexdigest()
            assert graph[quote(name)]["sha256"] == found, name
        assert {"notebook.ipynb", "outputs/wave.npy", "outputs/ä #1%.txt", "card.md", "metrics.json"} <= names
        assert not {"log.txt", "run.json", "media", "live.ipynb", "site.json", "seal.json"} & names
        assert graph["./"]["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["ro-crate-1.1", "process-run-crate-0.5"])
def test_the_download_is_a_valid_crate_and_a_fault_is_found(carded: Record, tmp_path: Path, profile: str) -> None:
    (carded.outputs / "ä #1%.txt").write_text("x")
    describe(carded)  # as the runner does: what the download says of the run comes from there
    publish(carded)
    with running(dashboards_root()) as server, download(server) as archive:
        archive.extractall(tmp_path / "taken")
    (crate,) = (tmp_path / "taken").iterdir()
    cache = warmed(tmp_path)
    assert faults(crate, cache, profile) == []
    about = json.loads((crate / "ro-crate-metadata.json").read_text("utf-8"))
    for entity in about["@graph"]:
        entity.pop("@type", None)
    (crate / "ro-crate-metadata.json").write_text(json.dumps(about), "utf-8")
    assert faults(crate, cache, profile)


def test_the_download_has_a_head_and_is_none_of_a_dashboard_that_is_not_there(server: Server) -> None:
    answer = httpx.head(server.address + "d/tiny-wave-a1b2/record.zip")
    assert (answer.status_code, answer.content) == (200, b"") and "tiny-wave-a1b2-v1.zip" in answer.headers[
        "content-disposition"
    ]
    assert httpx.get(server.address + "d/absent-0000/record.zip").status_code == 404


def test_the_server_answers_while_a_download_is_made(record: Record) -> None:
    (record.outputs / "large.bin").write_bytes(b"\0" * 60_000_000)
    seal(record.folder)
    publish(record)
    with (
        running(dashboards_root()) as server,
        httpx.stream("GET", server.address + "d/tiny-wave-a1b2/record.zip") as taken,
    ):
        pieces = taken.iter_raw(1000)
        assert next(pieces).startswith(b"PK")
        assert httpx.get(server.address, timeout=5).status_code == 200  # before the rest is taken
        assert sum(map(len, pieces)) > 10_000


@pytest.fixture
def twice(published: Published, record: Record) -> Published:
    """The small dashboard in two versions, of which the second has another title."""
    republish(published.slug, record, title="A better title")
    return published


def test_an_older_version_keeps_its_address_and_says_that_it_is_one(twice: Published) -> None:
    with running(dashboards_root()) as server:
        here = httpx.URL(server.address + "d/tiny-wave-a1b2/v/1/")
        new, old = page_of(server, "d/tiny-wave-a1b2/"), page_of(server, "d/tiny-wave-a1b2/v/1/")
        assert "A better title" in new.get_text() and not new.select(".older")
        banner = old.select_one(".older")
        assert banner and "version 1" in banner.get_text() and "Does a higher wave carry further?" in old.get_text()
        assert not old.select("script[type=module], #part")  # nothing that could go live
        assert "'unsafe" not in httpx.get(here).headers["content-security-policy"]
        link = banner.select_one("a")
        assert (
            link
            and httpx.URL(server.address + "d/tiny-wave-a1b2/v/1/").join(str(link["href"])).path == "/d/tiny-wave-a1b2/"
        )
        image = old.select_one("article img")
        assert image and httpx.get(here.join(str(image["src"]))).status_code == 200
        canonical = old.select_one("link[rel=canonical]")
        assert canonical and str(canonical["href"]).endswith("/v/1/")


def test_the_evidence_lists_the_versions(twice: Published) -> None:
    with running(dashboards_root()) as server:
        for base in ("d/tiny-wave-a1b2/", "d/tiny-wave-a1b2/v/1/"):
            page = page_of(server, base + "evidence")
            links = page.select(".versions a")
            assert [a.get_text() for a in links] == ["Version 2", "Version 1"]
            paths = [httpx.URL(server.address + base + "evidence").join(str(a["href"])) for a in links]
            assert all(httpx.get(path).status_code == 200 for path in paths)
        assert download(server, "d/tiny-wave-a1b2/v/1/record.zip").namelist()[0].startswith("tiny-wave-a1b2-v1/")
        republish(twice.slug, version=1)  # what the pages say of it is never old
        assert "stands now" in page_of(server).select(".versions li")[1].get_text()


@pytest.mark.parametrize("version", ["3", "0", "01", "-1", "999999", "1//2", "x"])
def test_a_version_that_is_none_is_not_found(twice: Published, version: str) -> None:
    with running(dashboards_root()) as server:
        assert httpx.get(f"{server.address}d/tiny-wave-a1b2/v/{version}/evidence").status_code == 404


def test_a_withdrawn_dashboard_keeps_nothing_open(twice: Published) -> None:
    Dashboard(dashboards_root() / twice.slug).decide(withdrawn=True)
    paths = ("", "evidence", "v/1/", "v/2/evidence", "record.zip", "v/1/record.zip", "citation.cff", "qr.svg",
             "parameters.json", "notebook.ipynb")  # fmt: skip
    with running(dashboards_root()) as server:
        for path in paths:
            assert httpx.get(f"{server.address}d/tiny-wave-a1b2/{path}").status_code == 404, path


def test_a_link_stays_with_who_has_it(carded: Record) -> None:
    """Who cites a dashboard, or passes its record on, gives nobody the link it was seen with."""
    made = publish(carded, visibility="link").dashboard
    token = admission.add_link(made)
    with running(dashboards_root()) as server:
        evidence = httpx.get(f"{server.address}l/{token}/evidence").text
        assert token in evidence, "the page itself may be passed on, which its reader decides"
        assert all(
            token not in part.text for part in BeautifulSoup(evidence, "html.parser").select("#cite, #bibtex, script")
        )
        assert token not in httpx.get(f"{server.address}l/{token}/citation.cff").text
        with download(server, f"l/{token}/record.zip") as archive:
            assert not [name for name in archive.namelist() if token.encode() in archive.read(name)]
            crate = archive.read(next(n for n in archive.namelist() if n.endswith("ro-crate-metadata.json")))
            assert f"/d/{made.slug}/v/1/".encode() in crate
