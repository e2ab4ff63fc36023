"""What is printed for a room, and by the command."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import numpy as np
import pytest
import segno
import zxingcpp
from typer.testing import CliRunner

from genai4eu.cli import app
from genai4eu.courses.board import deletion
from genai4eu.courses.board.sheets import Sheets
from genai4eu.courses.room.codes import digest
from genai4eu.courses.room.folder import Room

from . import stage


def _codes(html: str) -> list[str]:
    return re.findall(r'class="code">([A-Z2-9-]{9})<', html)


def test_a_card_for_each_seat_with_its_code_and_address(few: Room) -> None:
    codes = {seat: few.give_code(seat) for seat in few.seats}
    paths = Sheets(few).write(codes)
    assert [path.name for path in paths] == ["codes.html", *(f"information-{name}.html" for name in stage.LANGUAGES)]
    html = paths[0].read_text()
    assert _codes(html) == list(codes.values()) and html.count(few.address) == 3
    for path in (paths[0], paths[0].with_name("codes.json")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths[0].parent.stat().st_mode) == 0o700
    assert not re.search(r'(?:src|href)="(?!data:)', html) and "<script" not in html


def test_the_picture_reads_as_the_address_that_fills_in_the_code(few: Room) -> None:
    address = Sheets(few).address("KZ7M-4PQX")
    assert address == "http://localhost:8000/hub/login#code=KZ7M-4PQX"
    dots = np.array(list(segno.make(address, error="m", micro=False).matrix_iter(scale=4, border=4)), dtype=np.uint8)
    found = zxingcpp.read_barcodes(np.where(dots > 0, 0, 255).astype(np.uint8))
    assert [code.text for code in found] == [address]


def test_used_codes_are_not_printed_any_more(few: Room) -> None:
    codes = {seat: few.give_code(seat) for seat in few.seats}
    sheets = Sheets(few)
    sheets.write(codes)
    stage.take(few, codes, ["seat-01", "seat-02"])
    assert _codes(str(sheets.page("codes"))) == [codes["seat-03"]]
    stage.take(few, codes, ["seat-03"])
    assert "Every code was used" in str(sheets.page("codes"))


def test_the_command_gives_new_codes_to_seats_that_nobody_took(few: Room) -> None:
    codes = {seat: few.give_code(seat) for seat in few.seats}
    Sheets(few).write(codes)
    stage.take(few, codes, ["seat-01"])
    done = CliRunner().invoke(app, ["course", "sheet", str(few.folder), "--contact", "privacy@hub.example"])
    assert done.exit_code == 0, done.output
    new = _codes(Path(done.output.split()[0]).read_text())
    assert len(new) == 2 and not set(new) & set(codes.values())
    known = (few.folder / "codes.json").read_text()
    assert all(digest(code) in known for code in new) and digest(codes["seat-02"]) not in known
    assert "privacy@hub.example" in (few.folder / "print" / "information-nl.html").read_text()


def test_the_information_says_what_is_true_of_this_room(few: Room) -> None:
    sheets = Sheets(few)
    html = str(sheets.page("information-en"))
    assert deletion.spoken(deletion.day(few), "en") in html
    assert "seats are not separated" in html  # no users of the system were made
    assert html.count('class="blank"') == 3  # lines to write on: nobody said who is responsible
    sheets.write({}, {"responsible": "Hub <b>", "contact": "x", "legal_basis": "Art. 6(1)(e) GDPR"})
    html = str(sheets.page("information-fr"))
    assert "Hub &lt;b&gt;" in html and "Art. 6(1)(e) GDPR" in html and 'class="blank"' not in html
    assert 'lang="fr"' in html and "Vos données" in html


def test_a_course_says_who_is_responsible(few: Room) -> None:
    path = few.folder / "course" / ".course" / "course.json"
    about = json.loads(path.read_text())
    basis = {"en": "consent", "nl": "toestemming"}
    about["course"]["privacy"] = {"responsible": "Hub", "contact": None, "legal_basis": basis}
    path.write_text(json.dumps(about))
    html = str(Sheets(few).page("information-nl"))
    assert "Hub" in html and "toestemming" in html and html.count('class="blank"') == 1


@pytest.mark.parametrize("name", ["information-xx", "information", "room", "../room.json", "codes-en", ""])
def test_there_is_no_other_sheet(few: Room, name: str) -> None:
    assert Sheets(few).page(name) is None
