"""Who is let in by a link; what ended or was taken back; what one dashboard's visitor sees of another."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import httpx
import pytest

from genai4eu.dashboards.access import admission
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.serving.server import running

from .visitors import client, places

PAST = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()


def test_a_link_opens_the_whole_dashboard_and_nothing_else_does(dashboard: Dashboard) -> None:
    admission.let_in(dashboard, "link")
    token = admission.add_link(dashboard)
    with running(dashboards_root()) as server, client(server) as browser:
        for path in places(dashboard, f"l/{token}"):
            answer = browser.get(path)
            assert answer.status_code == 200 and answer.headers["x-robots-tag"] == "noindex", path
            assert "public" not in answer.headers["cache-control"], path
        page = browser.get(f"l/{token}/").text
        for address in set(re.findall(r'(?:href|src|data-[a-z]+)="(\.[^"]+|media/[^"]+|evidence)"', page)):
            assert browser.get(urljoin(f"{server.address}l/{token}/", address)).status_code == 200, address
        assert dashboard.slug not in re.sub(r'(?s)<dt>.*?</dd>|filename="[^"]+"', "", page).replace("publish", "")
        for path in places(dashboard, f"d/{dashboard.slug}") + places(dashboard, f"l/{'A' * 43}"):
            assert browser.get(path).status_code == 404, path
        assert dashboard.slug not in browser.get("").text
        assert browser.get(f"l/{token}").headers["location"] == f"{token}/"


def test_a_revoked_link_and_one_of_a_private_dashboard_open_nothing_at_once(dashboard: Dashboard) -> None:
    admission.let_in(dashboard, "link")
    with running(dashboards_root()) as server, client(server) as browser:
        first, second = admission.add_link(dashboard, "first"), admission.add_link(dashboard, "second")
        assert [browser.get(f"l/{token}/").status_code for token in (first, second)] == [200, 200]
        admission.revoke_link(dashboard, "first")
        assert [browser.get(f"l/{token}/").status_code for token in (first, second)] == [404, 200]
        admission.let_in(dashboard, "private")
        assert browser.get(f"l/{second}/").status_code == 404
        admission.let_in(dashboard, "public")
        assert browser.get(f"l/{second}/").status_code == 200


def test_what_is_over_says_so_to_those_who_could_see_it(dashboard: Dashboard) -> None:
    with running(dashboards_root()) as server, client(server) as browser:
        over, good = admission.add_link(dashboard, "over", PAST), admission.add_link(dashboard, "good")
        answer = browser.get(f"l/{over}/")
        assert answer.status_code == 410 and "This link has ended" in answer.text
        dashboard.decide(expires=PAST)
        for place in (f"d/{dashboard.slug}", f"l/{good}"):
            answer = browser.get(f"{place}/evidence")
            assert answer.status_code == 410 and "This dashboard has ended" in answer.text
        assert dashboard.slug not in browser.get("").text
        dashboard.decide(expires=None, withdrawn=True)
        answer = browser.get(f"d/{dashboard.slug}/")
        assert answer.status_code == 404 and "This dashboard was withdrawn" in answer.text
        admission.let_in(dashboard, "link")
        assert "withdrawn" in browser.get(f"l/{good}/").text
        assert "There is no such page" in browser.get(f"d/{dashboard.slug}/").text


@pytest.mark.parametrize("site", ['{"visibility": "hidden"}', '{"visibility": null}', "[]", "{", '{"links": 5}'])
def test_nobody_is_let_in_on_a_guess(dashboard: Dashboard, site: str) -> None:
    token = admission.add_link(dashboard)
    (dashboard.folder / "site.json").write_text(site, "utf-8")
    with running(dashboards_root()) as server, client(server) as browser:
        assert browser.get(f"l/{token}/").status_code == 404
        if site != '{"links": 5}':  # which is public, as nothing else is said
            assert browser.get(f"d/{dashboard.slug}/").status_code == 404
            assert dashboard.slug not in browser.get("").text


def test_links_cannot_be_guessed_without_end_and_good_ones_still_open(dashboard: Dashboard) -> None:
    token = admission.add_link(dashboard)
    with running(dashboards_root()) as server, client(server) as browser:
        tried = [browser.get(f"l/{number:043d}/").status_code for number in range(40)]
        assert tried == [404] * 30 + [429] * 10
        assert browser.get(f"l/{token}/").status_code == 200
        assert browser.get(f"d/{dashboard.slug}/").status_code == 200


def test_a_viewer_of_one_dashboard_reaches_nothing_of_another(dashboard: Dashboard, other: Dashboard) -> None:
    """With a link to the one in hand, all that is known of the other leads nowhere."""
    token = admission.add_link(dashboard)
    secret = other.current.folder / "media" / f"{'0' * 16}.json"
    secret.write_text('"secret of the other"', "utf-8")
    with running(dashboards_root()) as server, client(server) as browser:
        tried = (
            [
                f"{mine}/{there}{name}"
                for mine in (f"l/{token}", f"d/{dashboard.slug}")
                for there in (
                    "",
                    f"../../d/{other.slug}/",
                    f"..%2f..%2fd/{other.slug}/",
                    f"../{other.slug}/versions/1/",
                )
                for name in (f"media/{secret.name}", f"../{other.slug}/versions/1/media/{secret.name}")
            ]
            + places(other, f"d/{other.slug}")
            + [f"l/{other.slug}/", f"d/{other.slug}/media/{secret.name}"]
        )
        for path in tried:
            answer = browser.send(httpx.Request("GET", httpx.URL(server.address, raw_path=f"/{path}".encode())))
            assert answer.status_code == 404 and "secret" not in answer.text, path
