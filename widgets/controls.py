"""Controls as plain data: what a slider is before it is a widget. Called by templates; read by the Explorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import ipywidgets

#: More options than this go into a list that opens; so few stay in sight, one touch away.
MAX_IN_SIGHT = 4
#: Plain data: a Layout made at import belongs to no kernel where the import came before the kernel (warm kernels).
_WIDTH = {"width": "100%", "max_width": "420px"}
_STYLE = {"description_width": "initial"}


class Control(Protocol):
    """What the Explorer needs of a control."""

    @property
    def label(self) -> str:
        """Name a visitor understands."""
        ...

    @property
    def unit(self) -> str:
        """Unit symbol, empty for none."""
        ...

    @property
    def help(self) -> str:
        """One sentence on what the control does."""
        ...

    def widget(self) -> ipywidgets.ValueWidget:
        """Return a fresh widget with the initial value, named for people who do not see it."""
        ...

    def text(self, value: Any) -> str:
        """Return a value as a reader wants it, with its unit."""
        ...


@dataclass(frozen=True)
class Range:
    """A number between two limits, set with a slider.

    Parameters
    ----------
    label : str
        Name a visitor understands.
    lo, hi : float
        Limits, in ``unit``, both reachable.
    step : float
        Distance between two settings; ``None`` takes a hundredth of the range.
    value : float
        Initial setting; ``None`` takes ``lo``.
    unit : str
        Unit symbol, empty for a dimensionless number.
    help : str
        One sentence on what the control does.

    Raises
    ------
    ValueError
        If the limits are in the wrong order, the step is not positive, or the value is outside.
    """

    label: str
    lo: float
    hi: float
    step: float | None = None
    value: float | None = None
    unit: str = ""
    help: str = ""

    def __post_init__(self) -> None:
        if not self.lo < self.hi:
            raise ValueError(f"{self.label}: the lower limit {self.lo:g} must be below the upper limit {self.hi:g}")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"{self.label}: the step must be positive, not {self.step:g}")
        if not self.lo <= self._initial <= self.hi:
            raise ValueError(f"{self.label}: the value {self._initial:g} is not in {self.lo:g}..{self.hi:g}")

    @property
    def _initial(self) -> float:
        return self.lo if self.value is None else self.value

    @property
    def _step(self) -> float:
        return (self.hi - self.lo) / 100 if self.step is None else self.step

    def widget(self) -> ipywidgets.ValueWidget:
        """Return a slider; of whole numbers where limits, step and value are whole."""
        numbers = (self.lo, self.hi, self._step, self._initial)
        whole = all(float(n).is_integer() for n in numbers)
        lo, hi, step, value = (int(n) if whole else float(n) for n in numbers)
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        more = {} if whole else {"readout_format": ".3g"}
        return kind(
            value=value, min=lo, max=hi, step=step, description=described(self), tooltip=self.help,
            continuous_update=False, layout=_WIDTH, style=_STYLE, **more,
        )  # fmt: skip

    def text(self, value: Any) -> str:
        """Return ``"15 mL"``."""
        return f"{value:g} {self.unit}".strip()


@dataclass(frozen=True)
class Choice:
    """One of a few named options.

    Parameters
    ----------
    label : str
        Name a visitor understands.
    options : mapping of str to object
        What is shown, and the value that ``draw`` gets for it.
    value : object
        Initial value; ``None`` takes the first.
    help : str
        One sentence on what the control does.

    Raises
    ------
    ValueError
        If there is no option, or the value is not one of them.
    """

    label: str
    options: Mapping[str, Any]
    value: Any = None
    help: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError(f"{self.label}: give at least one option")
        if self.value is not None and self.value not in self.options.values():
            raise ValueError(f"{self.label}: the value {self.value!r} is not one of {', '.join(self.options)}")

    def widget(self) -> ipywidgets.ValueWidget:
        """Return options side by side, or a list that opens where there are many."""
        value = next(iter(self.options.values())) if self.value is None else self.value
        kind = ipywidgets.RadioButtons if len(self.options) <= MAX_IN_SIGHT else ipywidgets.Dropdown
        more = {"orientation": "horizontal"} if kind is ipywidgets.RadioButtons else {}
        return kind(
            options=list(self.options.items()), value=value, description=described(self), tooltip=self.help,
            layout=_WIDTH, style=_STYLE, **more,
        )  # fmt: skip

    def text(self, value: Any) -> str:
        """Return the name of the option with this value."""
        return next((name for name, v in self.options.items() if v == value), str(value))


def described(control: Control) -> str:
    """Return the label with its unit: ``"Lesion load (mL)"``."""
    return f"{control.label} ({control.unit})" if control.unit else control.label
