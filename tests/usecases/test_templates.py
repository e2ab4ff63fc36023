"""The shape of every shipped template: short, clean, tagged, and with a dashboard part that stands alone."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import nbformat
import pytest

from genai4eu.catalogue import usecases

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "templates"
ALLOWED = {"parameters", "dashboard", "hide-input", "remove-cell"}
SHIPPED = {u.template for u in usecases() if u.distribution == "genai4eu"}


@pytest.fixture(params=sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def template(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def _lines(source: str) -> int:
    return sum(1 for line in source.splitlines() if line.strip() and not line.strip().startswith("#"))


def test_it_is_short_clean_and_tagged(template: Path) -> None:
    notebook = nbformat.read(template, as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert sum(_lines(c.source) for c in code) <= 60
    assert max(_lines(c.source) for c in code) <= 10
    assert all(not c.outputs and c.execution_count is None for c in code)
    assert {tag for c in notebook.cells for tag in c.metadata.get("tags", [])} <= ALLOWED
    assert notebook.metadata.kernelspec.name == "genai4eu"
    assert f"genai4eu.templates/{template.name}" in SHIPPED


def test_the_dashboard_part_uses_no_variable_of_the_study_part(template: Path) -> None:
    cells = nbformat.read(template, as_version=4).cells
    code = [c.source for c in cells if c.cell_type == "code" and "dashboard" in c.metadata.get("tags", [])]
    tree = ast.parse("\n".join(code))
    bound = {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    bound |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
    assert {n.id for n in names if isinstance(n.ctx, ast.Load)} <= bound


@pytest.mark.parametrize("name", ["materials", "robotics"])
def test_own_data_are_read_before_any_training(name: str) -> None:
    """Else a wrong path or a broken file would be found when all the time is spent, and the run lost."""
    cells = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells
    calls = [
        node
        for cell in cells
        if cell.get("id") == "setup"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call)
    ]
    assert any(isinstance(n, ast.Name) and n.id == "data" for call in calls for n in ast.walk(call))
    later = [c.source for c in cells if c.cell_type == "code" and c.get("id") not in ("setup", "parameters")]
    assert not any("(data" in source for source in later)


@pytest.mark.parametrize(("name", "folder"), [("health_imaging", "health_imaging"), ("climate", "climate_downscaling")])
def test_the_objections_are_those_of_the_card(name: str, folder: str) -> None:
    cells = {c.id: c.source for c in nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells}
    card = tomllib.loads((ROOT / "usecases" / folder / "card.toml").read_text())
    said = [" ".join(item.split()) for item in cells["objections"].split("\n- ")[1:]]
    assert said == card["objections"]


@pytest.mark.parametrize(
    ("name", "file", "error"),
    [("health_imaging", "none.nii", "there is no scan at"), ("climate", "none.nc", "there is nothing at")],
)
def test_a_bad_path_is_told_before_anything_is_trained(house: Path, name: str, file: str, error: str) -> None:
    cells = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells
    parameters, setup = [c for c in cells if c.cell_type == "code"][:2]
    scope: dict[str, object] = {}
    exec(parameters.source, scope)
    scope["data"] = str(house / file)
    with pytest.raises(ValueError, match=rf"{error} .*{file}"):
        exec(setup.source, scope)


@pytest.mark.parametrize(
    "name", ["health_imaging", "materials", "climate_downscaling", "robot_manipulation", "irrigation"]
)
def test_every_use_case_has_the_same_rooms(name: str) -> None:
    rooms = {"data", "readers", "model", "train", "baseline", "evaluate", "sizes"}
    assert rooms <= {path.stem for path in (ROOT / "usecases" / name).glob("*.py")}
