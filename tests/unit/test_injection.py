"""No value becomes code: whatever is given, what papermill injects is one literal, and means that value."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from papermill.translators import PythonTranslator

from genai4eu.errors import WorkbenchError
from genai4eu.grammar import read_schema
from genai4eu.parameters import Schema


def read(source: str) -> Schema:
    return read_schema([{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source}], "study.ipynb")


def test_values_are_made_anew_of_plain_types() -> None:
    """A value that calls itself an int may write itself as code; what is injected is an int."""

    class Sly(int):
        def __repr__(self) -> str:
            return "__import__('os').system('true')"

        __str__ = __format__ = __repr__  # type: ignore[assignment]

    checked = read("n: int = 0\nx = None").validate({"n": Sly(3), "x": {"a": [Sly(4)], Sly(5): 1}})
    assert PythonTranslator.codify(checked) == '# Parameters\nn = 3\nx = {"a": [4], "5": 1}\n'
    import numpy as np

    floats = read("f: list[float] = []").validate({"f": np.array([1, 2])})
    assert floats == {"f": [1.0, 2.0]} and type(floats["f"][0]) is float


NASTY = st.one_of(
    st.text(),
    st.text(alphabet="\"'\\\n\r\t{}#%!$`;\0\x1b\u2028\u2029\ufeff\U0001f600\ud800\udfffNabcxuU0"),
    st.sampled_from(
        ['"', "'", '\\"', "\\", '"""', "\\N{DASH}", "__import__('os')", '"; import os; x = "', "{0}", "%s"]
    ),
)
SINGLE = st.one_of(NASTY, st.integers(), st.integers(-(10**4500), 10**4500), st.floats(), st.booleans(), st.none())
ANYTHING = st.recursive(
    st.one_of(SINGLE, st.binary(), st.dates(), st.datetimes(), st.complex_numbers(), st.builds(Path, st.text())),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.one_of(NASTY, st.integers()), inner),
    max_leaves=12,
)
TYPED = read(
    "a = None\nn: int | None = 0\nf: float = 0\ns: str = ''\nl: list[str] = []\n"
    "d: date | None = None\nt: datetime | None = None\np: Path = Path('x')"
)


def _executed(code: str) -> dict[str, Any]:
    """Run injected code where it can reach nothing, not even a builtin."""
    scope: dict[str, Any] = {"__builtins__": {}}
    exec(code, scope)
    scope.pop("__builtins__")
    return scope


@given(st.sampled_from(list(TYPED.parameters)), ANYTHING)
@settings(max_examples=600, deadline=None)
def test_no_value_becomes_code(name: str, value: Any) -> None:
    """What papermill injects for any accepted value is one literal, and evaluates to that value and nothing else."""
    try:
        checked = TYPED.validate({name: value})
    except WorkbenchError as refused:
        assert "\n" not in str(refused) and len(str(refused)) < 300
        return
    injected = PythonTranslator.codify(checked)
    (statement,) = ast.parse(injected).body
    assert isinstance(statement, ast.Assign)
    assert ast.literal_eval(statement.value) == checked[name]
    assert _executed(injected) == checked
    assert json.loads(json.dumps(checked)) == checked


@given(st.sampled_from(list(TYPED.parameters)), NASTY)
@settings(max_examples=300, deadline=None)
def test_no_text_of_a_command_line_becomes_code(name: str, text: str) -> None:
    try:
        checked = TYPED.validate(TYPED.parse({name: text}))
    except WorkbenchError:
        return
    assert _executed(PythonTranslator.codify(checked)) == checked
