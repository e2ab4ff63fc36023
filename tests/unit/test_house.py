"""The house itself: the rule of arrows, the wheel against the tree, the wheel in an empty environment."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "workbench": "genai4eu",
    **{r: f"genai4eu.{r}" for r in ("kernels", "widgets", "usecases", "templates", "notebooks")},
}
MAY_IMPORT = {"workbench": {"kernels", "widgets", "templates", "notebooks"}}
#: The dashboards' own rooms, and which of these each may use; all stand in the hall, ``workbench/dashboards`` itself.
CHAMBERS: dict[str, set[str]] = {
    "access": set(),
    "pages": set(),
    "live": {"pages"},
    "publishing": {"pages", "access"},
    "serving": {"access", "live", "pages", "publishing"},
}
#: The courses' rooms likewise; what composes (a lesson's imports, a course's check) stands in the hall and may use all.
COURSES: dict[str, set[str]] = {
    "seat": set(),
    "room": {"seat"},
    "factory": {"room"},
    "home": {"room", "seat"},
    "board": {"room", "home", "factory"},
    "rehearsal": {"room", "seat"},
}
COMPOSES = {"__init__.py", "review.py"}
LEAVES = set(ROOMS) - {"workbench"}


def imported(path: Path, room: str) -> Iterator[str]:
    """Yield the absolute names of ours that a module imports, relative imports resolved."""
    package = ".".join([ROOMS[room], *path.relative_to(ROOT / room).parent.parts])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room_of(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] != "genai4eu":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in LEAVES else "workbench"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_rule_of_arrows(room: str) -> None:
    seen = 0
    for path in (ROOT / room).rglob("*.py"):
        for name in imported(path, room):
            seen += 1
            other = room_of(name)
            allowed = other is None or other == room or other in MAY_IMPORT.get(room, set())
            assert allowed, f"{path.relative_to(ROOT)} imports {name}: {room} may not use {other}"
            assert name.split(".")[0] not in ROOMS, f"{path.relative_to(ROOT)} imports {name} bare"
    assert seen or room in ("templates", "notebooks")


@pytest.mark.parametrize(
    ("house", "chamber"), [*(("dashboards", c) for c in ("", *CHAMBERS)), *(("courses", c) for c in ("", *COURSES))]
)
def test_rule_of_arrows_among_the_rooms_of_a_house(house: str, chamber: str) -> None:
    chambers = {"dashboards": CHAMBERS, "courses": COURSES}[house]
    folder = ROOT / "workbench" / house
    paths = list((folder / chamber).rglob("*.py") if chamber else folder.glob("*.py"))
    seen = 0
    for path in (p for p in paths if house == "dashboards" or chamber or p.name not in COMPOSES):
        for name in (n for n in imported(path, "workbench") if n.startswith(f"genai4eu.{house}.")):
            seen += 1
            other = name.split(".")[2]
            allowed = other not in chambers or other == chamber or other in chambers.get(chamber, set())
            assert allowed, f"{path.relative_to(ROOT)} imports {name}"
    assert seen


def test_use_cases_do_not_import_each_other() -> None:
    for folder in (p for p in (ROOT / "usecases").iterdir() if p.is_dir() and p.name != "generative"):
        for path in folder.rglob("*.py"):
            for name in imported(path, "usecases"):
                if name.startswith("genai4eu.usecases."):
                    assert name.split(".")[2] in (folder.name, "generative"), f"{path.name} imports {name}"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel by way of the sdist, as an installer from source would, with the setuptools that is here."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    return next(out.glob("*.whl"))


@pytest.mark.slow
def test_wheel_holds_the_tree_and_nothing_else(wheel: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    expected = {ROOMS[f.split("/")[0]].replace(".", "/") + f[f.index("/") :] for f in tracked.split("\n") if f}
    with zipfile.ZipFile(wheel) as archive:
        held = {n for n in archive.namelist() if ".dist-info/" not in n}
    assert expected - held == set(), "missing from the wheel: name the package, or its files, in pyproject.toml"
    assert held - expected == set(), "in the wheel but not in the tree"


@pytest.mark.slow
def test_wheel_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """The base install is light, and enough to see the catalogue and to run a notebook of one's own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [sys.executable, "-P", "-m", "pip", "--python", str(python), "install", "-q", "--no-compile"]
    subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True)
    modules = "import importlib.util as u; print([m for m in ('torch', 'monai', 'nilearn') if u.find_spec(m)])"
    assert subprocess.run([str(python), "-c", modules], capture_output=True, text=True, check=True).stdout == "[]\n"

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        folders = {"GENAI4EU_RUNS": "runs", "JUPYTER_DATA_DIR": "jupyter", "GENAI4EU_SCRATCH": "scratch"}
        environment = {**os.environ, **{k: str(tmp_path / v) for k, v in folders.items()}}
        command = [str(python.with_name("genai4eu")), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    named = {u["name"] for u in json.loads(call("templates", "--json").stdout)}
    assert named == {"agrifood", "climate", "health-imaging", "materials", "robotics"}
    assert call("new", "health-imaging", "study.ipynb").returncode == 0
    cell: dict[str, Any] = {"id": "a", "cell_type": "code", "outputs": [], "execution_count": None}
    notebook = {
        "cells": [{**cell, "metadata": {"tags": ["parameters"]}, "source": "n: int = 1"}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "own.ipynb").write_text(json.dumps(notebook))
    done = call("run", "own.ipynb", "-p", "n=2", "--json")
    assert json.loads(done.stdout)["status"] == "completed", done.stderr
    refused = call("run", "health-imaging", "-p", "profile=smoke")
    assert "the kernel lacks torch" in refused.stderr
    assert "install genai4eu[health] there" in refused.stderr


def test_notebooks_follow_the_house_style() -> None:
    for path in [*(ROOT / "templates").glob("*.ipynb"), *(ROOT / "notebooks").rglob("*.ipynb")]:
        every = json.loads(path.read_text())["cells"]
        cells = [c for c in every if c["cell_type"] == "code"]
        lines = [
            [x for x in _seen("".join(c["source"])).splitlines() if x.strip() and not x.lstrip().startswith("#")]
            for c in cells
        ]
        assert sum(map(len, lines)) <= 60, path.name
        most = 14 if "courses" in path.parts else 10  # participants may be given a whole part of a template at once
        assert max(map(len, lines)) <= most, path.name
        assert not any(c["outputs"] for c in cells), path.name
        tags = {t for c in every for t in c["metadata"].get("tags", [])}
        assert tags <= {"parameters", "dashboard", "hide-input", "remove-cell", "hint"}, path.name
        assert "hint" not in tags or "courses" in path.parts, path.name


def _seen(code: str) -> str:
    """Return what a participant of a course sees of a cell."""
    return re.sub(r"### BEGIN (HIDDEN TESTS|SOLUTION).*?### END \1", "", code, flags=re.S)
