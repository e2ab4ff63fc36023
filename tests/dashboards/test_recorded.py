"""What is kept of widgets' state: what is shown and no more, with code, pictures and binary parts as files."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from genai4eu.dashboards.pages import page
from genai4eu.dashboards.publishing import recorded
from genai4eu.dashboards.publishing.markup import Media
from genai4eu.errors import WorkbenchError


def _model(name: str, module: str = "@jupyter-widgets/controls", **state: Any) -> dict[str, Any]:
    told = {"_model_module": module, "_view_module": module, **state}
    return {"model_name": name, "model_module": module, "model_module_version": "2.0.0", "state": told}


def _kept(roots: list[str], states: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str], Media]:
    media = Media()
    part = recorded.keep(roots, states, media)
    return json.loads(media.files[Path(part["state"]).name])["state"], part["modules"], media


def test_what_is_shown_is_kept_with_all_it_refers_to_and_the_links_between() -> None:
    states = {
        "box": _model("VBoxModel", children=["IPY_MODEL_a", "IPY_MODEL_b"], titles={"a": "IPY_MODEL_c"}),
        "a": _model("IntSliderModel"),
        "b": _model("HTMLModel"),
        "c": _model("HTMLModel"),
        "study": _model("HTMLModel"),
        "link": _model("LinkModel", source=["IPY_MODEL_a", "value"], target=["IPY_MODEL_b", "value"]),
        "other": _model("LinkModel", source=["IPY_MODEL_study", "value"], target=["IPY_MODEL_a", "value"]),
    }
    told, modules, _ = _kept(["box"], states)
    assert set(told) == {"box", "a", "b", "c", "link"} and not modules


def test_code_and_binary_parts_are_files_named_by_their_content() -> None:
    data = bytes(range(256))
    states = {"a": _model("AnyModel", "anywidget", _esm="export default {}", _css="p {}", data=None)}
    states["a"]["buffers"] = [{"path": ["data"], "encoding": "base64", "data": base64.b64encode(data).decode()}]
    told, modules, media = _kept(["a"], states)
    (file,) = told["a"]["files"]
    assert media.files[file["src"]] == data and file["path"] == ["data"]
    assert file["src"] == hashlib.sha256(data).hexdigest()[:16] + ".bin"
    assert media.files[told["a"]["code"]["_esm"]] == b"export default {}" and "_esm" not in told["a"]["state"]
    assert b"define(" in media.files[Path(modules["anywidget"]).name]


def test_a_picture_inside_text_is_a_file_once() -> None:
    picture = "data:image/png;base64," + base64.b64encode(b"\x89PNG" + bytes(2000)).decode()
    small = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
    states = {n: _model("HTMLModel", value=f'<img src="{picture}"><img src="{small}">') for n in ("a", "b")}
    told, _, media = _kept(["a", "b"], states)
    assert len([name for name in media.files if name.endswith(".png")]) == 1
    assert told["a"]["state"]["value"].startswith('<img src="media/') and small in told["a"]["state"]["value"]


def test_what_would_run_in_a_widgets_html_is_not_kept_and_its_style_is() -> None:
    value = (
        "<style>p { color: red }</style><p style='margin: 0' onclick='x()'>kept</p><script>x()</script>"
        "<a href=' java\tscript:x()'>a</a><a href='https://example.org/'>b</a>"
        "<details ontoggle=x() title='JavaScript'>c</details>"
    )
    told, _, _ = _kept(["a"], {"a": _model("HTMLModel", value=value)})
    kept = told["a"]["state"]["value"]
    assert "JavaScript" in kept
    assert "color: red" in kept and "margin: 0" in kept and "kept" in kept and "https://example.org/" in kept
    assert not any(word in kept for word in ("<script", "onclick", "ontoggle", "script:"))


def test_a_model_nobody_recorded_is_not_referred_to() -> None:
    told, _, _ = _kept(["a"], {"a": _model("IntSliderModel", layout="IPY_MODEL_gone", value=3)})
    assert told["a"]["state"]["value"] == 3 and "layout" not in told["a"]["state"]


@pytest.mark.parametrize("buffer", [{"path": ["x"], "data": "%"}, {"data": "AA=="}, {"path": ["x"], "data": None}])
def test_damaged_data_is_named(buffer: dict[str, Any]) -> None:
    states = {"a": {**_model("AnyModel", "anywidget"), "buffers": [buffer]}}
    with pytest.raises(WorkbenchError, match="data of widget a is damaged: run again"):
        recorded.keep(["a"], states, Media())


@pytest.mark.parametrize("name", ["../../etc", "a/b", "no-such-library", ""])
def test_a_library_that_is_not_there_has_no_script(name: str) -> None:
    assert recorded.module(name) is None


def test_what_is_served_was_built_from_the_sources() -> None:
    """Who changes the front end runs ``make frontend``."""
    sources = page.ASSETS / "frontend"
    digest = hashlib.sha256()
    for path in [sources / "package.json", sources / "build.mjs", *sorted((sources / "src").iterdir())]:
        digest.update(path.read_bytes())
    assert (page.ASSETS / "static/front/built-from.txt").read_text("utf-8").strip() == digest.hexdigest()
