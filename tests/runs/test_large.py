"""What is too large for a notebook lies beside it, and comes back whole where it is exported."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.runs import streams
from genai4eu.runs.large import restore
from genai4eu.runs.record import Record

from ..patience import PAPERMILL

# Nearly every test starts kernels or servers.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_kernels")]

Write = Callable[..., Path]
PARAMETERS = ("parameters", "n: int = 3")
IMAGE = "raw = b'\\x89PNG\\r\\n\\x1a\\n' + bytes(range(256)) * 8000"
SHOW = f"from IPython.display import Image, display\n{IMAGE}\ndisplay(Image(data=raw, format='png'))"
PAGE = "from IPython.display import HTML\nHTML('<p>' + 'ä' * 1_500_000 + '</p>')"
DATA = "display({'application/json': {'x': list(range(300_000))}, 'text/plain': 'many'}, raw=True)"
PRINT = """import sys
print('first')
print('one', file=sys.stderr)
for i in range(200_000):
    print('line', i)
print('last')"""
ERROR = "raise ValueError('e' * 3_000_000)"
LARGE = (SHOW, PAGE, DATA, PRINT, ERROR)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A run whose every cell shows something large."""
    house = tmp_path_factory.mktemp("large outputs ä")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENAI4EU_RUNS", str(house / "rüns of mine"))
        patch.setenv("GENAI4EU_SCRATCH", str(house / "scratch"))
        patch.setenv("JUPYTER_DATA_DIR", str(house / "jupyter"))
        path = house / "a study, with ünïcode.ipynb"
        path.write_text(json.dumps(_notebook(PARAMETERS[1], *LARGE)), encoding="utf-8")
        return genai4eu.run(path)


