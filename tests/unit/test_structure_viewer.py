"""The StructureViewer: what it sends to the browser, and what is shown where no script runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genai4eu import widgets
from genai4eu.widgets import StructureViewer

SALT: dict[str, Any] = {
    "name": "LiF",
    "lattice": [[4, 0, 0], [0, 4, 0], [0, 0, 4]],
    "elements": ["Li", "F"],
    "places": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "ions": {"Li": (0.76, 1), "F": (2.3, -1)},
    "cif": "data_LiF",
}


def test_atoms_on_faces_are_repeated_and_opposite_ions_joined() -> None:
    viewer = StructureViewer([SALT])
    (sent,) = viewer.structures
    assert [a["element"] for a in sent["atoms"]].count("Li") == 8, "a corner has eight images"
    assert [a["element"] for a in sent["atoms"]].count("F") == 1
    (centre,) = (a for a in sent["atoms"] if a["element"] == "F")
    assert len(centre["bonds"]) == 8 and (centre["x"], centre["y"], centre["z"]) == (2.0, 2.0, 2.0)
    assert len(sent["edges"]) == 12
    lengths = {sum((a[k] - b[k]) ** 2 for k in "xyz") ** 0.5 for a, b in sent["edges"]}
    assert lengths == {4.0}


def test_a_page_without_scripts_shows_the_picture_and_the_words() -> None:
    viewer = StructureViewer([SALT], fallback='<figure><img alt="LiF" src="data:,"></figure>')
    bundle = viewer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "<img" in data["text/html"] and viewer.value == data["text/html"]
    assert data["text/plain"] == "LiF: a cell of 2 atoms."


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(ValueError, match="no crystal to show"):
        StructureViewer([])
    with pytest.raises(ValueError, match="LiF: 2 elements and 1 places"):
        StructureViewer([{**SALT, "places": [[0, 0, 0]]}])


def test_the_bundle_has_its_licence_and_asks_no_server() -> None:
    text = (Path(widgets.__file__).with_name("structure.js")).read_text(encoding="utf-8")
    assert "Redistribution and use in source and binary forms" in text[:3000]
    own = text[text.index("// Our part") :]
    assert "fetch(" not in own and "http" not in own
    assert "track/report" not in text, "older versions told a server of every viewer"
