"""A form that asks for the values of a call, then makes it and shows what came of it. Filled by the workbench."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets

from .field import Field

#: Called while a call is under way, with the part done (0 to 1, or ``None``) and a sentence.
Tell = Callable[[float | None, str], None]
_HERE = Path(__file__).parent


class Form(ipywidgets.VBox):  # type: ignore[misc]
    """Fields, a choice of where to run, and a button.

    Parameters
    ----------
    title : str
        What is run.
    schema : mapping
        JSON Schema (2020-12) of the call: an object with a property a field.
    check : callable
        Called with all values by name, as they were entered; returns a sentence for each that will not do.
    targets : sequence of (str, str)
        Where it can run: what is shown, and the name. The first is chosen.
    start : callable
        Called with the values, the target and ``tell``; returns HTML on what came of it, and the result. What it
        raises is shown as a sentence.

    Attributes
    ----------
    result : object
        What ``start`` returned last.
    """

    def __init__(
        self,
        title: str,
        schema: Mapping[str, Any],
        check: Callable[[Mapping[str, Any]], Mapping[str, str]],
        targets: Sequence[tuple[str, str]],
        start: Callable[[Mapping[str, Any], str, Tell], tuple[str, Any]],
    ) -> None:
        self.result: Any = None
        self._check, self._start = check, start
        self.fields = {name: Field(name, about) for name, about in schema["properties"].items()}
        wide = {"layout": {"width": "100%"}, "style": {"description_width": "initial"}}
        self.target = ipywidgets.Dropdown(options=list(targets), description="Run on", **wide)
        self.button = ipywidgets.Button(description="Run", button_style="primary", tooltip=f"Run {title}")
        self._summary, self._progress, self._outcome = (ipywidgets.HTML() for _ in range(3))
        where = ipywidgets.VBox([self.target])
        where.add_class("genai4eu-field")
        heading = ipywidgets.HTML(f'<h2 class="genai4eu-form-title">{html.escape(title)}</h2>')
        parts = [_style(), heading, self._summary, *self.fields.values(), where, self.button, self._progress]
        super().__init__([*parts, self._outcome])
        self.add_class("genai4eu-form")
        self.button.add_class("genai4eu-run")
        self._say_wrong({})
        self.tell(None, "")
        for name, field in self.fields.items():
            field.input.observe(lambda _change, name=name: self._touched(name), names="value")
        self.button.on_click(lambda _button: self.run())

    @property
    def values(self) -> dict[str, Any]:
        """What was entered, by name."""
        return {name: field.value for name, field in self.fields.items()}

    def _touched(self, name: str) -> None:
        """Say at the field whether what was just entered will do; others are judged when the button is pressed."""
        self.fields[name].say(self._check(self.values).get(name, ""))

    def run(self) -> None:
        """Check all fields; where all will do, make the call. Called by the button."""
        faults = self._check(self.values)
        for name, field in self.fields.items():
            field.say(faults.get(name, ""))
        self._say_wrong(faults)
        if not faults:
            self._go()

    def _go(self) -> None:
        self.button.disabled, self.button.description, self._outcome.value = True, "Running…", ""
        try:
            shown, self.result = self._start(self.values, self.target.value, self.tell)
            self._outcome.value = f'<section class="genai4eu-outcome" role="status">{shown}</section>'
        except KeyboardInterrupt:
            self._refuse("It was stopped.")
        except Exception as error:  # noqa: BLE001  # whatever the call raises, the person gets a sentence
            self._refuse(f"It could not be run: {error}")
        finally:
            self.tell(None, "")
            self.button.disabled, self.button.description = False, "Run"

    def tell(self, part: float | None, sentence: str) -> None:
        """Show how far the call has come; without a sentence, nothing is under way."""
        bar = "" if part is None else f'<progress aria-label="Progress" max="1" value="{part:.3f}"></progress>'
        self._progress.value = f'<p class="genai4eu-progress" role="status">{bar}{html.escape(sentence)}</p>'

    def _refuse(self, sentence: str) -> None:
        self._outcome.value = f'<p class="genai4eu-error" role="alert">{html.escape(sentence)}</p>'

    def _say_wrong(self, faults: Mapping[str, str]) -> None:
        """Say above the fields which are wrong, as one may not see all of them."""
        many = f"{len(faults)} values will not do" if len(faults) > 1 else "One value will not do"
        said = f"Nothing was started. {many}: {', '.join(faults)}." if faults else ""
        self._summary.value = f'<p class="genai4eu-error" role="alert">{html.escape(said)}</p>'

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Tie help and errors to their fields, for readers who do not see them."""
        from IPython.display import Javascript, display

        display(Javascript((_HERE / "aria.js").read_text(encoding="utf-8")))
        return super()._repr_mimebundle_(**options)


def _style() -> ipywidgets.HTML:
    """Return the style sheet as a widget, so that it holds in JupyterLab as well as on a page."""
    return ipywidgets.HTML(f"<style>{(_HERE / 'form.css').read_text(encoding='utf-8')}</style>", layout={"height": "0"})
