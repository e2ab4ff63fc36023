"""Limits of a parameter: ``in lo..hi`` and ``in {a, b}``, read as its type, held against values. For parameters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from .values import atoms, leaves, plain, read_literal, read_text, typed

_ORDERED = (int, float, date, datetime)


def read_bounds(kind: Any, texts: tuple[str, str]) -> tuple[Any, Any]:
    """Read both ends as the parameter's type.

    Raises
    ------
    ValueError
        If the type has no order, an end is not of the type, or the ends are the wrong way round.
    """
    ordered = [leaf for leaf in leaves(kind) if leaf in _ORDERED or leaf is Any]
    if not ordered:
        raise ValueError("has limits lo..hi, which need a number or a date: use in {a, b}")
    low, high = (_end(ordered[-1], text) for text in texts)
    if not low <= high:
        raise ValueError(f"has limits {texts[0]}..{texts[1]} that nothing can meet: write the lower one first")
    return low, high


def _end(leaf: Any, text: str) -> Any:
    if leaf in (date, datetime):
        try:
            return typed(leaf, text)
        except ValueError:
            raise ValueError(f"has the limit {text}, which is no {leaf.__name__}: write it as 2026-01-31") from None
    value = float(text) if text in ("inf", "-inf") else read_literal(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"has the limit {text}, which is no number")
    return value


def read_choices(kind: Any, words: Iterable[str]) -> tuple[Any, ...]:
    """Read each choice as the parameter's type, plain.

    Raises
    ------
    ValueError
        If there is none, or one is not of the type.
    """
    choices = tuple(_choice(tuple(leaves(kind)), word) for word in words)
    if not choices:
        raise ValueError("may take nothing: name its values in the braces")
    return choices


def _choice(kinds: tuple[Any, ...], word: str) -> Any:
    for kind in kinds:
        try:
            return plain(typed(kind, read_text(kind, word)))
        except ValueError:
            continue
    raise ValueError(f"has the choice {word}, which is not of its type")


def within(bounds: tuple[Any, Any], value: Any) -> bool:
    """Tell whether every single value of ``value`` lies between the bounds, both allowed."""
    try:
        return all(bounds[0] <= atom <= bounds[1] for atom in atoms(value) if atom is not None)
    except TypeError:  # a text, or a time with a zone against one without
        return False


def among(choices: tuple[Any, ...], value: Any) -> bool:
    """Tell whether every single value of a plain ``value`` is a choice; ``True`` is not 1."""
    known = {(type(c), c) for c in choices}
    return all((type(atom), atom) in known for atom in atoms(value) if atom is not None)


def shown(end: Any) -> str:
    """Return one end of the bounds as the cell writes it."""
    if isinstance(end, float):
        return f"{end:g}" if float(f"{end:g}") == end else repr(end)
    return str(plain(end))
