"""The form: a field a parameter, errors at the field in plain words, and a run of just what was changed."""

from __future__ import annotations

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
from genai4eu.widgets.field import Field
from genai4eu.widgets.form import Form

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
def form(notebook: Callable[..., Path]) -> Form:
    return genai4eu.form(notebook(("parameters", SOURCE), "import genai4eu\ngenai4eu.current_run().metric('x', load)"))


def error(field: Field) -> str:
    return str(field._error.value)


KINDS = {
    "profile": "RadioButtons", "epochs": "Text", "load": "Text", "sites": "Text", "day": "DatePicker",
    "later": "DatePicker", "robust": "RadioButtons", "maybe": "RadioButtons", "model": "Dropdown",
    "level": "RadioButtons", "data": "Text", "token": "Text", "note": "Textarea",
}  # fmt: skip


def test_one_field_a_parameter_with_label_unit_and_help(form: Form) -> None:
    assert list(form.fields) == list(SCHEMA.parameters)
    assert {name: type(form.fields[name].input).__name__ for name in KINDS} == KINDS
    assert form.fields["load"].input.description == "load (mL)" and form.fields["epochs"].input.description == "epochs"
    assert "Training epochs. A whole number from 1 to 200, or nothing." in form.fields["epochs"]._help.value
    assert "Hospitals. Values with commas between, each one of A, B, C." in form.fields["sites"]._help.value
    assert "First day. A date from 2026-01-01 to 2026-12-31." in form.fields["day"]._help.value
    assert form.fields["maybe"].input.options == (("yes", True), ("no", False), ("none", None))
    assert all(field.input.description and not error(field).count("will not") for field in form.fields.values())


def test_untouched_it_gives_nothing(form: Form) -> None:
    assert form._check(form.values) == {} and given(SCHEMA, form.values) == {}


CHANGES: list[tuple[str, Any, Any]] = [
    ("epochs", "20", 20), ("load", "15", 15.0), ("sites", "C", ["C"]), ("loads", "1, 2", [1.0, 2.0]),
    ("sites", "", []), ("robust", False, False), ("maybe", True, True), ("model", "e", "e"), ("level", None, None),
    ("data", "a b.nii", "a b.nii"), ("token", "secret:other", "secret:other"), ("note", "", ""),
    ("title", " x ", " x "),
]  # fmt: skip


@pytest.mark.parametrize(("name", "entered", "value"), CHANGES)
def test_what_was_changed_is_given_as_its_type(form: Form, name: str, entered: Any, value: Any) -> None:
    form.fields[name].input.value = entered
    assert error(form.fields[name]) == '<p class="genai4eu-error" role="alert"></p>'
    assert given(SCHEMA, form.values) == {name: value}


WRONG: list[tuple[str, Any, str]] = [
    ("epochs", "999", "999 will not do: give a whole number from 1 to 200, or nothing."),
    ("load", "", "Something is missing: give a number from 5 to 40."),
    ("load", "<i>", "&lt;i&gt; will not do: give a number from 5 to 40."),
    ("sites", "A, D", "A, D will not do: give values with commas between, each one of A, B, C."),
    ("day", None, "Something is missing: give a date from 2026-01-01 to 2026-12-31."),
    ("token", "hunter2", "This will not do: give the name of a secret, as secret:NAME, never the secret itself."),
]


@pytest.mark.parametrize(("name", "entered", "said"), WRONG)
def test_an_error_stands_at_its_field_and_goes_when_mended(form: Form, name: str, entered: Any, said: str) -> None:
    field = form.fields[name]
    before = field.input.value
    field.input.value = entered
    assert f'role="alert">{said}</p>' in error(field) and "genai4eu-wrong" in field._dom_classes
    assert "hunter2" not in error(field)
    field.input.value = before
    assert "will not do" not in error(field) and "genai4eu-wrong" not in field._dom_classes


def test_with_faults_nothing_is_started(form: Form, house: Path) -> None:
    form.fields["epochs"].input.value, form.fields["load"].input.value = "0", "x"
    form.button.click()
    assert "Nothing was started. 2 values will not do: epochs, load." in form._summary.value
    assert form.result is None and not (house / "runs").exists()


def test_the_button_runs_what_was_entered_and_shows_the_record(form: Form) -> None:
    said: list[str] = []
    form._progress.observe(lambda change: said.append(change.new), names="value")
    form.fields["load"].input.value = "15"
    assert form.target.value == "genai4eu"
    form.button.click()
    record = form.result
    assert record.info["status"] == "completed" and record.info["given"] == {"load": 15.0}
    assert "completed in" in form._outcome.value and "<td>x</td><td>15</td>" in form._outcome.value
    assert f"genai4eu publish {record.id}" in form._outcome.value and str(record.folder) in form._outcome.value
    assert any("cell 3 of 3" in s for s in said) and not form.button.disabled
    assert said[-1] == '<p class="genai4eu-progress" role="status"></p>'


def test_what_goes_wrong_is_a_sentence(form: Form) -> None:
    def refuse(*_: Any) -> Any:
        raise WorkbenchError("the gateway <b> does not answer")

    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    for start, sentence in (
        (refuse, "could not be run: the gateway &lt;b&gt; does not answer"),
        (stop, "was stopped."),
    ):
        form._start = start
        form.button.click()
        assert sentence in form._outcome.value and not form.button.disabled


def test_unknown_template_is_an_error_before_any_form() -> None:
    with pytest.raises(WorkbenchError, match="did you mean 'health-imaging'"):
        genai4eu.form("health-imagin")


@pytest.mark.slow
def test_interrupting_the_kernel_stops_the_run(notebook: Callable[..., Path], house: Path) -> None:
    """As a person does it: the click comes from the browser, and the stop button of JupyterLab interrupts."""
    study = notebook(("parameters", "n: int = 1"), "import time\ntime.sleep(600)")
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(house))
    try:
        made = f"import genai4eu\nform = genai4eu.form({str(study)!r})\nprint(form.button.model_id)"
        printed: list[str] = []
        client.execute_interactive(
            made, timeout=60, output_hook=lambda m: printed.append(m["content"].get("text", "")) if m else None
        )
        click = {"method": "custom", "content": {"event": "click"}}
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
