"""The registry of factories: complete, dated, found by sector and country."""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Callable

import pytest

from genai4eu.kernels import factories
from genai4eu.kernels.errors import KernelsError

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
SEED = [
    "lumi",
    "it4lia",
    "bsc",
    "luxembourg",
    "mimer",
    "hammerhai",
    "pharos",
    "jupiter",
    "france",
    "slaif",
    "piast",
    "ai-at",
    "brain",
]


def test_every_row_is_dated_and_sourced() -> None:
    registry = factories.registry()
    rows = [*registry["factory"], *registry["antenna"], *registry["site"], *registry["access_mode"]]
    for row in rows:
        assert row["source"] in registry["sources"] and row["status"] in ("seed", "announced", "uncertain"), row
        assert isinstance(row["as_of"], datetime.date) and row["as_of"] <= datetime.date.today(), row
    assert {row["status"] for row in registry["site"]} == {"uncertain"}


def test_thirteen_of_the_annex_six_announced_and_thirteen_antennas() -> None:
    by_status: dict[str, list[str]] = {}
    for factory in factories.factories():
        by_status.setdefault(factory.status, []).append(factory.id)
    assert by_status["seed"] == SEED and len(by_status["announced"]) == 6
    assert len(factories.antennas()) == 13
    known = {factory.id for factory in factories.factories()}
    assert {joined for joined in factories.antennas().values() if joined} <= known
    assert {site["factory"] for site in factories.registry()["site"]} <= known


@pytest.mark.parametrize(
    ("sector", "country", "found"),
    [
        ("climate", "SI", ["it4lia", "slaif"]),
        ("materials", None, ["mimer", "france"]),
        ("Earth science", "IT", ["it4lia"]),
        (None, "GR", ["pharos"]),
        (None, "lv", ["lumi"]),  # by its Antenna
    ],
)
def test_by_sector_and_country(sector: str | None, country: str | None, found: list[str]) -> None:
    assert [factory.id for factory in factories.select(sector, country)] == found


def test_a_misspelt_sector_is_guessed() -> None:
    with pytest.raises(KernelsError, match=r"the sector 'clmate': did you mean 'climate'\?$"):
        factories.select("clmate")


@pytest.mark.parametrize(
    ("sector", "country"), [("astrology", None), ("", None), (" ", None), (None, "XX"), (None, "Slovenia"), (None, "")]
)
def test_an_unknown_sector_or_country_is_named(sector: str | None, country: str | None) -> None:
    with pytest.raises(KernelsError, match="use one of"):
        factories.select(sector, country)


def test_what_stands_comes_first_then_the_narrower() -> None:
    ranked = factories.rank("health")
    states = [factory.system_state for factory in ranked]
    assert states == sorted(states, key=("existing", "upgrade", "new", "unknown").index)
    assert [f.id for f in ranked[:2]] == ["pharos", "jupiter"]
    assert all("health" in f.serves for f in ranked)


@pytest.mark.parametrize(
    ("gateway", "url", "factory"),
    [
        ("x", "https://gateway.csc.fi/kernels", "lumi"),
        ("lumi-gpu", "http://127.0.0.1:8899", "lumi"),
        ("x", "https://csc.fi.evil.example", None),
        ("near", "http://127.0.0.1:8899", None),
        (None, None, None),
    ],
)
def test_a_gateway_is_known_as_a_factorys(gateway: str | None, url: str | None, factory: str | None) -> None:
    found = factories.factory_of(gateway, url)
    assert (found.id if found else None) == factory


def test_the_command_line_lists_ranks_and_says_where_it_has_it_from(genai4eu: Cli) -> None:
    listed = genai4eu("factories", "--sector", "climate", "--country", "SI")
    assert listed.returncode == 0 and "slaif" in listed.stdout and "pharos" not in listed.stdout
    assert "COM(2025) 165" in listed.stderr and "2025-04-09" in listed.stderr
    ranked = genai4eu("factories", "--for", "health-imaging", "--json")
    rows = json.loads(ranked.stdout)
    assert rows[0]["id"] == "pharos" and rows[0]["as_of"] == "2025-04-09" and rows[0]["connected"] == []
    antenna = genai4eu("factories", "--country", "BE")
    assert "Antenna, joined to lumi" in antenna.stderr
    wrong = genai4eu("factories", "--for", "helth-imaging")
    assert wrong.returncode == 1 and "did you mean 'health-imaging'?" in wrong.stderr
