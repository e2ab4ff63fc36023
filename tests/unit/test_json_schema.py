"""The JSON Schema of a notebook's parameters: valid, and of one mind with our own check."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genai4eu.catalogue import source
from genai4eu.grammar import read_schema
from genai4eu.json_schema import DIALECT, json_schema
from genai4eu.parameters import Schema, fault

SOURCE = """
epochs: int | None = None  # training epochs [1] in 1..200
rate: float = 0.1  # learning rate [1/s] in 0..inf
name: str = "a"  # text
kind: str | None = "b"  # kind in {a, b}
flag: bool = False
day: date = date(2026, 1, 2)  # first day in 2026-01-01..2026-12-31
when: datetime = datetime(2026, 1, 2)
data: Path | None = None
loads: list[float] = [1]  # lesion loads [mL] in 0..10
sites: list[str] | None = None  # sites in {A, B}
level: Literal[1, 2, "x"] | None = 1
mixed: int | str = 1
nested: list[list[int]] = [[1]]  # in 0..3
token: str = "secret:hub"
free = None
plain: list = []
"""


def read(text: str) -> Schema:
    return read_schema([{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": text}], "study.ipynb")


SCHEMA = read(SOURCE)
MADE = json_schema(SCHEMA, "Study")


def test_it_is_valid_and_takes_the_notebooks_own_values() -> None:
    for made, schema in ((MADE, SCHEMA), *((json_schema(s, "H"), s) for s in [source("health-imaging").schema])):
        assert made["$schema"] == DIALECT == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
        jsonschema.Draft202012Validator.check_schema(made)
        jsonschema.Draft202012Validator(made).validate(schema.resolved({}))


SAID: dict[str, dict[str, Any]] = {
    "epochs": {"type": ["integer", "null"], "minimum": 1, "maximum": 200, "x-unit": "1", "default": None,
               "description": "training epochs"},
    "rate": {"type": "number", "minimum": 0, "x-unit": "1/s", "default": 0.1, "description": "learning rate"},
    "kind": {"enum": ["a", "b", None], "default": "b", "description": "kind"},
    "day": {"type": "string", "format": "date", "formatMinimum": "2026-01-01", "formatMaximum": "2026-12-31",
            "default": "2026-01-02", "description": "first day"},
    "data": {"anyOf": [{"type": "string", "format": "path"}, {"type": "null"}], "default": None},
    "loads": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 10}, "x-unit": "mL",
              "default": [1.0], "description": "lesion loads"},
    "sites": {"anyOf": [{"type": "array", "items": {"enum": ["A", "B"]}}, {"type": "null"}], "default": None,
              "description": "sites"},
    "level": {"enum": [1, 2, "x", None], "default": 1},
    "token": {"type": "string", "pattern": "^secret:[A-Za-z0-9][A-Za-z0-9._-]*$", "default": "secret:hub"},
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_units_bounds_choices_null_and_formats(name: str) -> None:
    assert MADE["properties"][name] == SAID[name]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 300)
    | st.floats(-2, 300).filter(lambda x: not x.is_integer())  # JSON Schema calls 4.0 an integer
    | st.sampled_from(["a", "b", "A", "B", "x", "", "secret:x", "secret:"])
    | st.text("ab1", max_size=2),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
#: Formats are an annotation in this dialect: what a date may be is not decided by it.
DECIDED = sorted(set(SCHEMA.parameters) - {"day", "when"})


@given(st.sampled_from(DECIDED), VALUES)
@settings(max_examples=600, deadline=None)
def test_a_validator_of_the_schema_decides_as_we_do(name: str, value: Any) -> None:
    validator = jsonschema.Draft202012Validator(MADE["properties"][name])
    assert validator.is_valid(value) == (fault(SCHEMA.parameters[name], value) is None)
