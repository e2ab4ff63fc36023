"""What a seat's view shows of the interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from genai4eu.courses.room import view


@pytest.mark.parametrize("folder", ["/", "/tmp", "/root", "/home"])
def test_a_script_beside_peoples_folders_shows_none_of_them(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = view.needed()
    monkeypatch.setattr(sys, "path", [*sys.path, folder])
    assert view.needed() == before
    assert Path(folder) not in before
    assert any(
        Path(sys.base_prefix) in (path, *path.parents) or path in Path(sys.base_prefix).parents for path in before
    )
