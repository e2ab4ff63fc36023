"""Links to a dashboard and who is let in, as the command line decides it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

import pytest

from genai4eu.dashboards.access import admission
from genai4eu.dashboards.access.links import past
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.errors import WorkbenchError

CLI = Callable[..., subprocess.CompletedProcess[str]]


def test_a_link_is_256_random_bits_of_which_the_digest_alone_is_kept(dashboard: Dashboard) -> None:
    tokens = {admission.add_link(dashboard) for _ in range(20)}
    assert len(tokens) == 20 and all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    kept = (dashboard.folder / "site.json").read_text("utf-8")
    assert not any(token in kept for token in tokens)
    assert len(set(re.findall(r'"sha256": "([0-9a-f]{64})"', kept))) == 20


def test_links_have_names_and_are_revoked_by_them(dashboard: Dashboard) -> None:
    admission.add_link(dashboard, "Ministry", "2999-01-01T00:00:00+00:00")
    admission.add_link(dashboard)
    admission.add_link(dashboard)
    assert [link.name for link in admission.links_of(dashboard)] == ["Ministry", "link-1", "link-2"]
    admission.revoke_link(dashboard, "link-1")
    assert [link.name for link in admission.links_of(dashboard)] == ["Ministry", "link-2"]
    with pytest.raises(WorkbenchError, match="no link 'link-1': there is Ministry, link-2"):
        admission.revoke_link(dashboard, "link-1")
    with pytest.raises(WorkbenchError, match="has a link 'Ministry' already"):
        admission.add_link(dashboard, "Ministry")
    for name in ("", " ", "a\nb", "x" * 61):
        with pytest.raises(WorkbenchError, match="no name for a link"):
            admission.add_link(dashboard, name)


@pytest.mark.parametrize(
    ("moment", "over"),
    [(None, False), ("2999-01-01T00:00:00+00:00", False), ("2020-01-01T00:00:00+00:00", True), ("2020-01-01", True),
     ("tomorrow", True), ("", True), (5, True)],
)  # fmt: skip
def test_what_is_no_time_is_over(moment: str | None, over: bool) -> None:
    assert past(moment) is over


@pytest.mark.slow
def test_the_command_line_makes_lists_and_revokes_links(dashboard: Dashboard, command_line: CLI) -> None:
    slug = dashboard.slug
    done = command_line(
        "dashboards", "link", slug, "--name", "EDIH Gent", "--expires", "2999-12-24", "--url", "https://d.eu"
    )
    assert done.returncode == 0 and re.fullmatch(r"https://d\.eu/l/[\w-]{43}/\n", done.stdout), done.stderr
    assert f"dashboards access {slug} link" in done.stderr and f"dashboards revoke {slug} 'EDIH Gent'" in done.stderr
    listed = json.loads(command_line("dashboards", "links", slug, "--json").stdout)
    assert [(link["name"], link["ended"]) for link in listed] == [("EDIH Gent", False)] and "sha256" not in str(listed)
    assert command_line("dashboards", "revoke", slug, "EDIH Gent").returncode == 0
    assert "has no links" in command_line("dashboards", "links", slug).stdout
    here = command_line("dashboards", "link", slug, "--name", "here")
    assert "it opens on this computer alone; --url names your gallery" in here.stderr
    assert command_line("dashboards", "link", slug, "--name", "other").returncode == 0
    assert f"{slug} has 1 link left" in command_line("dashboards", "revoke", slug, "here").stdout
    for wrong_url in ("ftp://x", "dashboards.example.org", "https://"):
        told = command_line("dashboards", "link", slug, "--url", wrong_url)
        assert told.returncode == 1 and "is no address of a gallery" in told.stderr
    wrong = command_line("dashboards", "link", "absent-0000")
    assert wrong.returncode == 1 and "unknown dashboard 'absent-0000'" in wrong.stderr
    past_date = command_line("dashboards", "link", slug, "--expires", "2020-01-01")
    assert past_date.returncode == 1 and "is over already" in past_date.stderr


def test_the_command_line_decides_who_sees_a_dashboard(dashboard: Dashboard, command_line: CLI) -> None:
    slug = dashboard.slug
    assert f"{slug} is seen with a link alone" in command_line("dashboards", "access", slug, "link").stdout
    assert dashboard.site["visibility"] == "link" and admission.listed(dashboards_root()) == []
    done = command_line("dashboards", "access", slug, "private", "--users", "ada, bob", "--groups", "staff")
    assert "ada, bob, group staff may see it" in done.stdout
    assert "nobody can sign in yet: 'jupyter server password'" in done.stderr
    assert dashboard.site["users"] == ["ada", "bob"] and dashboard.site["groups"] == ["staff"]
    for arguments, said in (
        (["secret"], "a dashboard is public, link or private"),
        (["public", "--users", "ada"], "are for private dashboards"),
        (["private", "--users", " , "], "no name was given"),
    ):
        refused = command_line("dashboards", "access", slug, *arguments)
        assert refused.returncode == 1 and said in refused.stderr
    assert command_line("dashboards", "access", slug, "public").returncode == 0
    assert dashboard.site["users"] is None and [d.slug for d in admission.listed(dashboards_root())] == [slug]
