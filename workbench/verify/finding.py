"""What a comparison found: bit-identical, equal within the tolerance, or different, and where. Used by every kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["identical", "equal", "different"]
_ORDER: tuple[Outcome, ...] = ("identical", "equal", "different")


@dataclass(frozen=True)
class Finding:
    """How two of a thing compare.

    Attributes
    ----------
    outcome : str
        ``identical`` bit by bit, ``equal`` in all that counts within the tolerance, or ``different``.
    where : str or None
        The first place that differs: a variable and an index, a pixel, a line; of an equal one that of the largest
        difference.
    why : str or None
        What differs there.
    max_abs, max_rel : float or None
        Largest absolute and relative difference of numbers, where there is one.
    aside : tuple of str
        What differs and was set aside, by name: it says when or by what something was made, and nothing of the result.
    """

    outcome: Outcome
    where: str | None = None
    why: str | None = None
    max_abs: float | None = None
    max_rel: float | None = None
    aside: tuple[str, ...] = field(default=())

    def at(self, place: str) -> Finding:
        """Return the finding as one within something larger."""
        if self.outcome == "identical":
            return self
        where = f"{place}{self.where}" if self.where and self.where.startswith("[") else self.where
        where = where if where and where.startswith(place) else f"{place}: {where}" if where else place
        return Finding(self.outcome, where, self.why, self.max_abs, self.max_rel, self.aside)

    def about(self) -> dict[str, Any]:
        """Return what a verdict keeps."""
        return {**asdict(self), "aside": list(self.aside)}

    def sentence(self) -> str:
        """Say it in one line."""
        words = {"identical": "bit-identical", "equal": "equal within the tolerance" if self.max_abs else "equal"}
        said = [words.get(self.outcome, "different")]
        where = f"at {self.where}" if self.where and (self.outcome == "different" or self.max_abs) else ""
        why = self.why if self.outcome == "different" else None
        said += [text for text in (": ".join(filter(None, (where, why))), self.size()) if text]
        if self.aside:
            said.append(f"set aside: {', '.join(self.aside)}")
        return "; ".join(said)

    def size(self) -> str:
        """Say how large the largest difference is; nothing where there is none."""
        if not self.max_abs:
            return ""
        relative = "" if self.max_rel is None else f", relative {self.max_rel:.2g}"
        return f"largest difference {self.max_abs:.2g}{relative}"


IDENTICAL = Finding("identical")


def different(where: str | None, why: str) -> Finding:
    """Return a finding of something that is not a difference of numbers."""
    return Finding("different", where, why)


def together(findings: Iterable[Finding]) -> Finding:
    """Return the finding of a whole from its parts: the first different one, else that of the largest change."""
    every = list(findings)
    aside = tuple(dict.fromkeys(name for f in every for name in f.aside))
    found = [f for f in every if f.outcome != "identical"]
    if not found:
        return Finding("identical", aside=aside)
    worst = max(found, key=lambda f: (_ORDER.index(f.outcome), 0 if f.outcome == "different" else f.max_abs or 0))
    largest = [m for m in (f.max_abs for f in found) if m is not None]
    relative = [m for m in (f.max_rel for f in found) if m is not None]
    return Finding(
        worst.outcome, worst.where, worst.why, max(largest, default=None), max(relative, default=None), aside
    )
