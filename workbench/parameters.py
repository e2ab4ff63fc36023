"""Parameters: what a notebook declares, and the check of every value before any kernel starts.

One schema serves the command line, files, Python, forms and sweeps. Called by them, the runner and the grammar.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .errors import WorkbenchError, together
from .limits import among, shown, within
from .values import WRITTEN, leaves, plain, read_text, type_name, typed

#: A value that stands for another one, which is looked up where the kernel runs, and kept out of every record.
SECRET = re.compile(r"secret:[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Parameter:
    """One parameter as its cell declares it.

    Attributes
    ----------
    type : type or typing form
        Such as ``int``, ``int | None``, ``Literal["a", "b"]``, ``list[float]``.
    unit : str or None
        Unit symbol, ``"1"`` for a number without dimension.
    bounds : tuple or None
        Least and greatest value, both allowed: numbers, or dates. Of a list, for each of its values.
    choices : tuple or None
        The allowed values, plain. Of a list, for each of its values.
    """

    name: str
    type: Any
    default: Any
    help: str = ""
    unit: str | None = None
    bounds: tuple[Any, Any] | None = None
    choices: tuple[Any, ...] | None = None

    @cached_property
    def plain_default(self) -> Any:
        """The notebook's own value as it would be injected."""
        return self.check(self.default)

    @property
    def secret(self) -> bool:
        """Whether the notebook's own value names a secret; then every other one has to."""
        return isinstance(self.default, str) and self.default.startswith("secret:")

    @property
    def allowed(self) -> str:
        """Say in words what is allowed."""
        if self.secret:
            return "secret:NAME, never the value itself: keep that with 'genai4eu secrets set NAME'"
        said = type_name(self.type)
        if self.choices is not None:
            said += " in {" + ", ".join(map(str, self.choices)) + "}"
        if self.bounds is not None:
            said += f" in {shown(self.bounds[0])}..{shown(self.bounds[1])}"
        return said + (f" [{self.unit}]" if self.unit and self.unit != "1" else "")

    def check(self, value: Any) -> Any:
        """Return a value as it is injected: made of Python's own plain types, dates and paths as text.

        Raises
        ------
        WorkbenchError
            Naming parameter, value and what is allowed.
        """
        try:
            found = typed(self.type, value)
        except ValueError:
            raise self._refused(value) from None
        result = plain(found)
        if self.secret and result is not None and not SECRET.fullmatch(str(result)):
            raise self._refused(value)
        if self.bounds is not None and not within(self.bounds, found):
            raise self._refused(value)
        if self.choices is not None and not among(self.choices, result):
            raise self._refused(value)
        return result

    def _refused(self, value: Any) -> WorkbenchError:
        said = f" cannot be {_short(value)}: it" if not self.secret else ""  # it may be the secret itself
        written = next((f", written as {WRITTEN[leaf]}" for leaf in leaves(self.type) if leaf in WRITTEN), "")
        return WorkbenchError(f"parameter {self.name!r}{said} takes {self.allowed}{written}")


def _short(value: Any) -> str:
    """Return a value as an error shows it."""
    try:
        said = repr(plain(value))
    except (ValueError, RecursionError):  # a number longer than Python writes; a list within itself
        return f"this {type(value).__name__}"
    return said if len(said) <= 60 else f"{said[:60]}…"


@dataclass(frozen=True)
class Schema:
    """All parameters of a notebook."""

    parameters: dict[str, Parameter]

    def validate(self, given: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the given values, checked; dates and paths come back as strings, as they are injected.

        Parameters
        ----------
        given : mapping
            Values by name.
        origins : mapping, optional
            Where a value comes from, such as a file, by name; errors say so.

        Raises
        ------
        WorkbenchError
            Naming every fault of the call at once: parameter, value, what is allowed, the nearest known name.
        """
        checked, faults = {}, []
        for name, value in given.items():
            try:
                checked[name] = self._known(name).check(value)
            except WorkbenchError as fault:
                faults.append(f"{origins[name]}: {fault}" if origins and name in origins else str(fault))
        if faults:
            raise together(faults, "parameters")
        return checked

    def parse(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Turn the texts of a command line into values of the declared types, not yet checked."""
        return {k: read_text(self.parameters[k].type, t) if k in self.parameters else t for k, t in texts.items()}

    def resolved(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of all parameters: the given ones, else the notebook's own."""
        return {name: given.get(name, p.plain_default) for name, p in self.parameters.items()}

    def _known(self, name: str) -> Parameter:
        if name in self.parameters:
            return self.parameters[name]
        small = {n.lower(): n for n in self.parameters}
        near = difflib.get_close_matches(str(name).lower(), small, n=1)
        known = f"the notebook has {', '.join(self.parameters) or 'none'}"
        hint = f"did you mean {small[near[0]]!r}?" if near else known
        raise WorkbenchError(f"unknown parameter {_short(name)}: {hint}")


def fault(parameter: Parameter, value: Any) -> str | None:
    """Say in one sentence why a value may not be given, or return None."""
    try:
        parameter.check(value)
    except WorkbenchError as refused:
        return str(refused)
    return None
