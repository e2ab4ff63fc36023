"""Publishing: what a bundle holds, that it is whole, and what is refused with which remedy."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from genai4eu.dashboards.publishing.freeze import CONTROLS_MIME, VIEW_MIME, freeze
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.publishing.published import Published
from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record

from .conftest import html

Change = Callable[[str, Callable[[Any], None]], Record]
_FOREIGN = re.compile(r"""(?:src|srcset|data|poster|action)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//""")


def test_a_bundle_holds_all_it_needs(published: Published) -> None:
    names = {p.name for p in published.folder.iterdir()}
    assert published.slug == "tiny-wave-a1b2" and published.url_path == "/d/tiny-wave-a1b2/"
    assert names == {
        "dashboard.json", "page.json", "live.ipynb", "media", "outputs", "parameters.json",
        "metrics.json", "environment.json", "notebook.ipynb", "seal.json",
    }  # fmt: skip
    about = json.loads((published.folder / "dashboard.json").read_text("utf-8"))
    assert about["question"] == "Does a higher wave carry further?"
    assert about["answer"] == "Yes: the peak rises from 0.2 to 0.5 (± 0.1)."
    assert about["metrics"] == {"peak": 0.5} and about["sector"] == "climate"
    assert (published.folder / "outputs/wave.npy").exists()


def test_the_live_notebook_is_the_dashboard_part_alone(published: Published) -> None:
    cells = json.loads((published.folder / "live.ipynb").read_text("utf-8"))["cells"]
    assert len(cells) == 5
    assert not any("current_run" in "".join(c["source"]) or c.get("outputs") for c in cells)


def test_the_frozen_page_is_small_clean_and_accessible(published: Published) -> None:
    for name in ("index", "evidence"):
        text = html(published, name)
        soup = BeautifulSoup(text, "html.parser")
        assert len(text) < 100_000
        assert not _FOREIGN.search(text) and not soup.find("link", href=re.compile("//"))
        assert soup.html is not None and soup.html["lang"] == "en"
        assert soup.title is not None and soup.title.get_text(strip=True)
        assert len(soup.find_all("h1")) == 1 and soup.find("main") and soup.find("header") and soup.find("footer")
        levels = [int(h.name[1]) for h in soup.find_all(re.compile("^h[1-6]$"))]
        assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
        assert all(image["alt"] for image in soup.find_all("img"))
        assert not soup.find(style=True) and not soup.find("style")


def test_the_frozen_page_follows_the_order_of_a_dashboard(published: Published) -> None:
    text = BeautifulSoup(html(published), "html.parser").get_text(" ", strip=True)
    place = text.index("Skip to the content")
    for words in (
        "Does a higher wave", "Yes: the peak", "The wave peaks early", "Try other settings", "Height", "2 m", "Colour",
        "blue",
        "What this does not show", "Recorded result", "20 November 2026, 19:15 UTC", "laptop", "3.2 s",
        "See the evidence",
    ):  # fmt: skip
        place = text.index(words, place)


def test_publishing_again_gives_the_same_address_and_changes_nothing(published: Published, record: Record) -> None:
    before = (published.folder / "page.json").stat().st_mtime_ns
    again = publish(record.id)
    assert (again.slug, again.new) == (published.slug, False)
    with pytest.raises(
        WorkbenchError, match=f"as {published.slug}, with another title and languages: 'genai4eu republ"
    ):
        publish(record.id, title="Another", languages=["nl"])
    assert (published.folder / "page.json").stat().st_mtime_ns == before


def test_title_and_summary_can_be_given(record: Record) -> None:
    about = json.loads((publish(record, title="T?", summary="S.").folder / "dashboard.json").read_text("utf-8"))
    assert (about["question"], about["answer"]) == ("T?", "S.")
    assert publish(record, title="T?", summary="S.").new is False, "the same words are no others"


def test_another_run_with_the_same_ending_gets_an_address_of_its_own(published: Published, change: Change) -> None:
    record = change("run.json", lambda info: None)
    other = record.folder.with_name("20261121-080000-tiny-wave-a1b2")
    record.folder.rename(other)
    assert publish(Record(other)).slug == "20261121-080000-tiny-wave-a1b2"


def _without_alt(notebook: dict[str, Any]) -> None:
    output = notebook["cells"][4]["outputs"][0]
    output["data"] = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}


def _foreign_image(notebook: dict[str, Any]) -> None:
    notebook["cells"][4]["outputs"][0]["data"]["text/html"] = '<img alt="x" src="https://example.org/x.png">'


def _untagged(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = []


def _failed(notebook: dict[str, Any]) -> None:
    notebook["cells"][4]["outputs"] = [{"output_type": "error", "ename": "KeyError", "evalue": "", "traceback": []}]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (_without_alt, "no alternative text.*alt="),
        (_foreign_image, "cell 5: the page would load something from example.org"),
        (_untagged, "no dashboard part.*tag"),
        (_failed, "failed with KeyError"),
        (lambda n: n.pop("cells"), "no notebook.*run again"),
    ],
)
def test_a_notebook_that_cannot_be_shown_is_refused(change: Change, edit: Callable[[Any], None], says: str) -> None:
    _refused(change("notebook.ipynb", edit), says)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda i: i.update(status="failed"), "failed: only a completed run"),
        (lambda i: i.update(status="died"), "died: only a completed run"),
        (lambda i: i.update(status="running"), "running|died"),
    ],
)
def test_a_run_that_did_not_complete_is_refused(change: Change, edit: Callable[[Any], None], says: str) -> None:
    _refused(change("run.json", edit), says)


