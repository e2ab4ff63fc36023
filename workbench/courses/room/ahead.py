"""What a seat's server works out anew for every browser, worked out once, before seats are forked. By ``servers``.

Menus and settings are the same for all: of a processor's second that a browser cost a seat, half went into them. What
Jupyter's functions return is kept, and copied where its callers change it.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyterlab.commands import get_app_dir


def work_out() -> None:
    """Do it; what a later Jupyter does not have any more is left to it."""
    importlib.import_module("anyio._backends._asyncio")  # at first use else, in each seat
    _exporters()
    _settings()


def _exporters() -> None:
    """The formats in the menu: to find each, nbconvert reads what all installed packages offer."""
    from nbconvert.exporters import base

    names = tuple(base.get_export_names())
    base.get_exporter = functools.cache(base.get_exporter)
    base.get_export_names = lambda config=None: list(names)
    for name in names:
        with contextlib.suppress(ValueError, ImportError):  # one that is not whole is none in the menu either
            base.get_exporter(name)


def _settings() -> None:
    """The settings of JupyterLab's parts: each one's schema is read and checked."""
    from jupyterlab_server import settings_utils

    if (read := getattr(settings_utils, "_get_schema", None)) is None:
        return
    settings_utils._get_schema = kept(read)
    app = Path(get_app_dir())
    overrides, _ = settings_utils._get_overrides(str(app / "settings"))
    settings_utils._list_settings(str(app / "schemas"), str(app / "none"), overrides)


def kept(read: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that reads a schema once, and gives every caller a copy of its own."""
    found: dict[str, Any] = {}

    def again(schemas_dir: str, schema_name: str, overrides: dict[str, Any], labextensions_path: Any) -> Any:
        key = json.dumps([schemas_dir, schema_name, overrides.get(schema_name), labextensions_path])
        if key not in found:
            found[key] = read(schemas_dir, schema_name, overrides, labextensions_path)
        return copy.deepcopy(found[key])

    return again
