"""``genai4eu dashboards list|withdraw|restore|order``: what a centre decides, and what visitors then see."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import running
from genai4eu.dashboards.serving.standing import put_first, standing
from genai4eu.errors import WorkbenchError

from .test_gallery import Add, _slugs, add

__all__ = ["add"]

Command = Callable[..., Any]


@pytest.fixture
def three(add: Add, published: Published) -> list[str]:
    """Slugs of three dashboards, the latest first."""
    add("older-0001", published="2026-01-01T00:00:00+00:00")
    add("newer-0002", published="2099-01-01T00:00:00+00:00")
    return ["newer-0002", published.slug, "older-0001"]


def test_the_list_says_how_each_stands(three: list[str], command_line: Command) -> None:
    Dashboard(dashboards_root() / "older-0001").decide(expires="2026-01-02T00:00:00+00:00", visibility="link")
    (dashboards_root() / "newer-0002" / "site.json").write_text("{")
    rows = {row["slug"]: row for row in json.loads(command_line("dashboards", "list", "--json").stdout)}
    assert [row["state"] for row in rows.values()] == ["shown", "expired", "damaged"]
    about = rows["older-0001"]
    assert (about["version"], about["versions"], about["visibility"]) == (1, 1, "link")
    assert about["expires"] == "2026-01-02T00:00:00+00:00" and about["question"] == "Does a higher wave carry further?"
    shown = command_line("dashboards", "list").stdout
    assert shown.splitlines()[0].split()[:3] == ["dashboard", "state", "version"] and "damaged" in shown


def test_an_empty_centre_is_told_what_to_type(house: object, command_line: Command) -> None:
    assert "genai4eu publish latest" in command_line("dashboards", "list").stdout
    assert json.loads(command_line("dashboards", "list", "--json").stdout) == []


def test_a_withdrawn_dashboard_is_seen_by_nobody_until_it_is_restored(three: list[str], command_line: Command) -> None:
    with running(dashboards_root()) as server:
        said = command_line("dashboards", "withdraw", "older").stdout
        assert "genai4eu dashboards restore older-0001" in said
        assert _slugs(server) == three[:2] and httpx.get(server.address + "d/older-0001/").status_code == 404
        assert standing(dashboards_root())[-1]["state"] == "withdrawn"
        command_line("dashboards", "restore", "older-0001")
        assert _slugs(server) == three and httpx.get(server.address + "d/older-0001/").status_code == 200


def test_the_order_is_what_visitors_see(three: list[str], command_line: Command) -> None:
    with running(dashboards_root()) as server:
        command_line("dashboards", "order", "older-0001", three[1])
        assert _slugs(server) == ["older-0001", three[1], "newer-0002"]
        command_line("dashboards", "order", "newer-0002")  # the new order alone holds
        assert _slugs(server) == three
        assert "latest" in command_line("dashboards", "order").stdout
        assert [row["order"] for row in standing(dashboards_root())] == [0, 0, 0]


def test_an_unknown_name_and_one_named_twice_change_nothing(three: list[str], command_line: Command) -> None:
    for names in (["older-0001", "absent"], ["older-0001", "older"]):
        failed = command_line("dashboards", "order", *names)
        assert failed.returncode == 1 and len(failed.stderr.splitlines()) == 1
    assert [row["order"] for row in standing(dashboards_root())] == [0, 0, 0]
    with pytest.raises(WorkbenchError, match="twice"):
        put_first(dashboards_root(), ["older-0001", "older-0001"])