def _notebook(first: str, *sources: str) -> dict[str, Any]:
    base: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    made = [{**base, "id": "c0", "metadata": {"tags": ["parameters"]}, "source": first}]
    made += [{**base, "id": f"c{i}", "metadata": {}, "source": s} for i, s in enumerate(sources, 1)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def outputs(record: Record) -> list[list[dict[str, Any]]]:
    notebook = json.loads(record.notebook_path.read_text(encoding="utf-8"))
    return [c.get("outputs", []) for c in notebook["cells"]]


def test_the_notebook_stays_small_and_names_files_that_are_there(record: Record) -> None:
    assert record.info["status"] == "failed"
    assert record.info["error"].startswith("ValueError: eee")
    assert record.notebook_path.stat().st_size < 1_500_000
    found = [f for out in outputs(record)[1:4] for o in out for f in o["metadata"]["genai4eu"]["files"].values()]
    assert len(found) == 3
    for file in found:
        content = (record.folder / file["file"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])


def test_an_image_is_seen_in_its_notebook(record: Record) -> None:
    (shown,) = outputs(record)[1]
    (file,) = shown["metadata"]["genai4eu"]["files"].values()
    assert "image/png" not in shown["data"]
    assert f'<img src="{file["file"]}"' in "".join(shown["data"]["text/html"])
    assert (record.folder / file["file"]).read_bytes().startswith(b"\x89PNG")


def test_a_long_text_keeps_head_and_tail_and_the_file_has_all(record: Record) -> None:
    out = outputs(record)[4]
    assert [o["name"] for o in out] == ["stdout", "stderr", "stdout"] or [o["name"] for o in out] == [
        "stdout",
        "stderr",
    ]
    text = "".join("".join(o["text"]) for o in out if o["name"] == "stdout")
    assert text.startswith("first\n")
    assert text.endswith("line 199999\nlast\n")
    assert "all of it, 2.3 MB, is in notebook_files/cell-0004-stdout.txt" in text
    whole = (record.folder / "notebook_files/cell-0004-stdout.txt").read_text()
    assert whole == "first\n" + "".join(f"line {i}\n" for i in range(200_000)) + "last\n"


def test_all_comes_back_inline(record: Record) -> None:
    notebook = json.loads(record.notebook_path.read_text(encoding="utf-8"))
    restore(notebook, record.folder)
    image, page, data, printed, error = [c["outputs"] for c in notebook["cells"][1:]]
    assert base64.b64decode(image[0]["data"]["image/png"]).endswith(bytes(range(256)))
    assert page[0]["data"]["text/html"] == "<p>" + "ä" * 1_500_000 + "</p>"
    assert data[0]["data"] == {"application/json": {"x": list(range(300_000))}, "text/plain": ["many"]}
    text = "".join("".join(o["text"]) for o in printed if o["name"] == "stdout")
    assert text == (record.folder / "notebook_files/cell-0004-stdout.txt").read_text()
    assert error[0]["evalue"] == "e" * 3_000_000


def test_nbconvert_puts_it_back(record: Record, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "nbconvert", "--to", "html", "--output", str(tmp_path / "out"),
               "--Exporter.preprocessors=genai4eu.runs.inline.InlineOutputs", str(record.notebook_path)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "data:image/png;base64,iVBORw0KGgo" in page
    assert "genai4eu-large" not in page


def test_a_changed_file_is_found(record: Record, tmp_path: Path) -> None:
    notebook = json.loads(record.notebook_path.read_text(encoding="utf-8"))
    with pytest.raises(WorkbenchError, match=r"png is missing: the notebook's large outputs belong beside it"):
        restore(notebook, tmp_path)


def test_papermill_alone_keeps_large_outputs_beside_its_notebook(notebook: Write, house: Path) -> None:
    path = notebook(PARAMETERS, SHOW, PRINT, name="in put.ipynb")
    command = [*PAPERMILL, "--engine", "genai4eu", str(path), "out put.ipynb"]
    done = subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads((house / "out put.ipynb").read_text())
    assert made["metadata"]["papermill"]["status"] == "completed"
    assert (house / "out put.ipynb").stat().st_size < 1_500_000
    restore(made, house)
    assert len(made["cells"][1]["outputs"][0]["data"]["image/png"]) > 2_000_000
    assert sorted(p.suffix for p in (house / "out put_files").iterdir()) == [".png", ".txt"]


def test_what_a_run_prints_is_kept_to_a_cap(notebook: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CAP", 3_000_000)
    record = genai4eu.run(notebook(PARAMETERS, "for i in range(10):\n    print(str(i) * 999_999)"))
    assert record.info["status"] == "completed", record.info["error"]
    text = "".join(outputs(record)[1][0]["text"])
    said = "the first 3 MB are in notebook_files/cell-0001-stdout.txt, the rest was not kept …"
    assert f"its middle is left out here; {said}" in text
    assert text.endswith(f"9999\n\n… genai4eu: 10 MB printed; {said}\n")
    kept = (record.folder / "notebook_files/cell-0001-stdout.txt").read_bytes()
    end = "\n… genai4eu: of what a run prints 3 MB are kept; what came after is not …\n".encode()
    assert kept.endswith(b"222\n" + end) and len(kept) == 3_000_000 + len(end)
    whole = json.loads(record.notebook_path.read_text(encoding="utf-8"))
    (about,) = whole["cells"][1]["metadata"]["genai4eu"]["large"]
    assert (about["size"], about["sha256"]) == (len(kept), hashlib.sha256(kept).hexdigest())
    restore(whole, record.folder)
    assert "".join(whole["cells"][1]["outputs"][0]["text"]) == text


def test_what_a_cell_clears_is_gone(notebook: Write) -> None:
    cell = "from IPython.display import clear_output\nprint('x' * 2_000_000)\nclear_output()\nprint('short')"
    record = genai4eu.run(notebook(PARAMETERS, cell))
    assert [("".join(o["text"])) for o in outputs(record)[1]] == ["short\n"]
    assert not list((record.folder / "notebook_files").iterdir())


def test_a_large_figure_is_published_whole(notebook: Write, house: Path) -> None:
    figure = f"{SHOW[:-1]}, metadata={{'image/png': {{'alt': 'Noise'}}}})"
    record = genai4eu.run(notebook(PARAMETERS, ("dashboard", "# How much?"), ("dashboard", figure)))
    assert record.info["status"] == "completed", record.info["error"]
    folder = genai4eu.publish(record, languages=["en"]).folder
    (media,) = (folder / "media").glob("*.png")
    assert media.stat().st_size > 2_000_000
    assert (folder / outputs(record)[2][0]["metadata"]["genai4eu"]["files"]["image/png"]["file"]).is_file()


def test_what_a_notebook_says_of_its_cells_is_kept_but_not_of_large_outputs(house: Path) -> None:
    """A copy of an executed notebook brings old notes of outputs along, which are not this run's."""
    clears = "from IPython.display import clear_output\nprint('x')\nclear_output()\nprint('y')"
    made = _notebook(PARAMETERS[1], "print(1)", clears)
    stale = {"large": [{"file": "gone.txt", "output": 0}]}
    abouts: list[dict[str, Any]] = [stale, {**stale, "origin": "generated"}, {"origin": "mixed"}]
    for cell, about in zip(made["cells"], abouts, strict=True):
        cell["metadata"]["genai4eu"] = about
    path = house / "said.ipynb"
    path.write_text(json.dumps(made), "utf-8")
    record = genai4eu.run(path)
    cells = json.loads((record.folder / "notebook.ipynb").read_text("utf-8"))["cells"]
    said = [cell["metadata"].get("genai4eu") for cell in cells if "injected-parameters" not in cell["metadata"]["tags"]]
    assert said == [None, {"origin": "generated"}, {"origin": "mixed"}]
