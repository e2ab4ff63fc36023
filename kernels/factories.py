"""The registry of AI Factories: dated data in ``factories.toml``. Called by ``genai4eu factories`` and ``targets``."""

from __future__ import annotations

import datetime
import difflib
import importlib.resources
import re
import tomllib
import urllib.parse
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .errors import KernelsError

#: Codes under which people look for a country whose code in the registry is another one.
_ALSO = {"GR": "EL", "GB": "UK"}
#: A system that stands can be used now; for the others one can only plan.
_STATES = ("existing", "upgrade", "new", "unknown")


@dataclass(frozen=True)
class Factory:
    """One AI Factory.

    Attributes
    ----------
    countries : tuple of str
        Two-letter codes, the host's first.
    system_state : str
        ``existing``, ``upgrade``, ``new`` or ``unknown``.
    sectors, serves : tuple of str
        Sectors in the source's own words, and the sectors of use cases that those cover.
    domains : tuple of str
        Internet domains of the host, by which a gateway is recognised as the factory's.
    status, source, as_of : str, str, date
        How far to trust the row (``seed``, ``announced``, ``uncertain``), where it comes from, and of when it is.
    """

    id: str
    name: str
    host: str
    countries: tuple[str, ...]
    system: str
    system_state: str
    sectors: tuple[str, ...]
    serves: tuple[str, ...]
    domains: tuple[str, ...]
    status: str
    source: str
    as_of: datetime.date
    note: str = ""
    sites: tuple[dict[str, Any], ...] = field(default=())


@cache
def registry() -> dict[str, Any]:
    """Return the whole registry as it stands in the file: sources, factories, antennas, sites, access modes."""
    text = importlib.resources.files("genai4eu.kernels").joinpath("factories.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def factories() -> tuple[Factory, ...]:
    """Return all factories, in the order of the source."""
    sites = registry()["site"]
    rows = []
    for row in registry()["factory"]:
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
        }
        plain["sites"] = tuple(site for site in sites if site["factory"] == row["id"])
        rows.append(Factory(**plain))
    return tuple(rows)


def select(sector: str | None = None, country: str | None = None) -> list[Factory]:
    """Return the factories of a sector and a country.

    Parameters
    ----------
    sector : str, optional
        A sector of use cases (``climate``), or words of the source (``"Earth science"``).
    country : str, optional
        Two-letter code; partners count as well as the host.

    Raises
    ------
    KernelsError
        If no factory has that sector or country; names the nearest ones.
    """
    found = list(factories())
    if sector is not None:
        wanted = sector.strip().casefold()
        word = re.compile(rf"\b{re.escape(wanted)}s?\b") if wanted else re.compile("(?!)")
        found = [f for f in found if wanted in f.serves or any(word.search(words.casefold()) for words in f.sectors)]
        if not found:
            raise KernelsError(_unknown("sector", wanted, {s for f in factories() for s in f.serves}))
    if country is not None:
        wanted = code(country)
        countries = {c for f in factories() for c in f.countries}
        if wanted not in countries | antennas().keys():
            raise KernelsError(_unknown("country code", country, countries))
        found = [f for f in found if wanted in f.countries or antennas().get(wanted) == f.id]
    return found


def code(country: str) -> str:
    """Return a country's code as the registry writes it."""
    return _ALSO.get(country.strip().upper(), country.strip().upper())


def _unknown(what: str, wanted: str, known: set[str]) -> str:
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(sorted(known, key=str.casefold))}"
    return f"no factory is registered for the {what} {wanted!r}: {hint}"


def antennas() -> dict[str, str]:
    """Return the countries with an AI Factory Antenna and the factory each is joined to, empty where not known."""
    return {row["country"]: row["factory"] for row in registry()["antenna"]}


def rank(sector: str) -> list[Factory]:
    """Return the factories whose source names ``sector``, best first.

    First those whose system stands already, then those with fewer sectors beside this one: a narrower factory knows
    more about it. The order is a help to begin with, no judgement.

    Raises
    ------
    KernelsError
        If no factory has the sector.
    """
    found = [f for f in select(sector) if sector in f.serves] or select(sector)
    return sorted(found, key=lambda f: (_STATES.index(f.system_state), len(f.sectors)))


def factory_of(gateway: str | None, url: str | None) -> Factory | None:
    """Return the factory behind a connected gateway: by its address, or because it is called by the factory's id."""
    host = urllib.parse.urlsplit(url or "").hostname or ""
    for factory in factories():
        named = gateway is not None and (gateway == factory.id or gateway.startswith(f"{factory.id}-"))
        if named or any(host == domain or host.endswith(f".{domain}") for domain in factory.domains):
            return factory
    return None
