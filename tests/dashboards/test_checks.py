"""Checks before publishing: each fault is found, named with its place and its remedy, and all of them at once."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from genai4eu import vault
from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.publishing.checks import Finding, leaks, names, shown, tongue, widgets
from genai4eu.dashboards.publishing.checks.shown import Piece
from genai4eu.dashboards.publishing.publish import check, publish, unpublish
from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record

from .conftest import execute

Change = Callable[[str, Callable[[Any], None]], Record]
PNG = "iVBORw0KGgo="
GITHUB = "ghp_" + "a1B2" * 9


def _html(text: str) -> list[str]:
    return [f.kind for f in shown.check(Piece(3, text)) if f.refused]


def test_a_good_run_has_no_findings(record: Record) -> None:
    assert check(record) == []


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_written(change: Change) -> None:
    def spoil(notebook: dict[str, Any]) -> None:
        notebook["cells"][2]["source"] = "Just words, and no heading."
        outputs = notebook["cells"][4]["outputs"][0]
        outputs["data"] = {
            "text/html": f'<img src="data:image/png;base64,{PNG}"><script src="https://cdn.example/x.js">'
        }
        notebook["cells"][6]["source"] = f"#### Deep\n\nkey {GITHUB}"
        notebook["cells"][3]["source"] += "\nnp.save(run.outputs / 'x.npy', [1])"

    record = change("notebook.ipynb", spoil)
    kinds = {f.kind for f in check(record) if f.refused}
    assert kinds >= {"alternative text", "third party", "secret", "name"}
    with pytest.raises(WorkbenchError, match=r"(?s)things in run .*cell 5: .*alternative text.*cdn\.example") as caught:
        publish(record)
    assert GITHUB not in str(caught.value) and str(caught.value).count("\n") >= 4
    assert not dashboards_root().exists()


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ('<img alt="A" src="data:image/png;base64,x">', []),
        ('<a href="https://example.org/">source</a> <img alt="//" src="data:image/png;base64,//x">', []),
        ('<img alt="A" src="https://a.example/x.png">', ["third party"]),
        ('<img alt="A" src="//a.example/x.png">', ["third party"]),
        ('<img alt="A" src="x.png">', ["image"]),
        ('<img src="data:image/png;base64,x" alt=" ">', ["alternative text"]),
        ('<iframe src="https://a.example/"></iframe>', ["third party"]),
        ('<link rel=stylesheet href="http://a.example/x.css">', ["third party"]),
        ("<style>@import url('https://a.example/x.css')</style>", ["third party"]),
        ('<p style="background: url(https://a.example/x.png)">x</p>', ["third party"]),
        ("<svg><path/></svg>", ["alternative text"]),
        ("<video src=x></video>", ["form of output"]),
        ("<table><tr><td>1</td></tr></table>", ["table"]),
        ("<table><tr><th>a</th></tr><tr><td>1</td></tr></table>", []),
        ("<h2> </h2>", ["heading"]),
        ("<input>", ["label"]),
        ("<label>Age <input></label><label for=a>b</label><select id=a></select><button>Go</button>", []),
    ],
)
def test_html_is_looked_at(text: str, kinds: list[str]) -> None:
    assert _html(text) == kinds


def test_headings_ask_a_question_and_leave_out_no_level() -> None:
    assert [f.what for f in shown.levels([Piece(1, "<p>x</p>")])] == ["no heading asks the question that it answers"]
    assert list(shown.levels([Piece(1, "<h1>Q?</h1>"), Piece(2, "<h2>a</h2><h3>b</h3>"), Piece(3, "<h2>c</h2>")])) == []
    (found,) = shown.levels([Piece(1, "<h1>Q?</h1>"), Piece(4, "<h3>b</h3>")])
    assert found.where == "cell 4" and "'##'" in found.remedy


@pytest.mark.parametrize("mime", ["application/vnd.plotly.v1+json", "application/vnd.vegalite.v5+json", "video/mp4"])
def test_forms_that_need_a_script_are_refused(mime: str) -> None:
    output = {"output_type": "display_data", "data": {mime: {}, "text/plain": "x"}, "metadata": {}}
    (found,) = shown.of_output(2, output)
    assert isinstance(found, Finding) and found.kind == "form of output" and "picture" in found.remedy


def _model(name: str, module: str = "@jupyter-widgets/controls", **state: Any) -> dict[str, Any]:
    return {"model_name": name, "model_module": module, "state": state}


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        (_model("IntSliderModel", description="Height"), []),
        (_model("IntSliderModel", description=""), ["label"]),
        (_model("ButtonModel", description="", icon="play", tooltip="Play"), []),
        (_model("DropdownModel"), ["label"]),
        (_model("ImageModel"), ["alternative text"]),
        (_model("OutputModel", outputs=[{"output_type": "display_data", "data": {"image/png": PNG}, "metadata": {}}]),
         ["alternative text"]),
        (_model("MPLCanvasModel", "jupyter-matplotlib"), ["third party"]),
        (_model("AnyModel", "anywidget", _esm="https://esm.example/w.js"), ["third party"]),
        (_model("AnyModel", "anywidget", _esm="import x from 'https://esm.example/x'"), ["third party"]),
        (_model("AnyModel", "anywidget", _esm="// see https://example.org\nexport default {}"), []),
    ],
)  # fmt: skip
def test_widgets_are_looked_at(model: dict[str, Any], kinds: list[str]) -> None:
    output = {"output_type": "display_data", "data": {widgets._VIEW: {"model_id": "box"}}, "metadata": {}}
    state = {"box": _model("VBoxModel", children=["IPY_MODEL_a", "IPY_MODEL_box"]), "a": model}
    found = widgets.check((1, {"cell_type": "code", "source": "", "outputs": [output]}), state)
    assert [f.kind for f in found if isinstance(f, Finding)] == kinds


def _cells(*sources: str) -> list[tuple[int, dict[str, Any]]]:
    return [(n, {"cell_type": "code", "source": source}) for n, source in enumerate(sources, 1)]


@pytest.mark.parametrize(
    ("part", "missed"),
    [
        (["x = 1\nprint(x)"], []),
        (["print(study)"], ["study"]),
        (["def f():\n    return study\nstudy = 2\nf()"], []),
        (["print(study)\nstudy = 2"], ["study"]),
        (["print(study)", "study = 1"], ["study"]),
        (["y = [study for study in range(3)]"], []),
        (["y = [study + i for i in range(3)]"], ["study"]),
        (["f = lambda a: a + study"], ["study"]),
        (["for study in range(3):\n    print(study)"], []),
        (["with open('x') as study:\n    print(study)"], []),
        (["class A:\n    x = study"], ["study"]),
        (["study += 1"], ["study"]),
        (["import numpy as study\nstudy.zeros(3)"], []),
        (["from numpy import *\nprint(study)"], []),
        (["%matplotlib inline\nprint(study)"], ["study"]),
        (["x = await study"], ["study"]),
        (["display(get_ipython()); print(len([]), nobody_has_it)"], []),
        (["if True:\n    import study\nelse:\n    study = None"], []),
        (["print(f'{study:.1f}')"], ["study"]),
        (["d.study = 1\nprint(dict(study=2))"], []),
    ],
)
def test_names_that_only_the_study_has_are_found(part: list[str], missed: list[str]) -> None:
    study = _cells("import os\nstudy = 1\nd = 2" if "d.study" not in part[0] else "study = 1")
    assert [f.what.split("'")[1] for f in names.check(study, _cells(*part))] == missed


def test_a_star_of_the_study_may_bring_anything() -> None:
    assert len(list(names.check(_cells("from somewhere import *"), _cells("print(unknown)")))) == 1


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Does a higher wave carry further? Yes: the peak rises, and that is what it shows.", "en"),
        (
            "Hoeveel water moet ik geven? Het antwoord is dat een drempel van het bodemvocht minder kost.",
            "nl",
        ),
        ("Wie viel Wasser ist nötig? Die Antwort ist, dass der Boden mit wenig auskommt und nicht austrocknet.", "de"),
        ("Combien d'eau faut-il ? La réponse est que le sol garde une part des pluies pour les cultures.", "fr"),
        ("", None),
        ("Ile wody potrzebuje pole? Odpowiedź zależy od gleby i pogody.", None),
    ],
)
def test_a_language_is_heard_only_where_there_is_no_doubt(text: str, language: str | None) -> None:
    assert tongue.spoken(text) == language


def test_languages_come_from_who_publishes_then_the_notebook_then_its_text() -> None:
    text = "Does a higher wave carry further? Yes: the peak rises, and that is what it shows."
    told: dict[str, Any] = {"metadata": {"genai4eu": {"languages": ["nl", "fr"]}}}
    assert tongue.languages(["pl"], told, text)[0] == ["pl"]
    chosen, found = tongue.languages(None, told, text)
    assert chosen == ["nl", "fr"] and [f.refused for f in found] == [False], "said to be Dutch, reads like English"
    assert tongue.languages(None, {}, text)[0] == ["en"]
    chosen, found = tongue.languages(None, {}, "")
    assert chosen == [] and "--lang" in next(iter(found)).remedy
    assert [f.refused for f in tongue.languages(["en", "english!"], {}, "")[1]] == [True]
    assert [f.refused for f in tongue.languages(["xx", "en", "ga"], {}, "")[1]] == [True], "there is no such language"


def test_missing_translations_are_named(change: Change) -> None:
    def translate(notebook: dict[str, Any]) -> None:
        notebook["cells"][2]["metadata"]["genai4eu"] = {"text": {"nl": "# Draagt een hogere golf verder?"}}

    record = change("notebook.ipynb", translate)
    (found,) = [f for f in check(record, languages=["en", "nl"]) if f.refused]
    assert found.where == "cell 7" and "not there in nl" in found.what
    with pytest.raises(WorkbenchError, match="cannot be published: cell 7: its text is not there in nl"):
        publish(record, languages=["en", "nl"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (GITHUB, "GitHub"),
        (f"TOKEN={GITHUB}", "GitHub"),
        ("AKIA" + "ABCD" * 4, "AWS"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("https://me:hunter22@example.org/x", "password"),
        ("http://localhost:8888/?token=" + "0123456789abcdef" * 3, "token in an address"),
        ("hf_" + "aB" * 17, "Hugging Face"),
        ("sk-proj-" + "a1" * 20, "API key"),
    ],
)
def test_what_looks_like_a_secret_is_found_and_not_repeated(text: str, what: str) -> None:
    (found,) = (f for f in leaks.in_text("x", f"before {text} after") if f.kind == "secret")
    assert what in found.what and text not in found.sentence and found.refused


@pytest.mark.parametrize(
    "text", ["task-specific-words-of-a-very-long-name", "https://example.org:8080/a@b", "a" * 500, "xAKIA" + "ABCD" * 9]
)
def test_what_only_resembles_a_secret_is_none(text: str) -> None:
    assert [f for f in leaks.in_text("x", text) if f.kind == "secret"] == []


def test_known_secrets_are_found_in_every_file(
    record: Record, change: Change, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GENAI4EU_SECRETS", str(tmp_path / "secrets"))
    vault.keep("hub", b"correct horse battery")
    monkeypatch.setenv("SITE_API_KEY", "staple-staple-staple")
    (record.outputs / "a.bin").write_bytes(b"\0\1correct horse battery\2")
    (record.outputs / "b.txt").write_text("staple-staple-staple", encoding="utf-8")
    found = [f for f in check(change("run.json", lambda info: None)) if f.refused]
    assert {(f.where, f.what) for f in found} == {
        ("outputs/a.bin", "it holds the value of secret:hub"),
        ("outputs/b.txt", "it holds the value of the variable SITE_API_KEY"),
    }


def test_a_home_folder_is_told_but_not_refused(change: Change) -> None:
    record = change("notebook.ipynb", lambda n: n["cells"][1].update(source="# from /home/ada/data"))
    (found,) = check(record)
    assert not found.refused and "/home/ada" in found.what
    assert publish(record).warnings == (found,)


@pytest.mark.parametrize("title", ["", "  ", "a\0b", "x" * 301, GITHUB])
def test_words_that_are_given_are_looked_at(record: Record, title: str) -> None:
    with pytest.raises(WorkbenchError, match="--title"):
        publish(record, title=title)


def test_the_command_line_lists_all(
    change: Change, command_line: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    def spoil(notebook: dict[str, Any]) -> None:
        notebook["cells"][4]["outputs"][0]["data"] = {"image/png": PNG}
        notebook["cells"][6]["source"] = "<table><tr><td>1</td></tr></table>"

    change("notebook.ipynb", spoil)
    said = command_line("publish", "a1b2", "--check")
    assert said.returncode == 1 and "alternative text" in said.stdout and "2 of 2 speak against" in said.stdout
    for wrong, why in ((["--visibility", "bogus"], "not 'bogus'"), (["--bundle", "x.zip"], "--check writes nothing")):
        refused = command_line("publish", "a1b2", "--check", *wrong)
        assert refused.returncode == 1 and why in refused.stderr
    told = json.loads(command_line("publish", "a1b2", "--check", "--json").stdout)
    assert {f["where"] for f in told} == {"cell 5", "cell 7"} and all(f["remedy"] for f in told)
    assert not dashboards_root().exists()


@pytest.mark.slow
def test_a_notebook_without_our_widgets_is_told_what_to_mend_and_then_published(house: Path) -> None:
    """Plain ipywidgets, ``interact``, a pandas table and matplotlib, as people write them."""
    question = ("dashboard", "# How much is it, and what does that mean for the people of the town?")
    head = [("parameters", "seed: int = 0  # random seed [1] in 0..99"), ("", "import pandas as pd\ndf = 1"), question]
    raw = [
        ("dashboard", "import matplotlib.pyplot as plt\n%matplotlib inline\nplt.plot([1, 2]); plt.show()"),
        ("dashboard", "from ipywidgets import interact, IntSlider\ninteract(lambda y: plt.plot([y]), y=(0, 3));"),
        ("dashboard", "df"),
        ("dashboard", "IntSlider()"),
    ]
    found = check(Record(execute(house / "runs" / "20261120-191500-raw-0001", head + raw)))
    assert [(f.where, f.kind) for f in found] == [
        ("cell 4", "alternative text"), ("cell 5", "alternative text"), ("cell 7", "label"), ("cell 6", "name"),
    ]  # fmt: skip
    mended = [
        ("dashboard", "import pandas as pd\nfrom ipywidgets import interact\npd.DataFrame({'a': [1, 2]})"),
        ("dashboard", "interact(lambda x: print(x), x=(0, 3));"),
    ]
    made = publish(Record(execute(house / "runs" / "20261120-191500-mended-0002", head + mended)))
    assert made.new and made.warnings == () and made.dashboard.current.info["languages"] == ["en"]


def _attaching(name: str, alt: str, held: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def edit(notebook: dict[str, Any]) -> None:
        cell = notebook["cells"][6]
        cell |= {"source": f"## Limits\n\n![{alt}](attachment:{name})", "attachments": held}
        cell["metadata"]["genai4eu"] = {"text": {"nl": f"## Grenzen\n\n![Een golf](attachment:{name})"}}

    return edit


def test_a_picture_that_is_attached_to_a_cell_is_published(change: Change) -> None:
    picture = "<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'><rect width='4' height='4'/></svg>"
    coded = base64.b64encode(picture.encode()).decode()
    for held in ({"image/svg+xml": picture}, {"image/svg+xml": [coded[:20] + "\n", coded[20:]]}):
        edit = _attaching("my%20wave.svg", "A wave", {"my wave.svg": held, "other.png": {"image/png": PNG}})
        record = change("notebook.ipynb", edit)
        assert [f for f in check(record) if f.refused] == []
        bundle = Bundle(publish(record).folder)
        block = bundle.blocks[-1]
        for text, alt in ((block["html"], "A wave"), (block["texts"]["nl"], "Een golf")):
            image = BeautifulSoup(text, "html.parser").find("img")
            assert image is not None and image["alt"] == alt
            assert (bundle.folder / str(image["src"])).read_text("utf-8") == picture
        unpublish(bundle.slug)


@pytest.mark.parametrize(
    ("alt", "held", "says"),
    [
        ("", {"wave.png": {"image/png": PNG}}, "no alternative text"),
        ("A wave", {}, "'wave.png' is not attached to the cell"),
        ("A wave", {"wave.png": {"text/html": "<script>alert(1)</script>"}}, "'wave.png' is not attached to the cell"),
        ("A wave", {"wave.png": {"image/bmp": PNG}}, "'image/bmp' cannot be published"),
    ],
)
def test_a_picture_that_is_attached_is_looked_at_like_others(
    change: Change, alt: str, held: dict[str, Any], says: str
) -> None:
    record = change("notebook.ipynb", _attaching("wave.png", alt, held))
    assert says in " ".join(f.sentence for f in check(record) if f.refused)
    with pytest.raises(WorkbenchError, match=says):
        publish(record)
