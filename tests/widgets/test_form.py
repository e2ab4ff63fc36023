"""The form: a field a parameter, errors at the field in plain words, and a run of just what was changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.forms import given
from genai4eu.grammar import read_schema
from genai4eu.runs.store import all_runs
from genai4eu.widgets import ParameterForm

SOURCE = """from datetime import date
from pathlib import Path
from typing import Literal

profile: str = "default"  # sizes in {smoke, default, gpu}
epochs: int | None = None  # training epochs [1] in 1..200
load: float = 12.5  # lesion load [mL] in 5..40
sites: list[str] = ["A", "B"]  # hospitals in {A, B, C}
loads: list[float] = [1, 2.5]  # loads [mL]
day: date = date(2026, 1, 2)  # first day in 2026-01-01..2026-12-31
later: date | None = None  # last day
robust: bool = True  # whether outliers are cut off
maybe: bool | None = None  # whether to look
model: Literal["a", "b", "c", "d", "e"] = "c"  # what is trained
level: Literal[1, 2] | None = 2  # how deep
data: Path | None = None  # own scan
token: str = "secret:hub"  # key of the portal
title: str = "<b>"  # title
note: str = "two\\nlines"  # note"""
SCHEMA = read_schema([{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": SOURCE}], "study")


@pytest.fixture
def form(notebook: Callable[..., Path]) -> ParameterForm:
    return genai4eu.form(notebook(("parameters", SOURCE), "import genai4eu\ngenai4eu.current_run().metric('x', load)"))


KINDS = {
    "profile": "radio", "epochs": "text", "load": "text", "sites": "text", "day": "date", "later": "date",
    "robust": "radio", "maybe": "radio", "model": "list", "level": "radio", "data": "text", "token": "text",
    "note": "lines",
}  # fmt: skip


def test_one_field_a_parameter_with_label_unit_and_help(form: ParameterForm) -> None:
    fields = {f["name"]: f for f in form.fields}
    assert list(fields) == list(SCHEMA.parameters) == list(form.values)
    assert {name: fields[name]["kind"] for name in KINDS} == KINDS
    assert fields["load"]["label"] == "load (mL)" and fields["epochs"]["label"] == "epochs"
    assert fields["epochs"]["help"] == "Training epochs. A whole number from 1 to 200, or nothing."
    assert fields["sites"]["help"] == "Hospitals. Values with commas between, each one of A, B, C."
    assert fields["day"]["help"] == "First day. A date from 2026-01-01 to 2026-12-31."
    assert fields["maybe"]["options"] == [["yes", True], ["no", False], ["none", None]]
    assert [n for n, f in fields.items() if f["number"]] == ["epochs", "load"] and not form.faults


def test_it_says_so_in_other_words(notebook: Callable[..., Path]) -> None:
    words = {"a_integer": "eine ganze Zahl", "from": " von {low}", "to": " bis {high}", "or_nothing": " oder nichts"}
    form = genai4eu.form(notebook(("parameters", SOURCE)), words={**words, "run": "Starten", "wrong_few": "{count}"})
    assert form.fields[1]["help"] == "Training epochs. Eine ganze Zahl von 1 bis 200 oder nichts."
    assert form.words["run"] == "Starten" and form.words["running"] == "Running…"


def test_untouched_it_gives_nothing(form: ParameterForm) -> None:
    assert form._check(form.values) == {} and given(SCHEMA, form.values) == {}


CHANGES: list[tuple[str, Any, Any]] = [
    ("epochs", "20", 20), ("load", "15", 15.0), ("sites", "C", ["C"]), ("loads", "1, 2", [1.0, 2.0]),
    ("sites", "", []), ("robust", False, False), ("maybe", True, True), ("model", "e", "e"), ("level", None, None),
    ("data", "a b.nii", "a b.nii"), ("token", "secret:other", "secret:other"), ("note", "", ""),
    ("title", " x ", " x "),
]  # fmt: skip


@pytest.mark.parametrize(("name", "entered", "value"), CHANGES)
def test_what_was_changed_is_given_as_its_type(form: ParameterForm, name: str, entered: Any, value: Any) -> None:
    form.enter(**{name: entered})
    assert form.faults == {}
    assert given(SCHEMA, form.values) == {name: value}


WRONG: list[tuple[str, Any, str]] = [
    ("epochs", "999", "999 will not do: give a whole number from 1 to 200, or nothing."),
    ("load", "", "Something is missing: give a number from 5 to 40."),
    ("load", "<i>", "<i> will not do: give a number from 5 to 40."),
    ("sites", "A, D", "A, D will not do: give values with commas between, each one of A, B, C."),
    ("day", None, "Something is missing: give a date from 2026-01-01 to 2026-12-31."),
    ("token", "hunter2", "This will not do: give the name of a secret, as secret:NAME, never the secret itself."),
]


@pytest.mark.parametrize(("name", "entered", "said"), WRONG)
def test_an_error_stands_at_its_field_and_goes_when_mended(
    form: ParameterForm, name: str, entered: Any, said: str
) -> None:
    before = form.values[name]
    form.enter(**{name: entered})
    assert form.faults == {name: said}
    form.enter(**{name: before})
    assert form.faults == {}


def test_with_faults_nothing_is_started(form: ParameterForm, house: Path) -> None:
    form.entered = {**form.values, "epochs": "0", "load": "x", "unknown": "rm -rf"}
    assert "unknown" not in form.values
    form._told(form, {"ask": "run"}, [])
    assert form.refused == ["epochs", "load"] == list(form.faults)
    assert form.result is None and not (house / "runs").exists()


def test_the_button_runs_what_was_entered_and_shows_the_record(form: ParameterForm) -> None:
    said: list[str] = []
    form.observe(lambda change: said.append(change.new), names="progress")
    assert form.target == "genai4eu"
    form._told(form, {"ask": "run", "entered": {**form.values, "load": "15"}, "target": "mars"}, [])
    record = form.result
    assert record.info["status"] == "completed" and record.info["given"] == {"load": 15.0}
    assert "completed in" in form.outcome and "<td>x</td><td>15</td>" in form.outcome
    assert f"genai4eu publish {record.id}" in form.outcome and str(record.folder) in form.outcome
    assert any("cell 3 of 3" in s for s in said) and not form.running
    assert (said[-1], form.part, form.target) == ("", None, "genai4eu")


def test_what_goes_wrong_is_a_sentence(form: ParameterForm) -> None:
    def refuse(*_: Any) -> Any:
        raise WorkbenchError("the gateway <b> does not answer")

    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    for start, sentence in (
        (refuse, "could not be run: the gateway <b> does not answer"),
        (stop, "was stopped."),
    ):
        form._start = start
        form.run()
        assert sentence in form.trouble and not form.running and not form.outcome


def test_without_a_script_a_table_is_left(form: ParameterForm) -> None:
    form.enter(load="<17>")
    bundle = form._repr_mimebundle_()[0]
    assert '<th scope="row">load (mL)</th><td>&lt;17&gt;</td>' in bundle["text/html"]
    assert "load=<17>" in bundle["text/plain"] and "A number from 5 to 40." in bundle["text/html"]


def test_targets_are_asked_beside_it(form: ParameterForm) -> None:
    for thread in threading.enumerate():
        if thread.name == "targets":
            thread.join(10)
    told = next(t for t in form.targets if t["name"] == "genai4eu")
    assert told["state"] == "ready" and told["cost"]


def test_unknown_template_is_an_error_before_any_form() -> None:
    with pytest.raises(WorkbenchError, match="did you mean 'health-imaging'"):
        genai4eu.form("health-imagin")


@pytest.mark.slow
def test_interrupting_the_kernel_stops_the_run(notebook: Callable[..., Path], house: Path) -> None:
    """As a person does it: the click comes from the browser, and the stop button of JupyterLab interrupts."""
    study = notebook(("parameters", "n: int = 1"), "import time\ntime.sleep(600)")
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(house))
    try:
        made = f"import genai4eu\nform = genai4eu.form({str(study)!r})\nprint(form.model_id)"
        printed: list[str] = []
        client.execute_interactive(
            made, timeout=60, output_hook=lambda m: printed.append(m["content"].get("text", "")) if m else None
        )
        click = {"method": "custom", "content": {"ask": "run"}}
        content = {"comm_id": "".join(printed).strip(), "data": click}
        client.shell_channel.send(client.session.msg("comm_msg", content))
        _wait_for(client, "cell 2 of 2")
        manager.interrupt_kernel()
        _wait_for(client, "It was stopped.")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    (record,) = all_runs()
    assert record.info["status"] == "cancelled"


def _wait_for(client: Any, sentence: str) -> None:
    """Read what the kernel says until a widget shows the sentence."""
    while sentence not in str(client.get_iopub_msg(timeout=60)["content"]):
        continue
