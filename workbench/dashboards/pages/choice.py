"""A visitor's choice in the gallery: words to search for, filters, a page of what is left. Called by the gallery."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from .entry import Entry, fold

#: How many cards a page has: two, three and four columns come out even.
PAGE = 24
#: Words of a search that count; more only cost time.
_WORDS = 12
#: What can be filtered by, and what an entry has of it.
FILTERS: Mapping[str, Callable[[Entry], Sequence[str]]] = {
    "sector": lambda entry: (entry.sector,),
    "factory": lambda entry: (entry.factory,) if entry.factory else (),
    "language": lambda entry: entry.languages,
}


@dataclass(frozen=True)
class Choice:
    """What a visitor asked for, as the address says it: ``?q=rain&sector=climate&page=2``.

    Attributes
    ----------
    q : str
        Words; each has to be the beginning of one that the dashboard has.
    filters : mapping
        Wanted value by the name of a filter; empty where all are wanted.
    page : int
        Number of the page, from 1.
    """

    q: str
    filters: Mapping[str, str]
    page: int = 1

    @classmethod
    def asked(cls, argument: Callable[[str], str]) -> Choice:
        """Read an address; a page that is no number is the first.

        Parameters
        ----------
        argument : callable
            Returns what the address says under a name, or an empty text.
        """
        number = argument("page")
        page = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1
        return cls(argument("q").strip()[:200], {name: argument(name)[:100] for name in FILTERS}, max(1, page))

    @property
    def narrow(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.q or any(self.filters.values()))

    def among(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the entries that were asked for, in their order."""
        words = [f" {word}" for word in fold(self.q)[:_WORDS]]
        wanted = [(FILTERS[name], value) for name, value in self.filters.items() if value]
        return [
            entry
            for entry in entries
            if all(word in entry.words for word in words) and all(value in has(entry) for has, value in wanted)
        ]

    def address(self, page: int) -> str:
        """Return the query of another page of the same choice."""
        asked = {"q": self.q, **self.filters, "page": str(page) if page > 1 else ""}
        return urlencode({name: value for name, value in asked.items() if value})


def options(entries: Sequence[Entry], choice: Choice) -> dict[str, list[str]]:
    """Return the values that each filter offers: those there are, and the one that was asked for.

    A filter that all dashboards pass alike is left out, unless it was asked for.
    """
    found = {}
    for name, has in FILTERS.items():
        there = {value for entry in entries for value in has(entry)}
        asked = choice.filters[name]
        splits = len(there) > 1 or (any(not has(entry) for entry in entries) and there)
        if asked or splits:
            found[name] = sorted(there | ({asked} if asked else set()))
    return found