def _forget(folder: Path, name: str) -> None:
    """Take a file out of the list of what was sealed."""
    crate = folder / "ro-crate-metadata.json"
    graph = json.loads(crate.read_text("utf-8"))["@graph"]
    crate.write_text(json.dumps({"@graph": [e for e in graph if e["@id"] != name]}), encoding="utf-8")


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda f: (f / "ro-crate-metadata.json").unlink(), "half written: run it again"),
        (lambda f: (f / "notebook.ipynb").unlink(), "no notebook.ipynb.*damaged"),
        (lambda f: (f / "notebook.ipynb").write_text("{}"), "notebook.ipynb was changed"),
        (lambda f: (f / "run.json").write_text("{"), "run.json is damaged"),
        (lambda f: (f / "run.json").write_text("{}"), "run.json"),
        (lambda f: (f / "ro-crate-metadata.json").write_text("{"), "damaged"),
        (lambda f: (f / "ro-crate-metadata.json").write_text("{}"), "metadata.json was changed.*run again"),
        (lambda f: (f / "ro-crate-metadata.json").write_text('{"@graph": {}}'), "metadata.json was changed.*run again"),
        (lambda f: _forget(f, "notebook.ipynb"), "metadata.json was changed.*run again"),
        (lambda f: _forget(f, "run.json"), "metadata.json was changed.*run again"),
        (lambda f: _forget(f, "parameters.json"), "parameters.json was changed.*run again"),
        (lambda f: _forget(f, "outputs/wave.npy"), "wave.npy was changed.*run again"),
        (lambda f: (f / "outputs/wave.npy").write_bytes(b""), "wave.npy was changed"),
    ],
)
def test_a_damaged_record_is_refused(record: Record, break_it: Callable[[Path], Any], says: str) -> None:
    break_it(record.folder)
    _refused(record, says)


def _refused(record: Record, says: str) -> None:
    with pytest.raises(WorkbenchError, match=says) as caught:
        publish(record)
    assert "\n" not in str(caught.value)
    root = Path(os.environ["GENAI4EU_DASHBOARDS"])
    assert not root.exists() or not list(root.iterdir()), "nothing is left behind"


def test_unsafe_html_is_taken_out(change: Change) -> None:
    bad = (
        '<script>alert(1)</script><p onclick="x()" style="color:red">kept</p><a href="javascript:x()">link</a>'
        '<iframe srcdoc="<b>x</b>"></iframe><link rel=stylesheet href="x.css">'
    )

    def edit(notebook: dict[str, Any]) -> None:
        notebook["cells"][4]["outputs"][0]["data"]["text/html"] = bad

    text = str(BeautifulSoup(html(publish(change("notebook.ipynb", edit))), "html.parser").article)
    assert "kept" in text
    bad_words = ("alert", "onclick", "style=", "javascript:", "<iframe", "x.css")
    assert not any(word in text for word in bad_words)


def test_the_command_line_says_one_line(
    record: Record, genai4eu: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    unknown = genai4eu("publish", "nothing-like-this")
    assert (
        unknown.returncode == 1
        and unknown.stderr.startswith("genai4eu: unknown run")
        and unknown.stderr.count("\n") == 1
    )
    done = genai4eu("publish", "a1b2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["slug"] == "tiny-wave-a1b2"


def test_a_table_breaks_names_at_their_joints_and_no_word(published: Published) -> None:
    text = html(published, "evidence")
    assert "<td>dimensionless</td>" in text and '<span class="id">20261120-<wbr>191500-<wbr>tiny-<wbr>wave-' in text


def test_controls_are_the_widget_that_has_some_wherever_a_viewer_stands() -> None:
    """Further widgets show what they recorded; a viewer alone is what can be brought to life."""

    def shown(model: str, alt: str, controls: list[dict[str, str]]) -> dict[str, Any]:
        told = {CONTROLS_MIME: {"picture": model, "controls": controls}} if controls else {}
        state[model] = {"state": {"value": f'<img alt="{alt}" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'}}
        output = {"output_type": "display_data", "data": {VIEW_MIME: {"model_id": model}} | told, "metadata": {}}
        return {"cell_type": "code", "source": "", "outputs": [output]}

    state: dict[str, Any] = {}
    setting = [{"label": "Height", "value": "2", "unit": "m"}]
    viewer, explorer, other = shown("a", "viewer", []), shown("b", "explorer", setting), shown("c", "other", setting)
    about = {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": state}}}
    for cells, kinds in (
        ([viewer, explorer, other], ["viewer", "controls", "viewer"]),
        ([explorer, viewer], ["controls", "viewer"]),
        ([viewer, viewer], ["controls", "viewer"]),
    ):
        blocks = freeze(cells, {"metadata": about}).blocks
        assert [b.kind for b in blocks] == kinds
        assert all("<img" in b.html and (not b.settings or b.kind == "controls") for b in blocks)
