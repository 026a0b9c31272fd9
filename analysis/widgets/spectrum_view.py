"""The interactive plot of all panels: curves, bands, a range, handles of peaks; a canvas in the browser.

It decimates what is visible and sends it as binary; what the user does comes back as plain events.
Not here: what an event means (the panels), static pictures (`analysis.figures`).
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import traitlets

from analysis.uncertainty import format_value
from analysis.widgets.decimation import decimate

try:
    import anywidget
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "interactive plots need anywidget: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["Handle", "Series", "SpectrumView"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Event = Mapping[str, Any]
_ROOM = 0.06  # of the height, above and below the curves
_ONE_SIDED = 0.25  # what lies below zero, of what lies above: less is no residual
_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Series:
    """One curve."""

    x: Floats
    """Rising."""
    y: Floats
    """As many; of a band or of bars the lower edge."""
    upper: Floats | None = None
    """Upper edge of a band or of bars."""
    u: Floats | None = None
    """Standard uncertainty of `y`, for the words at the cursor."""
    kind: Literal["line", "points", "band", "bars"] = "line"
    """How it is drawn; bars go from `y` to `upper`, their middles marked."""
    strip: bool = False
    """Whether it stands in the strip below, as residuals do."""
    colour: int = 0
    """Number of its colour and of its dashes."""


@dataclass(frozen=True, kw_only=True)
class Handle:
    """A peak that can be dragged."""

    name: str
    """Written above it."""
    x: float
    """Centre."""
    top: float
    """Signal at the top."""
    base: float
    """Signal below it."""
    width: float
    """Full width at half height."""
    mark: Literal["", "used", "out"] = ""
    """A mark cannot be dragged; it is picked by a click or X, and says whether its line is used."""


class SpectrumView(anywidget.AnyWidget):
    """The plot; `show` fills it, `on_event` hears the user."""

    _esm = _HERE / "spectrum_view.js"
    _css = _HERE / "spectrum_view.css"
    frame = traitlets.Bytes(b"").tag(sync=True)
    plot = traitlets.Dict().tag(sync=True)
    handles: Any = traitlets.List().tag(sync=True)
    range: Any = traitlets.List().tag(sync=True)
    said = traitlets.Unicode("").tag(sync=True)
    pixels = traitlets.Int(800).tag(sync=True)
    modes: Any = traitlets.List().tag(sync=True)

    def __init__(
        self, *, x_label: str, y_label: str, x_units: str, y_units: str, described: str,
        modes: Sequence[str] = ("range", "peak", "zoom"), strip_label: str = "",
    ) -> None:  # fmt: skip
        super().__init__(modes=list(modes))
        self._labels = {"x": _with(x_label, x_units), "y": _with(y_label, y_units), "strip": strip_label}
        self._units, self._described = (x_units, y_units), described
        self._series: tuple[Series, ...] = ()
        self._window: tuple[float, float] | None = None
        self._log = False
        self._selected = 0
        self._number = 0
        self._lock = threading.RLock()
        self._heard: Callable[[Event], None] = lambda _: None
        self.on_msg(self._told)
        self.observe(lambda _: self._draw(), names="pixels")

    def on_event(self, heard: Callable[[Event], None]) -> None:
        """Say what hears the events of the user.

        Parameters
        ----------
        heard:
            Takes a mapping with `type`: `range`, `handle` and their `final`; `add`, `remove`, `select`, `pick`.
        """
        self._heard = heard

    def relabel(self, *, x_label: str, y_label: str, x_units: str, y_units: str) -> None:
        """Say what the next `show` draws; everything of it is shown.

        Parameters
        ----------
        x_label, y_label, x_units, y_units:
            Of the axes.
        """
        self._labels |= {"x": _with(x_label, x_units), "y": _with(y_label, y_units)}
        self._units, self._window = (x_units, y_units), None

    def show(
        self, series: Sequence[Series], *, handles: Sequence[Handle] = (), chosen: tuple[float, float] | None = None,
        selected: int = 0,
    ) -> None:  # fmt: skip
        """Draw curves, handles and the chosen range.

        Parameters
        ----------
        series:
            The first is the measured one, whose values are said at the cursor.
        handles:
            Peaks that can be dragged.
        chosen:
            The range that is marked, or None.
        selected:
            Number of the handle that the keys move.
        """
        self._series, self._selected = tuple(series), selected
        with self._lock, self.hold_sync():
            self.handles = [
                {"name": each.name, "x": each.x, "top": each.top, "base": each.base, "w": each.width, "mark": each.mark}
                for each in handles
            ]
            self.range = [] if chosen is None else [float(edge) for edge in chosen]
            self._draw()

    def _draw(self) -> None:
        with self._lock:  # a live panel shows from a thread of its own
            self._draw_all()

    def _draw_all(self) -> None:
        if not self._series:
            return
        low, high = self._window or self._whole()
        parts: list[Floats] = []
        metas: list[dict[str, Any]] = []
        extents: dict[bool, list[float]] = {False: [], True: []}
        at = 0
        for each in self._series:
            rows = [
                decimate(each.x, y, low=low, high=high, pixels=self.pixels)
                for y in (each.y, each.upper)
                if y is not None
            ]
            xs, values = rows[0][0], [row[1] for row in rows]
            finite = np.concatenate([row[np.isfinite(row)] for row in values])
            extents[each.strip] += [float(finite.min()), float(finite.max())] if finite.size else []
            x0 = float(xs[0]) if xs.size else 0.0
            y0 = 0.0 if each.strip or not finite.size else float(finite[0])
            parts += [xs - x0, *(row - y0 for row in values)]
            metas.append({
                "kind": each.kind, "n": int(xs.size), "at": at, "x0": x0, "y0": y0, "colour": each.colour,
                "dash": each.colour % 4, "strip": each.strip,
            })  # fmt: skip
            at += xs.size * (1 + len(values))
        self._number += 1
        plot = {
            "number": self._number, "window": [low, high], "ylim": self._limits(extents[False]),
            "strip": _even(extents[True]), "labels": self._labels, "log": self._log, "series": metas,
            "selected": self._selected, "described": self._described,
        }  # fmt: skip
        with self.hold_sync():
            self.frame = np.concatenate(parts).astype(np.float32).tobytes()
            self.plot = plot

    def _whole(self) -> tuple[float, float]:
        x = self._series[0].x
        return float(x[0]), float(x[-1])

    def _limits(self, found: list[float]) -> list[float]:
        low, high = (min(found), max(found)) if found else (0.0, 1.0)
        if self._log and high > 0:
            return [max(low, high * 1e-6), high * 1.5]
        room = _ROOM * ((high - low) or abs(high) or 1.0)
        return [low - room, high + room]

    def _told(self, _widget: object, event: Any, _buffers: object) -> None:  # noqa: ANN401 - from the browser
        if not isinstance(event, dict):
            return
        kind = event.get("type")
        if kind == "window":
            self._show_window([float(edge) for edge in event.get("window", [])])
        elif kind == "log":
            self._log = not self._log
            self._draw()
        elif kind == "cursor":
            self.said = self._at(float(event["x"]))
        else:
            self._heard(event)

    def _show_window(self, edges: list[float]) -> None:
        low, high = self._whole()
        if len(edges) == 2 and max(edges[0], low) < min(edges[1], high):  # noqa: PLR2004 - its two ends
            self._window = (max(edges[0], low), min(edges[1], high))
        else:
            self._window = None
        self._draw()

    def _at(self, x: float) -> str:
        first = self._series[0]
        k = int(np.argmin(np.abs(first.x - x)))
        value = float(first.y[k])
        shown = f"{value:.6g}" if first.u is None else format_value(value, float(first.u[k]))
        return f"{_said(f'{first.x[k]:.6g}', self._units[0])}: {_said(shown, self._units[1])}"


def _with(label: str, units: str) -> str:
    return label if units in ("", "1") else f"{label} ({units})"


def _said(number: str, units: str) -> str:
    return number if units in ("", "1") else f"{number} {units}"


def _even(found: list[float]) -> list[float] | None:
    if not found:
        return None
    low, high = min(found), max(found)
    if -low < _ONE_SIDED * high:
        return [low - _ROOM * (high - low), high + _ROOM * (high - low)]
    most = max(abs(low), abs(high)) or 1.0
    return [-1.1 * most, 1.1 * most]
