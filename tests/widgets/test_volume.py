"""The VolumeViewer: what it takes and refuses, what is left without a script, and that it draws in a real Chromium."""

from __future__ import annotations

import base64
import gzip
import io
import json
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import nibabel
import numpy as np
import pytest
import xarray as xr
from PIL import Image
from playwright.sync_api import Page, expect

from genai4eu import widgets
from genai4eu.widgets import VolumeViewer
from genai4eu.widgets.volume import niivue

from ..barriers import barriers_in
from ..chromium import SOFTWARE, launched
from .conftest import faults_of

ALT = "Two lesions of 8 mL; slices of a volume, signal 0 to 100."
STILL = "<figure><img alt='two lesions' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='></figure>"
SPACING = (5.0, 4.0, 2.0)  # z, y, x in mm
# 6 slices of 20 rows and 30 columns, brighter to the right; two labels
VOLUME = np.broadcast_to(np.linspace(0, 100, 30), (6, 20, 30)).copy()
LABELS = np.zeros((6, 20, 30), np.uint8)
LABELS[2, 5:10, 4:24] = 1
LABELS[4, 2, 2] = 7


def _viewer(**more: Any) -> VolumeViewer:
    options: dict[str, Any] = {"labels": LABELS, "names": {1: "lesion"}, "spacing": SPACING, "fallback": STILL}
    return VolumeViewer(VOLUME, ALT, **{**options, **more})


def _image(sent: bytes) -> Any:
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(sent))


def test_an_array_is_sent_as_nifti_in_millimetres() -> None:
    viewer = _viewer()
    image = _image(viewer.volume)
    np.testing.assert_allclose(image.get_fdata(), VOLUME.T, atol=0.002)
    assert image.header.get_zooms() == SPACING[::-1] and image.header.get_xyzt_units()[0] == "mm"
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    np.testing.assert_allclose(image.affine @ [14.5, 9.5, 2.5, 1], [0, 0, 0, 1])  # its middle is the origin
    np.testing.assert_array_equal(_image(viewer.labels).get_fdata(), LABELS.T)
    assert viewer.shape == [30, 20, 6]
    assert [(k["number"], k["name"], k["ml"]) for k in viewer.kinds] == [(1, "lesion", 4.0), (7, "label 7", 0.04)]
    assert viewer.place[2] == 2 and LABELS.T[tuple(viewer.place)] == 1, "the cross starts on a label"


def test_a_field_and_an_image_lie_where_they_say() -> None:
    along = {"z": 10 + 5.0 * np.arange(6), "y": 40 - 4.0 * np.arange(20), "x": 2.0 * np.arange(30)}
    field = xr.DataArray(VOLUME, dims=("z", "y", "x"), coords=along)
    sent = _image(VolumeViewer(field, ALT, LABELS).volume)  # y falls: turned over, and so are the labels
    np.testing.assert_allclose(sent.get_fdata(), VOLUME[:, ::-1].T, atol=0.002)
    np.testing.assert_allclose(sent.affine[:3, 3], [0, 40 - 4 * 19, 10])
    image = nibabel.Nifti1Image(VOLUME, np.diag([-5.0, 4.0, 2.0, 1.0]))  # left, anterior, superior
    marked = nibabel.Nifti1Image(LABELS, image.affine)
    for labels in (marked, LABELS):
        viewer = VolumeViewer(image, ALT, labels)
        sent, drawn = _image(viewer.volume), _image(viewer.labels)
        assert nibabel.aff2axcodes(sent.affine) == ("R", "A", "S")
        for at in ([0, 0, 0], [2, 5, 4], [5, 19, 29]):
            there = np.linalg.inv(sent.affine) @ image.affine @ [*at, 1]
            voxel = tuple(np.rint(there[:3]).astype(int))
            assert sent.get_fdata()[voxel] == pytest.approx(VOLUME[tuple(at)], abs=0.002)
            assert drawn.get_fdata()[voxel] == LABELS[tuple(at)]


_FIELD = xr.DataArray(VOLUME, dims=("z", "y", "x"), coords={d: np.arange(n) for d, n in zip("zyx", (6, 20, 30), strict=True)})  # fmt: skip # noqa: E501
_METRES = _FIELD.assign_coords(x=_FIELD.x.assign_attrs(units="m"))
_HERE = nibabel.Nifti1Image(VOLUME, np.eye(4))
_THERE = nibabel.Nifti1Image(LABELS, np.diag([1.0, 1.0, 2.0, 1.0]))


