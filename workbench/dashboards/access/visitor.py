"""Somebody who signed in. Made by the identity, looked at by ``access``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Visitor:
    """Who it is, as the identity provider says.

    Attributes
    ----------
    name : str
        By which a dashboard lets them in.
    shown : str
        By which a page calls them.
    groups : frozenset of str
        To which they belong, where the provider knows of any.
    """

    name: str
    shown: str
    groups: frozenset[str] = frozenset()


class Busy(Exception):
    """More passwords are waiting to be looked at than we look at."""
