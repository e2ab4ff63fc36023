"""A dashboard is fit to be run again, by the command on its page, and to be cited."""

from __future__ import annotations

import json
import shlex
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.pages.citation import Citation
from genai4eu.dashboards.pages.command import options
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import running
from genai4eu.grammar import read_schema
from genai4eu.parameters import Schema
from genai4eu.runs.record import Record

from .conftest import seal
from .evidence import Change, page_of

SCHEMA = read_schema(
    [
        {
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]},
            "source": "from pathlib import Path\nname: str = 'a'\nmaybe: str | None = None\nn: int = 3\n"
            "x: float = 1.0\n"
            "flag: bool = False\nnumbers: list[float] = [1.0]\ntexts: list[str] = ['a']\ndata: Path | None = None\n",
        }
    ],
    "test",
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def _read(schema: Schema, given: list[str]) -> dict[str, Any]:
    """Read options as the command line does."""
    texts = dict(text.split("=", 1) for flag, text in zip(given[::2], given[1::2], strict=True) if flag == "-p")
    return schema.resolved(schema.validate(schema.parse(texts)))


@given(
    st.fixed_dictionaries(
        {
            "name": TEXTS, "maybe": st.none() | TEXTS, "n": st.integers(-(10**20), 10**20), "x": FINITE,
            "flag": st.booleans(), "numbers": st.lists(FINITE), "texts": st.lists(TEXTS), "data": st.none() | TEXTS,
        }
    )
)  # fmt: skip
def test_the_command_gives_the_parameters_of_the_run(values: dict[str, Any]) -> None:
    typed = shlex.split(shlex.join(options(SCHEMA, values, "file.json")))
    if typed != ["--params", "file.json"]:  # what cannot be typed is read from the file of the parameters
        assert _read(SCHEMA, typed) == values


def test_only_what_differs_is_typed_and_rightly_quoted() -> None:
    own = SCHEMA.resolved({})
    assert options(SCHEMA, own, "f") == []
    differing = {**own, "name": "it's $HOME; rm", "n": 5, "flag": True, "numbers": [0.5, 2.0]}
    line = shlex.join(options(SCHEMA, differing, "f"))
    assert line == """-p 'name=it'"'"'s $HOME; rm' -p n=5 -p flag=true -p 'numbers=[0.5, 2.0]'"""
    assert options(SCHEMA, {**own, "maybe": "none"}, "f") == ["--params", "f"]  # it would be read as no value
    assert options(SCHEMA, {**own, "gone": 1}, "f") == ["--params", "f"]


def _cited(record: Record, authors: Any) -> Citation:
    path = record.folder / "notebook.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    notebook["metadata"]["authors"] = authors
    path.write_text(json.dumps(notebook), encoding="utf-8")
    seal(record.folder)
    return Citation.of(Dashboard(dashboards_root() / publish(record).slug).current, "https://centre.example/d/x/v/1/")


def test_authors_are_those_that_the_notebook_names(record: Record) -> None:
    found = _cited(record, [{"name": "Ada Lovelace"}, {"name": "Émilie du Châtelet"}])
    assert found.sentence.startswith("Ada Lovelace; Émilie du Châtelet (2")
    assert "author = {{Ada Lovelace} and {Émilie du Châtelet}}" in found.bibtex
    content = yaml.safe_load(found.cff or "")
    assert [a["name"] for a in content["authors"]] == ["Ada Lovelace", "Émilie du Châtelet"]
    assert (content["cff-version"], content["license"], content["version"]) == ("1.2.0", "CC-BY-4.0", "1")


@pytest.mark.parametrize("authors", [[], "Ada", [{"name": ""}], [5], None])
def test_no_author_is_made_up(record: Record, authors: Any) -> None:
    found = _cited(record, authors)
    assert found.authors == () and found.sentence.startswith("(2") and "author" not in found.bibtex
    assert found.cff is None
    with running(dashboards_root()) as server:
        assert httpx.get(server.address + "d/tiny-wave-a1b2/citation.cff").status_code == 404
        page = page_of(server)
        assert "names no authors" in page.get_text() and not page.select("a[href*='citation.cff']")


def test_a_use_case_is_by_who_made_its_package(change: Change) -> None:
    published = publish(change("run.json", lambda info: info.update(usecase="climate", usecase_version="0.3.0")))
    found = Citation.of(Dashboard(dashboards_root() / published.slug).current, "https://centre.example/")
    assert found.authors == ("The GenAI4EU workbench contributors",) and "use case climate 0.3.0" in found.sentence


def test_bibtex_takes_no_sign_for_a_command(record: Record) -> None:
    title = r"50 % & $x_1 #{a} \ ~ ^"
    found = Citation.of(Dashboard(dashboards_root() / publish(record, title=title).slug).current, "https://c.example/")
    said = (
        r"{50 \% \& \$x\_1 \#\textbraceleft{}a\textbraceright{} \textbackslash{} \textasciitilde{} \textasciicircum{}}"
    )
    assert said in found.bibtex
