"""The panel to explore a spectrum and fit its peaks: drag a range, mark peaks, see the fit and its uncertainties.

Its settings are one frozen dataclass, and what it does is one call, `peaks.fit_marked`, which `code()` writes down.
Not here: the plot (`analysis.widgets.spectrum_view`), the fit (`analysis.peaks.marked`).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import xarray as xr

from analysis import figures, peaks
from analysis.peaks.marked import Background, Loss, Mark
from analysis.widgets.explore_parts import (
    MEASURES,
    ExploreSettings,
    arrays_of,
    code_of,
    found_in,
    one_spectrum,
    rows_of,
    settings_from,
    without,
)
from analysis.widgets.front_panel import FrontPanel
from analysis.widgets.panel import Figure, ipw
from analysis.widgets.peak_row import PeakRow, choice_of, limits_from
from analysis.widgets.spectrum_view import Event, Handle, Series, SpectrumView

__all__ = ["ExplorePanel", "ExploreSettings", "explore"]

_FIRST = 3
_MEASURED, _FITTED, _BELOW = 0, 1, 2  # colours


class ExplorePanel(FrontPanel[ExploreSettings]):
    """Range, peaks and background over one spectrum."""

    def __init__(self, spectrum: xr.Dataset, settings: ExploreSettings, *, name: str) -> None:
        self.spectrum = spectrum
        self._selected = 0
        self._rows: dict[str, dict[str, str]] = {}
        self._x, self._y, self._u = arrays_of(spectrum, settings.axis)
        axis = spectrum[settings.axis]
        self.plot = SpectrumView(
            x_label=str(axis.attrs.get("long_name", settings.axis)), x_units=str(axis.attrs.get("units", "1")),
            y_label="signal", y_units=str(spectrum["signal"].attrs.get("units", "1")),
            described=f"{name}: spectrum with its fitted peaks. Keys: arrows move the cursor, brackets set the range, "
            "A adds a peak, N selects, comma and full stop move it, W and S its width, Delete removes it",
        )  # fmt: skip
        self.background = choice_of("background", Background, settings.background)
        self.background.observe(lambda change: self._change(background=change["new"]), names="value")
        self.loss = choice_of("loss", Loss, settings.loss)
        self.loss.observe(lambda change: self._change(loss=change["new"]), names="value")
        self.peak = PeakRow(
            selected=lambda k: self._guarded(lambda: self._select(k)), changed=self._changed,
            removed=lambda: self._guarded(lambda: self._heard({"type": "remove", "index": self._selected})),
        )  # fmt: skip
        self.shape = self.peak.shape
        self.plot.on_event(lambda event: self._guarded(lambda: self._heard(event)))
        super().__init__(settings, name=name)

    def _bar(self) -> list[ipw.Widget]:
        self.buttons["Find peaks"] = self._button("Find peaks", self.find)
        return [self.background, self.loss, self.buttons["Find peaks"]]

    def _body(self) -> list[ipw.Widget]:
        return [self.plot, self.peak.view]

    def find(self) -> None:
        """Mark the peaks that stand out of the noise within the range."""
        self.set(replace(self.settings, marks=found_in(self.spectrum, self.settings, str(self.shape.value))))

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            Python that needs `peaks` and the spectrum.
        """
        return code_of(self.settings, self.name)

    def text(self) -> str:
        """Return the results in words.

        Returns
        -------
        :
            One line for each peak.
        """
        if self.result is None:
            return "no fit: mark a peak"
        redchi = float(self.result["redchi"])
        rows = [
            f"{name}: " + ", ".join(f"{what} {said}" for what, said in row.items()) for name, row in self._rows.items()
        ]
        return "\n".join([*rows, f"reduced chi-square {redchi:.3g}, {int(self.result['ndata'])} points"])

    def _settings_from(self, held: Any) -> ExploreSettings:  # noqa: ANN401 - JSON
        return settings_from(held)

    # -- events
    def _heard(self, event: Event) -> None:
        kind, marks = event["type"], list(self.settings.marks)
        if kind == "select":
            self._select(int(event["index"]))
        elif kind == "range":
            low, high = sorted(float(edge) for edge in event["range"])
            inside = tuple(m for m in (self._held or self.settings).marks if low <= m.center <= high)
            self._step(replace(self.settings, low=low, high=high, marks=inside), final=bool(event["final"]))
        elif kind == "add":
            self._selected = len(marks)
            self.set(replace(self.settings, marks=(*marks, self._mark_at(float(event["x"])))))
        elif kind == "remove" and marks:
            self.set(replace(self.settings, marks=without(self.settings.marks, int(event["index"]))))
            self._select(0)
        elif kind == "handle":
            k = int(event["index"])
            base = self._base(marks[k].center)
            marks[k] = replace(
                marks[k], center=float(event["x"]), height=float(event["top"]) - base, fwhm=abs(float(event["w"]))
            )
            self._step(replace(self.settings, marks=tuple(marks)), final=bool(event["final"]))

    def _select(self, index: int) -> None:
        self._selected = min(max(index, 0), max(len(self.settings.marks) - 1, 0))
        self._redraw()

    def _changed(self, parts: Mapping[str, Any]) -> None:
        """Change the chosen mark as its row of controls does."""

        def change() -> None:
            read: dict[str, Any] = {
                name: limits_from(v, name) if name.endswith("_range") else v for name, v in parts.items()
            }
            marks = list(self.settings.marks)
            marks[self._selected] = replace(marks[self._selected], **read)
            self.set(replace(self.settings, marks=tuple(marks)))

        self._guarded(change)

    # -- the call and its picture
    def _call(self, settings: ExploreSettings) -> xr.Dataset | None:
        if not settings.marks:
            return None
        return peaks.fit_marked(
            self.spectrum, axis=settings.axis, marks=settings.marks, background=settings.background,
            low=settings.low, high=settings.high, loss=settings.loss,
        )  # fmt: skip

    def _show(self) -> None:
        now = self.settings
        self._selected = min(self._selected, max(len(now.marks) - 1, 0))
        self._draw()
        if self.dragging:
            return
        self._rows = {} if self.result is None else rows_of(self.result, len(now.marks))
        self.words.value = self._table()
        self.background.value, self.loss.value = now.background, now.loss
        self.peak.show(now.marks, self._selected)

    def _figure(self) -> Figure:
        if self.result is None:
            return figures.draw_spectrum(self.spectrum, axis=self.settings.axis)
        return figures.draw_fit(self.result, self.spectrum)

    def _draw(self) -> None:
        series = [Series(x=self._x, y=self._y, u=self._u, kind="line", colour=_MEASURED)]
        handles: list[Handle] = []
        if self.result is not None:
            fit = self.result
            x = np.asarray(fit[self.settings.axis].values, dtype=float)
            order = np.argsort(x)
            parts = peaks.evaluate(fit, components=True)
            total = parts.sum("component").values
            measured = np.interp(x, self._x, self._y)
            base = parts.sel(component="bg").values if "bg" in parts["component"].values else 0.0 * x
            series += [
                Series(x=x[order], y=base[order], colour=_BELOW),
                Series(x=x[order], y=total[order], colour=_FITTED),
                Series(x=x[order], y=(measured - total)[order], strip=True, colour=_MEASURED),
            ]
            values = dict(zip(fit["parameter"].values.tolist(), fit["value"].values.tolist(), strict=True))
            for number in range(1, len(self.settings.marks) + 1):
                center, fwhm, height = (values[f"p{number}_{what}"] for what in ("center", "fwhm", "height"))
                below = float(np.interp(center, x[order], base[order]))
                handles.append(Handle(name=f"p{number}", x=center, top=below + height, base=below, width=fwhm))
        chosen = None
        if self.settings.low is not None and self.settings.high is not None:
            chosen = (self.settings.low, self.settings.high)
        self.plot.show(series, handles=handles, chosen=chosen, selected=self._selected)

    def _base(self, at: float) -> float:
        if self.result is None:
            return float(np.nanmedian(self._y))
        parts = peaks.evaluate(self.result, components=True)
        if "bg" not in parts["component"].values:
            return 0.0
        x = self.result[self.settings.axis].values
        order = np.argsort(x)
        return float(np.interp(at, x[order], parts.sel(component="bg").values[order]))

    def _mark_at(self, x: float) -> Mark:
        """Mark the highest sample near a place."""
        width = (self._x[-1] - self._x[0]) / 100
        near = np.abs(self._x - x) <= 0.5 * width
        if not near.any():
            near = np.arange(self._x.size) == np.argmin(np.abs(self._x - x))
        k = int(np.flatnonzero(near)[np.nanargmax(self._y[near])])
        height = float(self._y[k]) - self._base(float(self._x[k]))
        return Mark(center=float(self._x[k]), height=height, fwhm=float(width), shape=self.shape.value)

    def _table(self) -> str:
        if self.result is None:
            return "<p>No fit yet: add a peak, or press Find peaks.</p>"
        heads = "".join(f'<th scope="col">{escape(what)}</th>' for what in ("peak", *MEASURES))
        rows = "".join(
            f'<tr><th scope="row">{escape(name)}</th>'
            f"{''.join(f'<td>{escape(said)}</td>' for said in row.values())}</tr>"
            for name, row in self._rows.items()
        )
        advice = "".join(f"<p>{escape(each)}</p>" for each in json.loads(str(self.result.attrs.get("advice", "[]"))))
        said = f"<p>reduced chi-square {float(self.result['redchi']):.3g}</p>"
        return (
            f'<div aria-live="polite"><table class="jp-RenderedHTMLCommon"><thead><tr>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table>{said}{advice}</div>"
        )


def explore(
    spectrum: xr.Dataset,
    *,
    axis: str,
    marks: tuple[Mark, ...] | None = None,
    background: Background = "linear",
    low: float | None = None,
    high: float | None = None,
    name: str = "spectrum",
) -> ExplorePanel:
    """Explore a spectrum and fit its peaks by hand.

    Parameters
    ----------
    spectrum:
        Dims `(channel,)`.
    axis:
        Name of the coordinate along `channel`.
    marks:
        Peaks at first; None marks the three strongest.
    background:
        What is below them.
    low, high:
        Range that is fitted at first, in units of the axis; None is its end.
    name:
        Of the variable that holds the spectrum, for `code()`.

    Returns
    -------
    :
        The panel: `settings`, `result` (a fit), `code()`, `undo`, `redo`, `reset`, `save`, `load`.

    Raises
    ------
    MetrospecError
        If there is more than one spectrum, or no such axis.
    """
    spectrum = one_spectrum(spectrum, axis)
    settings = ExploreSettings(axis=axis, marks=marks or (), background=background, low=low, high=high)
    if marks is None:
        settings = replace(settings, marks=found_in(spectrum, settings, "pseudo_voigt", most=_FIRST))
    return ExplorePanel(spectrum, settings, name=name)
