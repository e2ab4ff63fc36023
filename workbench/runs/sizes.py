"""Sizes and profiles: one call, so that "Run all", stock papermill and the workbench agree on what was explicit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import WorkbenchError
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
        The template's size parameters by field name; ``None`` takes the profile's value. Other values that the
        dashboard part needs may not be passed here: a name must be a field of the dataclass.

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
    chosen = dataclasses.replace(sizes, **{k: v for k, v in explicit.items() if v is not None})
    folder = current_run().outputs.parent
    values = {k: str(v) if isinstance(v, Path) else v for k, v in dataclasses.asdict(chosen).items()}
    write_json(folder / "sizes.json", {"profile": profile, **values})
    result: Sizes = chosen
    return result
