"""Who signs in: with a name, with one password for all, or as a proxy says; forged forms, guesses and sessions."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.auth.security import passwd

from genai4eu.dashboards.access import admission, sessions
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.errors import WorkbenchError

from .visitors import client, places


@dataclasses.dataclass
class Member(User):  # type: ignore[misc]
    groups: tuple[str, ...] = ()

    def fill_defaults(self) -> None:
        super().fill_defaults()
        self.groups = {"ada": ("staff",), "eve": ("guests",)}.get(self.username, ())


class People(IdentityProvider):  # type: ignore[misc]
    """Three people with passwords; a form with names."""

    def process_login_form(self, handler: Any) -> User | None:
        name = handler.get_argument("username", "")
        right = handler.get_argument("password", "") == f"{name}'s"
        return Member(name) if right and name in ("ada", "bob", "eve") else None

    def user_from_cookie(self, cookie_value: str) -> User | None:
        return Member(json.loads(cookie_value)["username"])


class Told(IdentityProvider):  # type: ignore[misc]
    """Whoever a proxy says it is."""

    def get_user(self, handler: Any) -> User | None:
        name = handler.request.headers.get("X-Remote-User")
        return User(name) if name else None


@pytest.fixture
def people(dashboard: Dashboard) -> Iterator[Server]:
    with running(dashboards_root(), identity_provider=f"{__name__}.People") as server:
        yield server


def sign_in(browser: httpx.Client, name: str, password: str | None = None, **more: str) -> httpx.Response:
    """Fill in the form as a browser does."""
    form = re.search(r'name="_xsrf" value="([^"]+)"', browser.get("sign-in").text)
    assert form
    given = {"username": name, "password": password or f"{name}'s", "_xsrf": form[1], **more}
    return browser.post("sign-in", data=given, headers={"Origin": str(browser.base_url).rstrip("/")})


def test_private_dashboards_are_for_those_who_sign_in(dashboard: Dashboard, other: Dashboard, people: Server) -> None:
    path = f"d/{other.slug}/"
    with client(people) as browser:
        refused, unknown = browser.get(path), browser.get("d/nowhere-0000/")
        assert (refused.status_code, unknown.status_code) == (404, 404)
        assert refused.text.replace(other.slug, "") == unknown.text.replace("nowhere-0000", "")
        assert f"sign-in?to=d%2F{other.slug}%2F" in refused.text and other.slug not in browser.get("").text
        done = sign_in(browser, "ada", to=path)
        assert done.status_code == 303 and done.headers["location"] == f"./{path}"
        for address in places(other, f"d/{other.slug}"):
            answer = browser.get(address)
            assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store", address
        assert other.slug in browser.get("").text
        form = re.search(r'name="_xsrf" value="([^"]+)"', browser.get("sign-in").text)
        assert form and "You are signed in" in browser.get("sign-in").text
        kept = dict(browser.cookies)
        origin = {"Origin": people.address.rstrip("/")}
        assert browser.post("sign-out", data={"_xsrf": form[1]}, headers=origin).status_code == 303
        assert browser.get(path).status_code == 404
        browser.cookies.update(kept)  # whoever copied the cookie has nothing of it
        assert browser.get(path).status_code == 404


def test_a_dashboard_may_be_for_some_of_them(dashboard: Dashboard, other: Dashboard, people: Server) -> None:
    admission.let_in(other, "private", users=["bob"], groups=["staff"])
    for name, sees in (("ada", True), ("bob", True), ("eve", False)):
        with client(people) as browser:
            assert sign_in(browser, name).status_code == 303
            assert (browser.get(f"d/{other.slug}/").status_code == 200) is sees
            assert (other.slug in browser.get("").text) is sees
            assert (browser.get(f"d/{other.slug}/").status_code == 200) is sees


def test_the_cookie_is_for_signing_in_alone(dashboard: Dashboard, people: Server) -> None:
    with client(people) as browser:
        for path in ("", f"d/{dashboard.slug}/", "nothing"):
            assert "set-cookie" not in browser.get(path).headers
        sent = sign_in(browser, "ada").headers["set-cookie"]
        assert re.search(r"HttpOnly.*SameSite=Strict", sent) and "Domain" not in sent
        value = re.match(r"[^=]+=([^;]+);", sent)
        assert value and len(value[1]) == 43 and "ada" not in sent


def test_a_session_ends_when_it_is_not_used_and_in_any_case(
    dashboard: Dashboard, other: Dashboard, people: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("IDLE", "LONGEST"):
        with client(people) as browser:
            sign_in(browser, "ada")
            assert browser.get(f"d/{other.slug}/").status_code == 200
            with monkeypatch.context() as patched:
                patched.setattr(sessions, limit, 0.0)
                assert browser.get(f"d/{other.slug}/").status_code == 404
            assert browser.get(f"d/{other.slug}/").status_code == 404


@pytest.mark.parametrize("fault", ["no origin", "foreign origin", "no token", "wrong token", "no cookie"])
def test_a_form_that_is_not_ours_signs_nobody_in(dashboard: Dashboard, people: Server, fault: str) -> None:
    with client(people) as browser:
        form = re.search(r'name="_xsrf" value="([^"]+)"', browser.get("sign-in").text)
        assert form
        given = {"username": "ada", "password": "ada's", "_xsrf": form[1]}
        headers = {"Origin": people.address.rstrip("/")}
        if fault == "no origin":
            headers.clear()
        if fault == "foreign origin":
            headers["Origin"] = "http://evil.example"
        if fault == "no token":
            del given["_xsrf"]
        if fault == "wrong token":
            given["_xsrf"] = "0" * 32
        if fault == "no cookie":
            browser.cookies.clear()
        answer = browser.post("sign-in", data=given, headers=headers)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers and "too old" in answer.text


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example/", "d/../../x", "\\\\evil", "d/x/\r\nA: b", "l/x/"]
)
def test_signing_in_leads_back_into_the_gallery_alone(dashboard: Dashboard, people: Server, to: str) -> None:
    with client(people) as browser:
        assert sign_in(browser, "ada", to=to).headers["location"] == "./"


def test_passwords_cannot_be_tried_without_end(dashboard: Dashboard, people: Server) -> None:
    with client(people) as browser:
        answers = [sign_in(browser, "ada", "guess") for _ in range(14)]
        assert [a.status_code for a in answers] == [401] * 10 + [429] * 4
        assert "Name or password is not right" in answers[0].text
        assert int(answers[-1].headers["retry-after"]) <= 60 and "Wait a minute" in answers[-1].text
        assert sign_in(browser, "ada").status_code == 429  # the right one, too


def test_right_passwords_do_not_count_as_tries(dashboard: Dashboard, people: Server) -> None:
    for _ in range(25):
        with client(people) as browser:
            assert sign_in(browser, "bob").status_code == 303


def test_one_shared_password_is_set_as_for_any_jupyter_server(
    dashboard: Dashboard, other: Dashboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "jupyter"
    config.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(config))
    said = {"IdentityProvider": {"hashed_password": passwd("sesame", "sha256")}}
    (config / "jupyter_server_config.json").write_text(json.dumps(said), "utf-8")
    with running(dashboards_root()) as server, client(server) as browser:
        assert 'id="username"' not in browser.get("sign-in").text
        assert sign_in(browser, "", "wrong").status_code == 401
        assert browser.get(f"d/{other.slug}/?token=sesame").status_code == 404
        assert sign_in(browser, "", "sesame").status_code == 303
        assert browser.get(f"d/{other.slug}/").status_code == 200


def test_without_any_password_nobody_signs_in(
    dashboard: Dashboard, other: Dashboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_TOKEN", "sesame")
    with running(dashboards_root()) as server, client(server) as browser:
        assert browser.get("sign-in").status_code == 404
        headers = {"Authorization": "token sesame"}
        assert browser.get(f"d/{other.slug}/?token=sesame", headers=headers).status_code == 404
    empty = tmp_path / "empty.py"
    empty.write_text("", "utf-8")
    for options in ({"config": empty}, {"identity_provider": "jupyter_server.auth.PasswordIdentityProvider"}):
        with pytest.raises(WorkbenchError, match="would let in everybody"):
            Server(dashboards_root(), port=0, **options)


def test_a_provider_may_read_what_a_proxy_says(dashboard: Dashboard, other: Dashboard) -> None:
    admission.let_in(other, "private", users=["ada"])
    with running(dashboards_root(), identity_provider=f"{__name__}.Told") as server, client(server) as browser:
        answers = [browser.get(f"d/{other.slug}/", headers={"X-Remote-User": name}) for name in ("ada", "bob", "")]
        assert [a.status_code for a in answers] == [200, 404, 404]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"identity_provider": "no.such.Class"}, "cannot be imported"),
        ({"identity_provider": "pathlib.Path"}, "is no identity provider"),
        ({"config": Path("absent.json")}, "absent.json cannot be used"),
    ],
)
def test_what_cannot_tell_visitors_apart_is_refused(house: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        Server(house, port=0, **options)
