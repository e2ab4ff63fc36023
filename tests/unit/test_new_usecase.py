"""``genai4eu new-usecase``: what it makes is a use case like any other; bad names make nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu import skeleton
from genai4eu.card import Card
from genai4eu.catalogue import UseCase
from genai4eu.errors import WorkbenchError
from genai4eu.skeleton import Wanted, make

CLI = Callable[..., subprocess.CompletedProcess[str]]
NAME = "tide-gauges"
ROOMS = {"__init__", "sizes", "data", "model", "train", "baseline", "evaluate", "readers", "figures", "report"}
ROOMS |= {"keep", "live"}
#: As long as a name may be, and with everything in its texts that TOML, Python or JSON could stumble over.
HARD = Wanted(
    name="a" * 19 + "-" + "b" * 20, sector="energy & 'heat'", author='Ada "A." Łukasz',
    title='Is it "hot", {{ 7 }} or isn\'t it? """ ' + "A long question " * 7,
)  # fmt: skip


def module(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_it_installs_tests_itself_runs_and_becomes_a_dashboard(
    genai4eu: CLI, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = genai4eu("new-usecase", NAME, "--sector", "oceans", "--title", "How high will it be?")
    assert made.returncode == 0, made.stderr
    assert f"pip install -e {NAME}\n" in made.stdout and f"genai4eu run {NAME} -p profile=smoke\n" in made.stdout
    assert "no use case and no factory has the sector 'oceans' yet: " in made.stderr
    pip = ["pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", "site", f"./{NAME}"]
    assert (done := module(*pip, folder=house)).returncode == 0, done.stderr
    monkeypatch.setenv("PYTHONPATH", str(house / "site"))  # the wheel, and not the folder that it was made from
    tested = module("pytest", "-q", f"--basetemp={house / 'tested'}", folder=house / NAME)
    assert tested.returncode == 0, tested.stdout[-3000:]
    assert "skipped" not in tested.stdout
    # Its own test ran the template; its record is carried on from there.
    (runs,) = (house / "tested").glob("test_the_template*0/runs")
    monkeypatch.setenv("GENAI4EU_RUNS", str(runs))
    summary = json.loads(genai4eu("runs", "show", "latest", "--json").stdout)
    assert summary["status"] == "completed", summary
    assert "| energy_score_flow | 0." in genai4eu("card", "latest").stdout
    assert genai4eu("card", NAME).stdout.startswith("# How high will it be?\n")
    published = json.loads(genai4eu("publish", "latest", "--json").stdout)
    folder = Path(published["folder"])
    page = (folder / "page.json").read_text(encoding="utf-8")
    assert "On a new year, flow matching is" in page and "could not be drawn" not in page
    assert json.loads((folder / "dashboard.json").read_text(encoding="utf-8"))["title"] == "How high will it be?"


@pytest.mark.parametrize("wanted", [Wanted(name="x", sector="s"), HARD], ids=["short", "long"])
def test_every_room_is_there_says_what_to_replace_and_passes_ruff(wanted: Wanted, tmp_path: Path) -> None:
    folder = make(wanted, tmp_path)
    package = folder / "src" / wanted.package
    assert [p.name for p in tmp_path.iterdir()] == [wanted.name], "nothing is left beside it"
    files = [*package.glob("*.py"), *(folder / "tests").glob("*.py"), package / "card.toml", folder / "pyproject.toml"]
    assert {p.stem for p in files} >= {*ROOMS, "card", "test_science", "test_readers", "test_template"}
    assert all("Replace:" in p.read_text(encoding="utf-8") for p in files)
    for command in (["check"], ["format", "--check", "--diff"]):
        done = module("ruff", *command, "--no-cache", ".", folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_says_of_itself_is_what_the_workbench_reads(tmp_path: Path) -> None:
    folder = make(HARD, tmp_path)
    package = folder / "src" / HARD.package
    about: dict[str, Any] = ast.literal_eval(ast.parse((package / "__init__.py").read_text("utf-8")).body[-1].value)  # type: ignore[attr-defined]
    usecase = UseCase(**about)
    assert (usecase.name, usecase.title, usecase.sector) == (HARD.name, HARD.title, HARD.sector)
    card = Card(**tomllib.loads((package / "card.toml").read_text(encoding="utf-8")))
    assert card.question == HARD.title
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["genai4eu.usecases"] == {HARD.name: f"{HARD.package}:USECASE"}
    assert (project["license"], project["authors"]) == (HARD.licence, [{"name": HARD.author}])
    cells = json.loads((package / usecase.template.partition("/")[2]).read_text(encoding="utf-8"))["cells"]
    assert "".join(cells[0]["source"]).startswith(f"# {HARD.title}\n")
    code = [[x for x in "".join(c["source"]).splitlines() if x] for c in cells if c["cell_type"] == "code"]
    assert sum(map(len, code)) <= 60 and max(map(len, code)) <= 10
    assert {t for c in cells for t in c["metadata"].get("tags", [])} <= {"parameters", "dashboard", "hide-input"}


@pytest.mark.parametrize("licence", skeleton.licences())
def test_the_licence_is_of_the_authors(licence: str, tmp_path: Path) -> None:
    text = (make(Wanted(name="x", sector="s", licence=licence, author="Ada L."), tmp_path) / "LICENSE").read_text()
    assert ("Ada L." in text) == (licence != "Apache-2.0"), "the text of Apache's names nobody"
    assert "{{" not in text and len(text) > 1000


BAD_NAMES = {
    "Tide": "begin with a letter", "tide_gauges": "begin with a letter", "2tides": "begin with a letter",
    "": "begin with a letter", "a--b": "begin with a letter", "a-": "begin with a letter",
    "../a": "begin with a letter", "a" * 41: "at most 40", "gezeiten-höhe": "begin with a letter",
    "class": "means something else in Python", "json": "means something else in Python", "tests": "something else",
    "health-imaging": "is an installed template already", "numpy": "is the name of an installed package",
    "scikit-learn": "is the name of an installed package", "genai4eu": "is the name of an installed package",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_makes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match=BAD_NAMES[name]):
        make(Wanted(name=name, sector="s"), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"sector": " "}, "the sector is empty"),
        ({"title": ""}, "the title is empty"),
        ({"title": "two\nlines"}, "the title will not do"),
        ({"author": "a" * 161}, "the author will not do"),
        ({"licence": "WTFPL"}, "there is no text of 'WTFPL' here: use one of Apache-2.0, BSD-3-Clause, MIT"),
    ],
)
def test_a_text_that_will_not_do_makes_nothing(more: dict[str, str], why: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match=why):
        make(Wanted(**{"name": "x", "sector": "s", **more}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_and_nothing_is_half_written(
    tmp_path: Path, genai4eu: CLI, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").mkdir()
    assert "x is there already" in genai4eu("new-usecase", "x", "--sector", "health").stderr
    gone = genai4eu("new-usecase", "x", "--sector", "health", "--into", "gone")
    assert (gone.returncode, gone.stderr) == (1, "genai4eu: there is no folder gone: make it first\n")
    written: list[Path] = []
    write = Path.write_text

    def fail(self: Path, *arguments: Any, **options: Any) -> int:
        written.append(self)
        if len(written) == 5:
            raise PermissionError(13, "Permission denied", str(self))
        return write(self, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", fail)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(WorkbenchError, match=r"cannot be written .*--into"):
        make(Wanted(name="y", sector="s"), tmp_path)
    assert sorted(tmp_path.iterdir()) == before
