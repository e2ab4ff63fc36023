"""Sizes and profiles: one call, so that "Run all", stock papermill and the workbench agree on what was explicit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from ..errors import WorkbenchError
from .coercion import coerce
from .context import current_run
from .files import write_json

Sizes = TypeVar("Sizes")


def resolve(profiles: Mapping[str, Sizes], profile: str, **explicit: Any) -> Sizes:
    """Return the profile's sizes with every explicit (not ``None``) value in place. Called by templates, once.

    The resolved values are kept beside the run's outputs, so that the record says what was really used.

    Parameters
    ----------
    profiles : mapping of str to dataclass instance
        The use case's sizes by profile name.
    profile : str
        Which profile.
    **explicit
        The template's size parameters by field name; ``None`` takes the profile's value. Dates and paths, which are
        injected as texts, become what the field declares. Other values that the dashboard part needs may not be
        passed here: a name must be a field of the dataclass.

    Raises
    ------
    WorkbenchError
        For an unknown profile or an unknown size.
    """
    if profile not in profiles:
        raise WorkbenchError(f"unknown profile {profile!r}: use one of {', '.join(profiles)}")
    sizes: Any = profiles[profile]
    known = {f.name for f in dataclasses.fields(sizes)}
    if unknown := sorted(set(explicit) - known):
        raise WorkbenchError(f"unknown size {', '.join(unknown)}: the profile has {', '.join(sorted(known))}")
    kinds = get_type_hints(type(sizes)) if any(isinstance(v, str) for v in explicit.values()) else {}
    given = {k: coerce(v, kinds.get(k, Any)) for k, v in explicit.items() if v is not None}
    chosen = dataclasses.replace(sizes, **given)
    folder = current_run().outputs.parent
    values = {k: _plain(v) for k, v in dataclasses.asdict(chosen).items()}
    write_json(folder / "sizes.json", {"profile": profile, **values}, durable=False)
    result: Sizes = chosen
    return result


def _plain(value: Any) -> Any:
    """Return a size as JSON holds it."""
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