@pytest.mark.parametrize(
    ("volume", "more", "said"),
    [
        (VOLUME, {"alt": " "}, "needs alternative text"),
        (VOLUME, {"spacing": None}, r"pass spacing=\(z, y, x\), three positive numbers in mm"),
        (VOLUME, {"spacing": (1, 0, 1)}, "three positive numbers"),
        (VOLUME[0], {}, "should be numbers with three axes, not 20 x 30"),
        (VOLUME.astype(str), {}, "should be numbers"),
        (VOLUME * np.nan, {}, "holds values that are no numbers"),
        (VOLUME, {"labels": LABELS[:3]}, "labels are 30 x 20 x 3, the volume is 30 x 20 x 6"),
        (VOLUME, {"labels": LABELS / 2}, "whole numbers from 0 to 255: threshold"),
        (VOLUME, {"labels": -VOLUME.round()}, "whole numbers from 0 to 255"),
        (VOLUME, {"labels": LABELS, "names": {0: "air"}}, "names are for labels 1 to 255, not 0"),
        (VOLUME, {"window": (5, 5)}, "window goes from 5 to 5"),
        (np.broadcast_to(np.uint8(0), (400, 400, 400)), {}, "too large for a browser"),
        (_FIELD, {}, "brings its own spacing"),
        (_FIELD.transpose("x", "y", "z"), {"spacing": None}, "rename or transpose them"),
        (_FIELD.drop_vars("y"), {"spacing": None}, "no coordinate 'y'"),
        (_FIELD.assign_coords(z=[0, 1, 2, 3, 4, 9]), {"spacing": None}, "'z' is not evenly spaced"),
        (_METRES, {"spacing": None}, "coordinates in 'm': convert"),
        (_HERE, {"spacing": None, "labels": _THERE}, "labels lie elsewhere"),
    ],
)
def test_it_refuses_in_one_line(volume: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        VolumeViewer(volume, **{"alt": ALT, "spacing": SPACING, **more})
    assert "\n" not in str(refused.value)


def test_without_a_script_its_picture_and_words_are_left() -> None:
    bundle, _ = _viewer()._repr_mimebundle_()
    assert "<img" in bundle["text/html"] and bundle["text/plain"] == ALT
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "text/html" not in _viewer(fallback="")._repr_mimebundle_()[0]


def test_the_script_is_handed_over_when_asked_for_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, sent = _viewer(), []
    monkeypatch.setattr(viewer, "send", lambda content, buffers=(): sent.append((content, buffers)))
    viewer._handle_custom_msg({"ask": "the time"}, [])
    assert not sent
    viewer._handle_custom_msg({"ask": "niivue"}, [])
    ((content, (script,)),) = sent
    assert content == {"niivue": ""} and b"niivue" in gzip.decompress(script)
    kept = sum(len(v) for v in viewer.get_state().values() if isinstance(v, str | bytes))
    assert kept < 50_000, "a notebook that keeps its widgets stays small"


def test_a_kernel_without_ipyniivue_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, sent = _viewer(), []
    monkeypatch.setattr(viewer, "send", lambda content, buffers=(): sent.append(content))
    monkeypatch.setattr("genai4eu.widgets.volume.niivue", lambda: None)
    viewer._handle_custom_msg({"ask": "niivue"}, [])
    assert "pip install ipyniivue" in sent[0]["niivue"]


@pytest.mark.slow
def test_a_record_keeps_no_script_though_it_was_lent_with_the_output(tmp_path: Path) -> None:
    cells = [
        "import numpy as np\nfrom genai4eu.widgets import VolumeViewer, volume\nvolume.LENT = 0.5",
        "viewer = VolumeViewer(np.eye(3)[None] * np.ones((3, 1, 1)), 'eye', spacing=(1, 1, 1))\nviewer",
        "lent = len(viewer.script)\nimport time; time.sleep(0.6)",
        "print(lent, len(viewer.script))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    lent, left = notebook.cells[-1].outputs[0]["text"].split()
    assert int(lent) > 1e6 and left == "0"
    assert len(json.dumps(notebook.metadata["widgets"])) < 100_000


def _open(page: Page, tmp_path: Path, answer: str = "") -> list[str]:
    """Show the widget on a bare page, with a model that stands for the kernel's; return what fails or leaves."""
    script = Path(widgets.__file__).with_name("volume.js").read_text(encoding="utf-8")
    viewer = _viewer()
    named = ("shape", "kinds", "window", "name", "unit", "alt", "view", "place", "opacity", "value")
    files = {"volume": viewer.volume, "labels": viewer.labels, "niivue": niivue() or b""}
    coded = {name: base64.b64encode(content).decode() for name, content in files.items()}
    file = tmp_path / "page.html"
    file.write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>volume</title>
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'
        blob:; style-src 'unsafe-inline'; img-src data: blob:">
        <main><h1>Volume</h1><div id="here"></div></main>
        <script type="module">{script.replace("export default", "const widget =")}
        const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
        const state = {json.dumps({name: getattr(viewer, name) for name in named})}, heard = {{}};
        state.volume = bytes("{coded["volume"]}"); state.labels = bytes("{coded["labels"]}");
        window.state = state; window.asked = 0;
        const tell = (name, ...values) => (heard[name] ?? []).forEach((f) => f(...values));
        const model = {{ get: (name) => state[name], save_changes: () => {{}},
          set: (name, value) => {{ const old = state[name]; state[name] = value;
            if (String(old) !== String(value)) tell("change:" + name); }},
          on: (name, f) => (heard[name] ??= []).push(f),
          off: (name, f) => {{ heard[name] = (heard[name] ?? []).filter((g) => g !== f); }},
          send: () => {{ window.asked += 1; const said = {json.dumps(answer)};
            if (said !== "silence") setTimeout(() => tell("msg:custom", {{ niivue: said }}, [bytes("{coded["niivue"]}")]), 50); }} }};
        window.model = model; window.widget = widget;
        window.end = widget.render({{ model, el: document.getElementById("here") }});</script></html>""",  # noqa: E501
        encoding="utf-8",
    )
    faults = faults_of(page, ("file:", "data:", "blob:"))
    page.goto(file.as_uri())
    return faults


def _colour(page: Page) -> int:
    """Count pixels of the drawing that are orange, a label's colour."""
    seen = np.asarray(Image.open(io.BytesIO(page.locator("canvas").screenshot())).convert("RGB"), int)
    return int((seen[..., 0] > seen[..., 2] + 60).sum())


@pytest.mark.chromium
@pytest.mark.slow
def test_niivue_draws_and_is_steered_with_the_keyboard(chromium_path: str, tmp_path: Path) -> None:
    with launched(chromium_path, *SOFTWARE) as browser:
        page = browser.new_page()
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 900})
            faults = _open(page, tmp_path)
            picture = page.get_by_role("img", name=ALT)
            expect(picture).to_be_visible(timeout=60_000)
            said = page.locator("output")
            x, y, z = list(_viewer().place)
            expect(said).to_contain_text(f"{abs(round(2 * (x - 14.5)))} mm left")
            expect(said).to_contain_text("lesion.")
            expect(page.locator("ul")).to_contain_text("lesion: 4.0 mL")
            assert _colour(page) > 50, "the label is drawn"
            picture.press("PageUp")
            expect(said).to_contain_text("3 mm superior: signal")
            expect(said).to_contain_text("no label")
            assert page.evaluate("window.state.place") == [x, y, z + 1]
            for key in ("ArrowRight", "ArrowUp", "PageDown"):
                picture.press(key)
            assert page.evaluate("window.state.place") == [x + 1, y + 1, z]
            page.get_by_role("slider", name="Slice, bottom to top").press("End")
            assert page.evaluate("window.state.place") == [x + 1, y + 1, 5]
            page.get_by_role("combobox", name="Show").select_option("sagittal")
            expect(page.get_by_text("Left to right: ")).to_be_visible()
            expect(picture).to_have_attribute(
                "aria-label",
                f"{ALT} Shown: sagittal. Arrow keys move the cross, Page Up and Page Down change the slice.",
            )
            page.evaluate("window.model.set('place', [0, 0, 0])")  # from the kernel
            expect(said).to_contain_text("29 mm left, 38 mm posterior, 13 mm inferior: signal 0")
            page.evaluate("window.model.set('view', 'space')")
            picture.press("ArrowLeft")
            assert page.evaluate("window.state.place") == [0, 0, 0], "in space, keys turn"
            for _ in range(10):
                page.get_by_role("slider", name="Labels").press("ArrowLeft")
            assert page.evaluate("window.state.opacity") == 0 and _colour(page) == 0
            again = """el => { const two = document.createElement("div"); el.append(two);
                window.widget.render({ model: window.model, el: two }); }"""
            page.locator("main").evaluate(again)  # ipyniivue alone would move its one drawing here
            expect(page.locator("canvas[role=img]")).to_have_count(2, timeout=60_000)
            assert page.evaluate("window.asked") == 1, "the script is fetched once a page"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            found = barriers_in(page)
            assert not found and not faults, (found, faults)
            page.screenshot(path=tmp_path / f"volume-{width}.png")
            page.evaluate("window.end()")


@pytest.mark.chromium
@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "options", "told"),
    [
        ("silence", SOFTWARE, "This is the recorded picture. The viewer comes when the kernel answers"),
        ("ipyniivue is not installed", SOFTWARE, "ipyniivue is not installed. This is the recorded picture."),
        ("", ("--disable-gpu", "--disable-3d-apis"), "WebGL 2 is off"),
    ],
)
def test_where_it_cannot_draw_the_picture_stands(
    answer: str, options: tuple[str, ...], told: str, chromium_path: str, tmp_path: Path
) -> None:
    with launched(chromium_path, *options) as browser:
        page = browser.new_page(viewport={"width": 320, "height": 800})
        faults = _open(page, tmp_path, answer)
        expect(page.locator("output")).to_contain_text(told, timeout=15_000)
        expect(page.get_by_role("img", name="two lesions")).to_be_attached()
        expect(page.locator("canvas")).to_have_count(0)
        assert not barriers_in(page) and not faults, faults
