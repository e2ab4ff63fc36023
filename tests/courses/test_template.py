"""A template that participants build part by part: what is kept, what is put there ready, what is shown alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from genai4eu.courses.build import build
from genai4eu.courses.course import Course
from genai4eu.courses.shipped import named
from genai4eu.courses.template import Template, _part, begin
from genai4eu.errors import WorkbenchError

ORDER = ["parameters", "days", "study", "measure", "keep", "question", "load", "answer", "figure", "limits"]
RECORD: dict[str, Any] = {"plan": 301.0, "lasted": 0.77, "low": 0.71, "high": 0.83, "average": 0.44}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The desk of the course whose participants build one."""
    return build(Course(named("notebook-to-dashboard")), tmp_path_factory.mktemp("course") / "desk")


@pytest.fixture
def template(built: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Template]:
    """A template without a part."""
    monkeypatch.chdir(built)
    yield begin("material/canteen.toml", before="parameters")
    (built / "canteen.ipynb").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def shell() -> Any:
    return InteractiveShell()


def _keep(folder: Path) -> None:
    np.savez(folder / "result.npz", drawn=np.linspace(90, 400, 2000), **RECORD)


def test_parts_come_in_their_order_whenever_they_are_made(template: Template) -> None:
    assert template.cells == {}
    template.keep("question", "# How many?")
    template.keep("days", "seen = [1, 2]")
    assert template.fill("keep") == ["parameters", "study", "measure"]
    assert list(template.cells) == ["parameters", "days", "study", "measure", "question"]
    assert template.text("days") == "seen = [1, 2]"  # a part of their own stays
    assert template.fill(None, anew=True) == ORDER
    assert template.text("days") == template.ready("days")
    nbformat.validate(nbformat.read(template.file, as_version=4))


def test_the_ready_template_declares_what_lesson_one_asks_for(template: Template) -> None:
    template.fill(None)
    assert template.accepts("share", 0.9) and not template.accepts("share", 90)
    assert template.accepts("days", 250) and not template.accepts("days", 3)
    assert template.schema.parameters["days"].unit == "day"
    tags = {name: cell.metadata["tags"] for name, cell in template.cells.items()}
    assert tags["parameters"] == ["parameters"]
    assert all(("dashboard" in tags[name]) == (ORDER.index(name) > 4) for name in ORDER)
    assert template.cells["figure"].metadata["genai4eu"]["origin"] == "generated"


@pytest.mark.parametrize("language", ["en", "nl", "de", "fr"])
def test_the_ready_dashboard_says_what_another_record_says_in_each_language(built: Path, language: str) -> None:
    template = Template(built / "material" / "canteen.toml", built, language)
    try:
        template.fill(None)
        seen = template.alone(_keep)
    finally:
        template.file.unlink()
    assert seen.error is None
    assert all(number in seen.names["sentence"] for number in ("301", "77%", "71%", "83%", "44%"))
    [(fig, alt, title)] = seen.figures
    assert "301" in alt and "400" in alt and "301" in title
    assert "[1]" in fig.axes[0].get_ylabel()
    assert "$" not in "".join(map(template.ready, ORDER))


def test_a_dashboard_part_that_leans_on_the_study_stops_alone(template: Template) -> None:
    template.keep("answer", "plan")
    seen = template.alone(_keep)
    assert isinstance(seen.error, NameError) and seen.error.name == "plan"


def test_a_cell_that_fails_is_not_kept_and_one_that_works_is(template: Template, shell: Any) -> None:
    _part(shell, template, "days", "raise NotImplementedError()")
    assert template.text("days") == ""
    _part(shell, template, "days", "# YOUR CODE HERE\npass\nseen = 3")  # what stands where a solution stood
    assert template.text("days") == ""
    _part(shell, template, "days", "seen = 3\n")
    assert template.text("days") == "seen = 3" and shell.user_ns["seen"] == 3
    _part(shell, template, "figure generated", "seen")
    assert template.cells["figure"].metadata["genai4eu"]["origin"] == "generated"
    with pytest.raises(WorkbenchError, match=r"canteen.ipynb has no part 'dais': it has parameters, days"):
        _part(shell, template, "dais", "1")


def test_what_was_damaged_or_is_not_there_is_named_with_its_remedy(template: Template) -> None:
    template.file.write_text("no notebook")
    with pytest.raises(WorkbenchError, match="is no notebook any more: delete it and begin anew"):
        template.fill("days")
    with pytest.raises(WorkbenchError, match=r"mensa\.toml is not there"):
        begin("mensa.toml")
    (template.file.parent / "mensa.toml").write_text('file = "x.ipynb"\n')
    with pytest.raises(WorkbenchError, match=r"mensa\.toml does not name the parts of a template"):
        begin("mensa.toml")
