"""The recorded state of a page's widgets: those that are shown and what they refer to, with code, pictures and binary
parts as files of their own. Called by freezing; the page's script reads what is written here.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ..part import Json
from .markup import Media, data_address, inert

_MARK = "IPY_MODEL_"
#: Attributes of anywidget that hold a script.
_CODE = ("_esm",)
#: Widgets whose value is HTML that the page's script puts in as it is.
_HTML = ("HTMLModel", "HTMLMathModel")
#: Libraries that the page's script brings along.
_BROUGHT = ("@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/output")
#: Larger pictures inside text become files.
_PICTURE = re.compile(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]{1000,}")


def references(value: Any) -> Iterator[str]:
    """Yield the ids of the models that a state refers to, in order."""
    if isinstance(value, str):
        if value.startswith(_MARK):
            yield value.removeprefix(_MARK)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def below(roots: Iterable[str], states: Mapping[str, Json]) -> list[str]:
    """Return the ids of models and of all they refer to, and of links between these, which nothing refers to."""
    found = _closed(roots, states)
    links = [
        name
        for name, told in states.items()
        if "Link" in str(told.get("model_name"))
        and (ends := set(references(told.get("state", {}))))
        and ends <= found.keys()
    ]
    return list(_closed([*found, *links], states))


def _closed(roots: Iterable[str], states: Mapping[str, Json]) -> dict[str, None]:
    found: dict[str, None] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop(0)
        if name not in found and name in states:
            found[name] = None
            waiting += references(states[name].get("state", {}))
    return found


def libraries(names: Iterable[str], states: Mapping[str, Json]) -> set[str]:
    """Return the front-end libraries that models need beside those of the page."""
    used = {str(states[name].get("state", {}).get(key)) for name in names for key in ("_model_module", "_view_module")}
    return used - {*_BROUGHT, "None", ""}


def module(library: str) -> Path | None:
    """Return the script of an installed widget library; None where it is not on this computer."""
    from jupyter_core.paths import jupyter_path

    if not re.fullmatch(r"(?:@[\w.-]+/)?[\w.-]+", library):
        return None
    places = (Path(folder) / library / "index.js" for folder in jupyter_path("nbextensions"))
    return next((place for place in places if place.is_file()), None)


def keep(roots: Iterable[str], states: Mapping[str, Json], media: Media) -> dict[str, Any]:
    """Put the state of widgets into files and return where: ``{"state": address, "modules": {library: address}}``.

    Raises
    ------
    WorkbenchError
        If a widget's recorded data is damaged.
    """
    names = below(roots, states)
    told = {name: _model(name, _known(states[name], states), media) for name in names}
    content = json.dumps({"state": told}, ensure_ascii=False, separators=(",", ":")).encode()
    modules = {}
    for library in sorted(libraries(names, states)):
        if path := module(library):
            modules[library] = media.keep(path.read_bytes(), "js")
    return {"state": media.keep(content, "json"), "modules": modules}


def _known(told: Json, states: Mapping[str, Json]) -> Json:
    """Return a model without what refers to models that no state was recorded of: it falls back to its default."""
    state = {k: v for k, v in told.get("state", {}).items() if all(name in states for name in references(v))}
    return {**told, "state": state}


def _model(name: str, told: Json, media: Media) -> dict[str, Any]:
    """Return what is kept of one model."""
    state = {key: _pictures(value, media) for key, value in told.get("state", {}).items()}
    if told.get("model_name") in _HTML and isinstance(state.get("value"), str):
        state["value"] = inert(state["value"])
    code = {
        key: Path(media.keep(state.pop(key).encode(), "js")).name for key in _CODE if isinstance(state.get(key), str)
    }
    kept = {key: told[key] for key in ("model_name", "model_module", "model_module_version") if key in told}
    kept["state"] = state
    if code:
        kept["code"] = code
    if told.get("buffers"):
        kept["files"] = [_buffer(name, buffer, media) for buffer in told["buffers"]]
    return kept


def _buffer(name: str, buffer: Json, media: Media) -> dict[str, Any]:
    try:
        content = base64.b64decode(buffer["data"], validate=True)
        return {"path": buffer["path"], "src": Path(media.keep(content, "bin")).name}
    except (KeyError, TypeError, ValueError):
        raise WorkbenchError(f"the recorded data of widget {name} is damaged: run again") from None


def _pictures(value: Any, media: Media) -> Any:
    """Return a value whose large pictures stand in files: a page shows them twice and loads them once."""
    if not isinstance(value, str) or "data:image/" not in value:
        return value
    return _PICTURE.sub(lambda found: media.add(*data_address(found[0])), value)
