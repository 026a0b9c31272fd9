"""The panel to explore a spectrum and fit its peaks: drag a range, mark peaks, see the fit and its uncertainties.

Its settings are one frozen dataclass, and what it does is one call, `peaks.fit_marked`, which `code()` writes down.
Not here: the plot (`analysis.widgets.spectrum_view`), the fit (`analysis.peaks.marked`).
"""

import base64
import json
from dataclasses import asdict, replace
from html import escape
from pathlib import Path
from typing import Any, get_args

import numpy as np
import xarray as xr

from analysis import figures, peaks
from analysis.core import MetrospecError
from analysis.peaks.marked import Background, Mark, Shape
from analysis.widgets.explore_parts import (
    MEASURES,
    ExploreSettings,
    arrays_of,
    code_of,
    found_in,
    read_settings,
    rows_of,
)
from analysis.widgets.panel import ipw
from analysis.widgets.spectrum_view import Event, Handle, Series, SpectrumView

__all__ = ["ExplorePanel", "ExploreSettings", "explore"]

_FIRST = 3
_MEASURED, _FITTED, _BELOW = 0, 1, 2  # colours


class ExplorePanel:
    """Range, peaks and background over one spectrum, with undo, redo, reset, save and load."""

    def __init__(self, spectrum: xr.Dataset, settings: ExploreSettings, *, name: str) -> None:
        self.spectrum, self._name = spectrum, name
        self.settings = self._first = settings
        self.result: xr.Dataset | None = None
        self._past: list[ExploreSettings] = []
        self._future: list[ExploreSettings] = []
        self._selected, self._quiet = 0, False
        self._x, self._y, self._u = arrays_of(spectrum, settings.axis)
        axis = spectrum[settings.axis]
        self.plot = SpectrumView(
            x_label=str(axis.attrs.get("long_name", settings.axis)), x_units=str(axis.attrs.get("units", "1")),
            y_label="signal", y_units=str(spectrum["signal"].attrs.get("units", "1")),
            described=f"{name}: spectrum with its fitted peaks. Keys: arrows move the cursor, brackets set the range, "
            "A adds a peak, N selects, comma and full stop move it, W and S its width, Delete removes it",
        )  # fmt: skip
        self.message, self.words = ipw.HTML(), ipw.HTML()
        self.shape = ipw.Dropdown(options=list(get_args(Shape)), value="pseudo_voigt", description="shape")
        self.background = ipw.Dropdown(
            options=list(get_args(Background)), value=settings.background, description="background"
        )
        self.buttons = {
            words: ipw.Button(description=words, layout=ipw.Layout(width="auto"))
            for words in ("Find peaks", "Undo", "Redo", "Reset")
        }
        acts = {"Find peaks": self.find, "Undo": self.undo, "Redo": self.redo, "Reset": self.reset}
        for words, act in acts.items():
            self.buttons[words].on_click(lambda _, act=act: self._guarded(act))
        self.background.observe(lambda change: self._chosen(background=change["new"]), names="value")
        self.shape.observe(lambda change: self._reshaped(change["new"]), names="value")
        wrap = ipw.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 10px")
        bar = ipw.Box([self.shape, self.background, *self.buttons.values()], layout=wrap)
        self.view = ipw.VBox([bar, self.message, self.plot, self.words])
        self.plot.on_event(lambda event: self._guarded(lambda: self._heard(event)))
        self._guarded(lambda: self._put(settings))

    def set(self, settings: ExploreSettings) -> None:
        """Show other settings; it can be undone.

        Parameters
        ----------
        settings:
            On the same axis.
        """
        before = self.settings
        self._put(settings)
        self._past.append(before)
        self._future.clear()
        self._mark_buttons()

    def find(self) -> None:
        """Mark the peaks that stand out of the noise within the range."""
        self.set(replace(self.settings, marks=found_in(self.spectrum, self.settings, str(self.shape.value))))

    def undo(self) -> None:
        """Go back to the settings before."""
        if self._past:
            self._future.append(self.settings)
            self._put(self._past.pop())

    def redo(self) -> None:
        """Take the last undo back."""
        if self._future:
            self._past.append(self.settings)
            self._put(self._future.pop())

    def reset(self) -> None:
        """Go back to the settings at first; it can be undone."""
        self.set(self._first)

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            Python that needs `peaks` and the spectrum.
        """
        return code_of(self.settings, self._name)

    def save(self, path: str | Path) -> None:
        """Write the settings as JSON.

        Parameters
        ----------
        path:
            The file.
        """
        Path(path).write_text(json.dumps(asdict(self.settings), indent=1), encoding="utf-8")

    def load(self, path: str | Path) -> None:
        """Show settings that were saved; it can be undone.

        Parameters
        ----------
        path:
            The file.

        Raises
        ------
        MetrospecError
            If it does not hold such settings.
        """
        settings = read_settings(Path(path))
        self.set(settings)

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

    # -- events
    def _heard(self, event: Event) -> None:
        kind, marks = event["type"], list(self.settings.marks)
        if kind == "select":
            self._selected = min(max(int(event["index"]), 0), max(len(marks) - 1, 0))
            self._draw()
        elif kind == "range":
            low, high = sorted(float(edge) for edge in event["range"])
            inside = tuple(m for m in (self._held or self.settings).marks if low <= m.center <= high)
            self._step(replace(self.settings, low=low, high=high, marks=inside), final=bool(event["final"]))
        elif kind == "add":
            self._selected = len(marks)
            self.set(replace(self.settings, marks=(*marks, self._mark_at(float(event["x"])))))
        elif kind == "remove" and marks:
            marks.pop(int(event["index"]))
            self._selected = 0
            self.set(replace(self.settings, marks=tuple(marks)))
        elif kind == "handle":
            k = int(event["index"])
            base = self._base(marks[k].center)
            marks[k] = replace(
                marks[k], center=float(event["x"]), height=float(event["top"]) - base, fwhm=abs(float(event["w"]))
            )
            self._step(replace(self.settings, marks=tuple(marks)), final=bool(event["final"]))

    def _step(self, settings: ExploreSettings, *, final: bool) -> None:
        """Follow a drag; only its end can be undone."""
        if self._held is None:
            self._held = self.settings
        self._put(settings, tabulated=final)
        if final:
            self._past.append(self._held)
            self._future.clear()
            self._held = None
            self._mark_buttons()

    _held: ExploreSettings | None = None

    def _chosen(self, *, background: Background) -> None:
        if not self._quiet:
            self._guarded(lambda: self.set(replace(self.settings, background=background)))

    def _reshaped(self, shape: Shape) -> None:
        if self._quiet or not self.settings.marks:
            return
        marks = list(self.settings.marks)
        marks[self._selected] = replace(marks[self._selected], shape=shape)
        self._guarded(lambda: self.set(replace(self.settings, marks=tuple(marks))))

    def _guarded(self, act: Any) -> None:  # noqa: ANN401 - anything without arguments
        try:
            act()
        except Exception as error:  # noqa: BLE001 - a callback must not fail unseen; the last good result stays
            self._held = None
            self.message.value = f'<p role="alert"><b>{escape(type(error).__name__)}</b>: {escape(str(error))}</p>'
            self._draw()

    # -- the call and its picture
    def _put(self, settings: ExploreSettings, *, tabulated: bool = True) -> None:
        made = None
        if settings.marks:
            made = peaks.fit_marked(
                self.spectrum, axis=settings.axis, marks=settings.marks, background=settings.background,
                low=settings.low, high=settings.high,
            )  # fmt: skip
        self.result, self.settings = made, settings
        self._selected = min(self._selected, max(len(settings.marks) - 1, 0))
        self.message.value = ""
        self._draw()
        if tabulated:
            self._rows = {} if made is None else rows_of(made, len(settings.marks))
            self.words.value = self._table()
        self._quiet = True
        self.background.value = settings.background
        if settings.marks:
            self.shape.value = settings.marks[self._selected].shape
        self._quiet = False
        self._mark_buttons()

    _rows: dict[str, dict[str, str]] = {}  # noqa: RUF012 - replaced, never changed

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

    def _mark_buttons(self) -> None:
        self.buttons["Undo"].disabled = not self._past
        self.buttons["Redo"].disabled = not self._future
        self.buttons["Reset"].disabled = self.settings == self._first

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        """Show the live view; a notebook without a kernel keeps a picture and the results in words."""
        still = (
            figures.draw_spectrum(self.spectrum, axis=self.settings.axis)
            if self.result is None
            else figures.draw_fit(self.result, self.spectrum)
        )
        live: dict[str, Any] = self.view._repr_mimebundle_() or {}
        return {
            **live,
            "image/png": base64.b64encode(figures.png(still)).decode("ascii"),
            "text/plain": f"{self._name}\n{self.text()}",
        }


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
        If there is more than one spectrum.
    """
    if spectrum["signal"].ndim != 1:
        msg = f"the panel explores one spectrum, got dims {spectrum['signal'].dims}; choose one: spectrum.isel(row=0)"
        raise MetrospecError(msg)
    settings = ExploreSettings(axis=axis, marks=marks or (), background=background, low=low, high=high)
    if marks is None:
        settings = replace(settings, marks=found_in(spectrum, settings, "pseudo_voigt", most=_FIRST))
    return ExplorePanel(spectrum, settings, name=name)
