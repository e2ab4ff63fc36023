"""Use-case cards: declared by a use case, copied into each record, filled with what the run found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genai4eu import card
from genai4eu.catalogue import UseCase, usecases
from genai4eu.errors import WorkbenchError
from genai4eu.runs.plan import plan
from genai4eu.runs.record import Record
from genai4eu.runs.runner import create

SHIPPED = [u for u in usecases() if u.distribution == "genai4eu"]


def usecase(**more: Any) -> UseCase:
    about: dict[str, Any] = {"name": "soil", "title": "Wet?", "sector": "agrifood", "summary": "s", "version": "1"}
    return UseCase(**about, template="acme/soil.ipynb", distribution="acme", **more)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that can hold a card."""
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / f"acme{abs(hash(tmp_path))}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    return folder


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda u: u.name)
def test_every_shipped_use_case_says_what_it_is(shipped: UseCase) -> None:
    said = card.declared(shipped)
    assert said is not None and said.data and said.limits and said.model.baselines and said.metrics and said.generated
    text = card.markdown(said.model_dump())
    for heading in ("## Data", "## Model", "## Made by AI", "## Metrics", "## Limits"):
        assert heading in text
    assert all(data.licence in text for data in said.data)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "has no card at"),
        ("question = ", "is no TOML"),
        ('question = "Wet?"', "is not valid (intended_use: Field required)"),
    ],
)
def test_a_broken_card_is_named(package: Path, content: str | None, why: str) -> None:
    if content is not None:
        (package / "card.toml").write_text(content)
    with pytest.raises(WorkbenchError, match="'soil'") as caught:
        card.declared(usecase(card=f"{package.name}/card.toml"))
    assert why in str(caught.value)


def test_no_card_is_none_and_a_path_without_a_package_is_refused() -> None:
    assert card.declared(usecase()) is None
    with pytest.raises(ValueError, match="card"):
        usecase(card="card.toml")


def test_the_card_of_a_run_says_what_it_found(house: Path) -> None:
    """Made from the record alone: the use case may be gone by then."""
    record = create(plan("health-imaging", parameters={"profile": "smoke", "data": "a|b.nii"}))
    found = {"dice_c_flow": {"value": 0.123456, "unit": "1"}, "mine": {"value": None, "unit": "s"}}
    record.write("metrics.json", found)
    record.write("run.json", {**record.info, "status": "completed", "duration": 9.0})
    made = card.card_of(Record(record.folder))
    assert made is not None
    assert (made["run"]["id"], made["parameters"]["profile"]) == (record.id, "smoke")
    assert made["results"]["dice_c_flow"]["value"] == 0.123456
    json.dumps(made)
    text = card.markdown(made)
    assert "| dice_c_flow | 0.1235 | 1 | Dice at the unseen site C" in text
    assert "| mine | undefined | s |  |" in text
    assert "| data | a\\|b.nii |" in text
    assert f"| Id | {record.id} |" in text


def test_the_command_line_prints_both(house: Path, genai4eu: Any) -> None:
    assert "## Limits" in genai4eu("card", "health-imaging").stdout
    assert genai4eu("card", "health-imaging", "-o", "card.json", "--json").stdout == "card.json\n"
    assert json.loads((house / "card.json").read_text())["data"][0]["licence"]
    assert "unknown run 'helth'" in genai4eu("card", "helth").stderr
