"""Files of parameters, YAML or JSON, read by what the notebook declares. Called by the command line and sweeps.

YAML guesses types by how a value looks: ``no`` is false, ``1e-3`` a text, ``2026-01-02`` a date. Here a bare value is
read as its parameter's type, as on the command line, and one in quotes is a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import WorkbenchError
from .parameters import Schema
from .values import members, read_text

SUFFIXES = (".yaml", ".yml", ".json")


class Bare(str):
    """A YAML scalar without quotes: its type is the parameter's to say."""

    __slots__ = ()


def gather(schema: Schema, files: Iterable[Path], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the checked values of files, a later one before an earlier, and of the command line before all.

    Raises
    ------
    WorkbenchError
        Naming a file that cannot be read, or every fault of the values at once, with the file each comes from.
    """
    given: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for path in files:
        for name, value in read_file(path).items():
            given[name] = typed_by(schema, name, value)
            origins[name] = str(path)
    given.update(schema.parse(texts))
    return schema.validate(given, {name: path for name, path in origins.items() if name not in texts})


def typed_by(schema: Schema, name: str, value: Any) -> Any:
    """Return a value of a file with its bare parts read as the parameter's type."""
    known = schema.parameters.get(name)
    return _read(known.type if known else Any, value)


def _read(kind: Any, value: Any) -> Any:
    if isinstance(value, Bare):
        if value == "" or (value == "~" and type(None) in members(kind)):
            return None
        return read_text(kind, str(value))
    if isinstance(value, list):
        inner = next((m.__args__[0] for m in members(kind) if getattr(m, "__origin__", None) is list), Any)
        return [_read(inner, item) for item in value]
    return {str(k): _read(Any, v) for k, v in value.items()} if isinstance(value, dict) else value


def read_file(path: Path) -> dict[str, Any]:
    """Return the values of a file by name; those of YAML without quotes are ``Bare``.

    Raises
    ------
    WorkbenchError
        If it cannot be read, is not a mapping, or names a parameter twice.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise WorkbenchError(f"{path} is no file of parameters: its name must end in {', '.join(SUFFIXES)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = _json(text) if path.suffix.lower() == ".json" else _yaml(text)
    except OSError as error:
        raise WorkbenchError(f"{path} cannot be read ({error.strerror}): check the path") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise WorkbenchError(f"{path} is not {_kind(path)}: {reason(error)}") from None
    if content is None or content == "":
        return {}
    if not isinstance(content, dict):
        raise WorkbenchError(f"{path} holds no parameters: write one 'name: value' a line")
    return {str(name): value for name, value in content.items()}


def _kind(path: Path) -> str:
    return "JSON" if path.suffix.lower() == ".json" else "YAML"


def reason(error: Exception) -> str:
    """Return one line on what is wrong, with the line number where it is known."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1}: {getattr(error, 'problem', None) or 'it cannot be read'}"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return str(error).splitlines()[0]


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; a name given twice is a mistake worth naming."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"{name!r} is given twice")
        made[name] = value
    return made


class Strict(yaml.SafeLoader):
    """YAML without what a person never means: no objects, no name twice, no aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read the next node, unless it stands for another."""
        if self.check_event(yaml.AliasEvent):  # a short file of aliases can stand for gigabytes
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "write the value out, not an alias", event.start_mark)
        return super().compose_node(parent, index)


class _Loader(Strict):
    """YAML with mappings, lists and texts only: no guessed types."""


def _scalar(loader: Strict, node: yaml.ScalarNode) -> str:
    return Bare(node.value) if node.style is None else str(node.value)


def _mapping(loader: Strict, node: yaml.MappingNode) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in made:
            said = f"{key!r} is given twice" if isinstance(key, str) else "a name must be a text"
            raise yaml.constructor.ConstructorError(None, None, said, key_node.start_mark)
        made[str(key)] = loader.construct_object(value_node, deep=True)
    return made


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)  # a SafeLoader


Strict.add_constructor("tag:yaml.org,2002:map", _mapping)
for _tag in ("null", "bool", "int", "float", "timestamp", "str"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _scalar)
