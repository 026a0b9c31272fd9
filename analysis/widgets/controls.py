"""The controls of a panel as plain data: a choice, a range, a switch.

Not here: the panel that shows them (`analysis.widgets.adjusting`).
"""

import math
from dataclasses import dataclass
from typing import Any

from analysis.core import MetrospecError, did_you_mean
from analysis.widgets.panel import ipw
from analysis.widgets.slider import Slider

__all__ = ["Choice", "Control", "Range", "Switch", "require_value", "widget_of"]

_STYLE = {"description_width": "initial"}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several values."""

    options: tuple[Any, ...]
    """Text or numbers, at least one."""
    start: Any
    """The one chosen at first."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """A number between two limits."""

    low: float
    """The least, in `units`."""
    high: float
    """The greatest, in `units`."""
    start: float
    """The number at first, in `units`."""
    step: float
    """What one press of an arrow key adds, > 0, in `units`."""
    units: str = ""
    """Shown after the name."""


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Yes or no."""

    start: bool
    """The state at first."""


Control = Choice | Range | Switch


def require_value(name: str, control: Control, value: object) -> None:
    """Refuse a value that a control cannot have.

    Parameters
    ----------
    name:
        Of the control.
    control:
        The control.
    value:
        Asked for.

    Raises
    ------
    MetrospecError
        If the value is not among the options, within the limits, or True or False.
    """
    if isinstance(control, Choice) and value not in control.options:
        hint = did_you_mean(str(value), [str(option) for option in control.options])
        msg = f"{name} must be one of {list(control.options)}, got {value!r}.{hint}"
        raise MetrospecError(msg)
    if isinstance(control, Switch) and not isinstance(value, bool):
        msg = f"{name} must be True or False, got {value!r}"
        raise MetrospecError(msg)
    if isinstance(control, Range):
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        if not control.low <= number <= control.high or control.step <= 0:
            msg = f"{name} must be a number in [{control.low:g}, {control.high:g}] with steps > 0, got {value!r}"
            raise MetrospecError(msg)


def widget_of(name: str, control: Control) -> ipw.Widget:
    """Make the widget of a control; the arrow keys move it as the mouse does.

    Parameters
    ----------
    name:
        Shown before it.
    control:
        The control.

    Returns
    -------
    :
        A drop-down list, a slider with an editable number, or a tick box.
    """
    words = name.replace("_", " ")
    if isinstance(control, Choice):
        return ipw.Dropdown(options=list(control.options), value=control.start, description=words, style=_STYLE)
    if isinstance(control, Switch):
        return ipw.Checkbox(value=control.start, description=words, indent=False, style=_STYLE)
    return Slider(
        value=control.start, min=control.low, max=control.high, step=control.step,
        description=f"{words} ({control.units})" if control.units else words,
    )  # fmt: skip
