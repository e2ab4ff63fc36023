"""A hub's report: counts, nothing else."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genai4eu.cli import app
from genai4eu.courses.home.categories import CATEGORIES
from genai4eu.courses.home.reporting import report
from genai4eu.courses.room.room import Room
from genai4eu.dashboards.pages.language import LANGUAGES, translations
from genai4eu.errors import WorkbenchError

Say = Callable[..., None]
Enter = Callable[..., None]


def _command(*words: str) -> str:
    done = CliRunner().invoke(app, ["course", "report", *words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_what_is_unknown_is_counted_as_unknown(room: Room, say: Say, entered: Enter, tmp_path: Path) -> None:
    say("passed", 1, exercise="exercise-1")
    say("tried", 1, seat="seat-02", exercise="exercise-1")
    entered("seat-01", sector="health", organisation="small", service="something else")
    entered("seat-01", name="A. Jansen")
    _command(str(room.folder), "--out", str(tmp_path / "out"), "--language", "nl")
    made = json.loads((tmp_path / "out" / "course-report.json").read_text("utf-8"))
    assert made["participants"] == 2
    assert made["counts"] == {
        "sector": {"health": 1, "unknown": 1}, "organisation": {"small": 1, "unknown": 1}, "service": {"unknown": 2},
    }  # fmt: skip
    assert made["strange"] == 1
    assert made["hours"] is None  # of two, one could tell whose they are
    for path in (tmp_path / "out").iterdir():
        text = path.read_text("utf-8")
        assert "Jansen" not in text
        assert "seat-0" not in text
        assert "something else" not in text
    with (tmp_path / "out" / "course-report.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert sum(int(line["participants"]) for line in lines if line["category"] == "sector") == 2
    assert '<html lang="nl">' in (tmp_path / "out" / "course-report.html").read_text("utf-8")


def test_seats_where_nobody_sat_are_not_counted(room: Room, entered: Enter, tmp_path: Path) -> None:
    entered("seat-02", sector="health")
    made = report(room, tmp_path / "out")
    assert (made.participants, made.began) == (0, None)
    assert made.counts["sector"] == {"unknown": 0}


def test_a_table_is_offered_filled_and_read(room: Room, say: Say, entered: Enter, tmp_path: Path) -> None:
    say("passed", 1, exercise="exercise-1")
    entered("seat-01", sector="health", organisation="small")
    table = tmp_path / "entries.csv"
    assert "give the same command again" in _command(str(room.folder), "--entries", str(table))
    assert table.read_text("utf-8").splitlines() == [
        "seat,sector,organisation,service", "seat-01,health,small,", "seat-02,,,",
    ]  # fmt: skip
    # as a spreadsheet in Dutch saves it
    table.write_text(
        "\ufeffseat;sector;organisation;service\r\nseat-01;;Nationale overheid;Skills and training\r\n", "utf-8"
    )
    made = report(room, tmp_path / "out", table)
    assert made.counts["organisation"] == {"national": 1, "unknown": 0}
    assert made.counts["service"] == {"skills": 1, "unknown": 0}
    assert made.counts["sector"] == {"health": 1, "unknown": 0}  # an empty cell leaves what the board has


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seat,sector\n", "has no column organisation"),
        ("", "has no column seat"),
        (
            "seat,sector,organisation,service\nseat-09,,,\n",
            "line 2: the room has no seat-09: it has seat-01 to",
        ),
        ("seat,sector,organisation,service\nseat-01,helth,,\n", "line 2: 'helth' is no sector: use one of aeronautics"),
        ("seat,sector,organisation,service\nseat-01,,,\nseat-01,,,\n", "line 3: seat-01 stands twice"),
        ("seat,sector,organisation,service\nseat-01,x,y,z\n", "3 lines of"),
        (b"\xff\xfe", "save it as 'CSV UTF-8'"),
    ],
)
def test_faults_of_a_table_are_told_at_once(room: Room, tmp_path: Path, text: str | bytes, said: str) -> None:
    table = tmp_path / "entries.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(WorkbenchError, match=said):
        report(room, tmp_path / "out", table)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_categories_have_one_name(language: str) -> None:
    for kind, known in CATEGORIES.items():
        names = [translations(language).gettext(name).lower() for name in known.values()]
        assert len(set(names)) == len(names), kind
