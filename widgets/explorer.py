"""The Explorer: a few labelled controls and the picture they redraw. Called by the dashboard part of templates."""

from __future__ import annotations

import difflib
import html
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets

from .controls import Control, described
from .figures import figure_html

#: Says beside the widget view what the controls were set to, so that a page without a kernel can say it too.
CONTROLS_MIME = "application/vnd.genai4eu.controls+json"
#: What the panel itself says, in the languages of the dashboards' pages.
_MORE = "More settings"
_OURS = {"nl": {_MORE: "Meer instellingen"}, "de": {_MORE: "Weitere Einstellungen"}, "fr": {_MORE: "Plus de réglages"}}
#: More controls than this would bury the picture; the rest waits behind "More settings".
IN_SIGHT = 3

_HERE = Path(__file__).parent


class Explorer(ipywidgets.VBox):  # type: ignore[misc]
    """Controls and the picture that ``draw`` makes of their values; the picture follows when a control moves.

    Parameters
    ----------
    draw : callable
        Called with one keyword argument a control; returns ``(matplotlib Figure, alternative text)``. What it raises
        is shown as a sentence, and kept in :attr:`error`.
    words : mapping of str to mapping of str to str, optional
        Labels, options and helps in further languages, for the page of a dashboard: ``{"nl": {"Height": "Hoogte"}}``.
    **controls : Range or Choice
        The controls by argument name, the most important first.

    Attributes
    ----------
    values : dict
        The present setting by argument name.
    error : Exception or None
        What ``draw`` raised last.

    Raises
    ------
    ValueError
        If ``words`` has one that no control says.
    """

    error: Exception | None

    def __init__(
        self,
        draw: Callable[..., Any],
        /,
        *,
        words: Any = None,  # a mapping; a narrower type would forbid to unpack controls of a mapping
        **controls: Control,
    ) -> None:
        self._draw = draw
        self._controls = controls
        self._words = _spoken(words or {}, controls)
        self._widgets = {name: control.widget() for name, control in controls.items()}
        self._picture = self._blank()
        self._status = ipywidgets.HTML()
        self._status.add_class("genai4eu-status")
        super().__init__([_style(), self._panel(), ipywidgets.VBox([self._status, self._picture])])
        self.add_class("genai4eu-explorer")
        self.children[2].add_class("genai4eu-view")
        for widget in self._widgets.values():
            widget.observe(self._redraw, names="value")
        self._redraw()

    @property
    def values(self) -> dict[str, Any]:
        """Present setting of each control, by argument name."""
        return {name: widget.value for name, widget in self._widgets.items()}

    def _panel(self) -> ipywidgets.VBox:
        """Return the controls, those beyond the first few behind a button."""
        rows = [_row(control, self._widgets[name]) for name, control in self._controls.items()]
        panel = ipywidgets.VBox(rows[:IN_SIGHT])
        panel.add_class("genai4eu-controls")
        if len(rows) > IN_SIGHT:
            more = ipywidgets.VBox(rows[IN_SIGHT:], layout={"display": "none"})
            button = ipywidgets.ToggleButton(description=_MORE, layout={"min_height": "44px", "width": "auto"})
            button.observe(lambda change: setattr(more.layout, "display", "" if change.new else "none"), names="value")
            panel.children = (*panel.children, button, more)
        return panel

    def _redraw(self, _change: object = None) -> None:
        """Draw anew, saying so meanwhile; a failure becomes a sentence and leaves the last picture in place."""
        self._say("Computing…")
        self._picture.add_class("genai4eu-busy")
        self.error, begun = None, _open_figures()
        try:
            self._show(self._draw(**self.values))
            self._say("")
        except Exception as error:  # noqa: BLE001  # whatever the science raises, the visitor gets a sentence
            self.error = error
            self._say(f"This setting could not be drawn: {_first_line(error)} Choose another setting.")
            _close(set(begun))
        finally:
            self._picture.remove_class("genai4eu-busy")

    def _blank(self) -> ipywidgets.DOMWidget:
        """Return where the answer will stand."""
        picture = ipywidgets.HTML()
        picture.add_class("genai4eu-picture")
        return picture

    def _show(self, drawn: Any) -> None:
        """Put what ``draw`` returned in its place."""
        self._picture.value = figure_html(*drawn)

    def _say(self, sentence: str) -> None:
        # Always the same element, with role "status": a screen reader announces only changes inside one.
        self._status.value = f'<p role="status">{html.escape(sentence)}</p>'

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """Add the names, values and units of the controls to the stored output, and name the controls for readers."""
        from IPython.display import Javascript, display

        display(Javascript((_HERE / "aria.js").read_text(encoding="utf-8")))
        bundle = super()._repr_mimebundle_(**options)
        # ipywidgets returns (data, metadata) in some versions and data alone in others
        data: dict[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
        settings = self._settings()
        data[CONTROLS_MIME] = {"picture": self._picture.model_id, "controls": settings, "words": self._words}
        data["text/plain"] = ", ".join(f"{s['label']}: {s['value']}" for s in settings)
        return data

    def _settings(self) -> list[dict[str, str]]:
        return [
            {"name": name, "label": c.label, "value": c.text(self._widgets[name].value), "unit": c.unit, "help": c.help}
            for name, c in self._controls.items()
        ]


def _spoken(words: Mapping[str, Mapping[str, str]], controls: Mapping[str, Control]) -> dict[str, dict[str, str]]:
    """Return all that the panel shows by what it shows, in each further language: also labels with units, and helps."""
    known = {text for c in controls.values() for text in (c.label, c.help, *getattr(c, "options", ()))}
    made: dict[str, dict[str, str]] = {}
    for language in {**_OURS, **words}:
        given = words.get(language, {})
        if unknown := next((text for text in given if text not in known), None):
            near = difflib.get_close_matches(unknown, known, n=1) or sorted(known)[:3]
            raise ValueError(f"no control says {unknown!r}: give words for {', '.join(near)}")
        found = {**_OURS.get(language, {}), **given}
        for control in controls.values():
            if control.label in given:
                found[described(control)] = described(control).replace(control.label, given[control.label], 1)
            if control.help in given:
                found[_help(control.help)] = _help(given[control.help])
        made[language] = found
    return made


def _help(text: str) -> str:
    return f'<p class="genai4eu-help">{html.escape(text)}</p>'


def _row(control: Control, widget: ipywidgets.ValueWidget) -> ipywidgets.VBox:
    parts = [widget]
    if control.help:
        parts.append(ipywidgets.HTML(_help(control.help)))
    row = ipywidgets.VBox(parts)
    row.add_class("genai4eu-control")
    return row


def _style() -> ipywidgets.HTML:
    """Return the style sheet as a widget, so that it holds in JupyterLab as well as on a page."""
    return ipywidgets.HTML(
        f"<style>{(_HERE / 'explorer.css').read_text(encoding='utf-8')}</style>", layout={"height": "0"}
    )


def _open_figures() -> list[int]:
    plt = sys.modules.get("matplotlib.pyplot")  # who has not imported it has begun no figure with it
    return list(plt.get_fignums()) if plt else []


def _close(kept: set[int]) -> None:
    """Close figures that were begun and never shown, which the inline backend would show without alternative text."""
    for number in set(_open_figures()) - kept:
        sys.modules["matplotlib.pyplot"].close(number)


def _first_line(error: Exception) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if text.endswith((".", "!", "?")) else f"{text}."
