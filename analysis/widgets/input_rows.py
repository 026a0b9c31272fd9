"""Rows of inputs of a budget, each with a slider and a number for its u, its share, and the u that a target asks for.

Not here: what a change means (`analysis.widgets.budgeting`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import traitlets

try:
    import anywidget
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "panels need anywidget: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["InputRow", "InputRows"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class InputRow:
    """One input."""

    name: str
    """Its name in the model."""
    units: str
    """Units of its value and u."""
    value: str
    """Its value and u as they are, in words."""
    u: float
    """What is supposed for u."""
    shown: str
    """The same in digits."""
    most: float
    """Upper end of the slider."""
    share: str
    """Its part of the variance in words."""
    part: float
    """The same in [0, 1], for the bar."""
    why: str = ""
    """Why it cannot be changed; empty where it can."""
    required: str = ""
    """The u that the target asks for, in words; empty without a target."""
    use: str = ""
    """The same as a number, where it can be used."""


class InputRows(anywidget.AnyWidget):
    """The rows; `show` fills them, `on_change` hears the user."""

    _esm = _HERE / "input_rows.js"
    _css = _HERE / "input_rows.css"
    rows: Any = traitlets.List().tag(sync=True)
    heads: Any = traitlets.List().tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    number = traitlets.Int(0).tag(sync=True)

    def __init__(self, rows: Sequence[InputRow], *, heads: Sequence[str], caption: str) -> None:
        super().__init__(rows=[asdict(row) for row in rows], heads=list(heads), caption=caption)
        self._heard: Callable[[Mapping[str, Any]], None] = lambda _: None
        self.on_msg(self._told)

    def on_change(self, heard: Callable[[Mapping[str, Any]], None]) -> None:
        """Say what hears the user.

        Parameters
        ----------
        heard:
            Takes a mapping with `name`, `value` and `final`.
        """
        self._heard = heard

    def show(self, rows: Sequence[InputRow]) -> None:
        """Fill the rows; the names stay.

        Parameters
        ----------
        rows:
            As at first.
        """
        with self.hold_sync():
            self.rows = [asdict(row) for row in rows]
            self.number += 1

    def _told(self, _widget: object, event: Any, _buffers: object) -> None:  # noqa: ANN401 - from the browser
        if isinstance(event, dict) and event.get("type") == "u":
            self._heard(event)
