"""The panel to draw a baseline below a spectrum: choose the family, drag its settings, see what is left.

Its one call is `baseline.subtract(spectrum, baseline.FAMILY(spectrum, ...))`. Not here: the families
(`analysis.baseline`), the plot (`analysis.widgets.spectrum_view`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import xarray as xr

from analysis import baseline as families
from analysis import figures
from analysis.core import MetrospecError, did_you_mean
from analysis.widgets.explore_parts import arrays_of, one_spectrum
from analysis.widgets.front_panel import NARROW, STYLE, FrontPanel
from analysis.widgets.panel import Figure, ipw
from analysis.widgets.slider import Slider
from analysis.widgets.spectrum_view import Series, SpectrumView

__all__ = ["BaselinePanel", "BaselineSettings", "baseline"]

_FAMILIES: Mapping[str, tuple[Callable[..., xr.DataArray], tuple[str, ...]]] = {
    "arpls": (families.arpls, ("lam",)),
    "airpls": (families.airpls, ("lam",)),
    "asls": (families.asls, ("lam", "p")),
    "modpoly": (families.modpoly, ("degree",)),
    "snip": (families.snip, ("half_window",)),
}
_MEASURED, _BELOW = 0, 1  # colours


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """How a setting is put on a slider."""

    words: str
    low: float
    high: float
    step: float
    log: bool = False
    whole: bool = False

    def shown(self, value: float) -> float:
        return math.log10(value) if self.log else float(value)

    def value(self, shown: float) -> float:
        return float(f"{10**shown:.3g}") if self.log else round(shown) if self.whole else float(f"{shown:.6g}")


_SCALES: Mapping[str, _Scale] = {
    "lam": _Scale(words="stiffness, log10 λ", low=1, high=10, step=0.1, log=True),
    "p": _Scale(words="asymmetry, log10 p", low=-4, high=-0.5, step=0.1, log=True),
    "degree": _Scale(words="degree", low=0, high=12, step=1, whole=True),
    "half_window": _Scale(words="half window (channels)", low=1, high=400, step=1, whole=True),
}


@dataclass(frozen=True, kw_only=True)
class BaselineSettings:
    """Everything that the panel can change; a family takes those that it knows."""

    axis: str
    """Name of the coordinate along `channel` that is drawn."""
    method: str = "arpls"
    """The family."""
    lam: float = 1e5
    """Stiffness of the Whittaker families."""
    p: float = 0.01
    """Weight of what lies above, of asls."""
    degree: int = 4
    """Of the polynomial of modpoly."""
    half_window: int = 40
    """Of snip, in channels."""


class BaselinePanel(FrontPanel[BaselineSettings]):
    """A family and its settings over one spectrum; `result` is the spectrum without its baseline."""

    def __init__(self, spectrum: xr.Dataset, settings: BaselineSettings, *, name: str) -> None:
        self.spectrum = spectrum
        self.baseline: xr.DataArray | None = None
        self._x, self._y, self._u = arrays_of(spectrum, settings.axis)
        self._order = np.argsort(np.asarray(spectrum[settings.axis].values, dtype=float))
        axis = spectrum[settings.axis]
        self.plot = SpectrumView(
            x_label=str(axis.attrs.get("long_name", settings.axis)), x_units=str(axis.attrs.get("units", "1")),
            y_label="signal", y_units=str(spectrum["signal"].attrs.get("units", "1")), modes=("zoom",),
            strip_label="subtracted", described=f"{name}: spectrum with its baseline; below, what is left",
        )  # fmt: skip
        self.method = ipw.Dropdown(options=list(_FAMILIES), description="family", style=STYLE, layout=NARROW)
        self.method.observe(lambda change: self._change(method=change["new"]), names="value")
        self.sliders = {key: self._slider(key, scale, settings) for key, scale in _SCALES.items()}
        super().__init__(settings, name=name)

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            Python that needs `baseline` and the spectrum.
        """
        now = self.settings
        given = ", ".join(f"{key}={getattr(now, key)!r}" for key in _FAMILIES[now.method][1])
        return f"baseline.subtract({self.name}, baseline.{now.method}({self.name}, {given}))"

    def text(self) -> str:
        """Return what was subtracted.

        Returns
        -------
        :
            One line.
        """
        if self.baseline is None:
            return "no baseline"
        low, high = float(self.baseline.min()), float(self.baseline.max())
        units = str(self.spectrum["signal"].attrs.get("units", "1"))
        return f"{self.settings.method}: baseline from {low:.5g} to {high:.5g} {units}".removesuffix(" 1")

    def _call(self, settings: BaselineSettings) -> xr.Dataset:
        if settings.method not in _FAMILIES:
            msg = f"no baseline family {settings.method!r}; there are {list(_FAMILIES)}."
            raise MetrospecError(msg + did_you_mean(settings.method, list(_FAMILIES)))
        if settings.axis != self._first.axis:
            msg = (
                f"the panel draws the axis {self._first.axis!r}, these settings are for {settings.axis!r}; "
                f"open another panel: widgets.baseline(spectrum, axis={settings.axis!r}, settings=...)"
            )
            raise MetrospecError(msg)
        family, names = _FAMILIES[settings.method]
        drawn = family(self.spectrum, **{key: getattr(settings, key) for key in names})
        left = families.subtract(self.spectrum, drawn)
        self.baseline = drawn
        return left

    def _bar(self) -> list[ipw.Widget]:
        return [self.method]

    def _body(self) -> list[ipw.Widget]:
        return [*self.sliders.values(), self.plot]

    def _show(self) -> None:
        now = self.settings
        series = [Series(x=self._x, y=self._y, u=self._u, colour=_MEASURED)]
        if self.result is not None and self.baseline is not None:
            below, left = (np.asarray(each.values, dtype=float) for each in (self.baseline, self.result["signal"]))
            series += [
                Series(x=self._x, y=below[self._order], colour=_BELOW),
                Series(x=self._x, y=left[self._order], strip=True, colour=_MEASURED),
            ]
        self.plot.show(series)
        key = "solid: measured; dashed: baseline; below: what is left"
        self.words.value = f'<p aria-live="polite">{escape(self.text())} ({key})</p>'
        self.method.value = now.method
        for key, slider in self.sliders.items():
            slider.layout.display = "flex" if key in _FAMILIES[now.method][1] else "none"
            if not self.dragging and _SCALES[key].value(slider.value) != getattr(now, key):
                slider.value = _SCALES[key].shown(getattr(now, key))

    def _figure(self) -> Figure | None:
        if self.baseline is None:
            return None
        return figures.draw_baseline(self.spectrum, self.baseline, axis=self.settings.axis, title=self.text())

    def _slider(self, key: str, scale: _Scale, settings: BaselineSettings) -> Slider:
        slider = Slider(
            value=scale.shown(getattr(settings, key)), min=scale.low, max=scale.high, step=scale.step,
            description=scale.words, live=True,
        )  # fmt: skip
        slider.observe(lambda _: self._moved(key, slider), names=["value", "dragging"])
        return slider

    def _moved(self, key: str, slider: Slider) -> None:
        moved: dict[str, Any] = {key: _SCALES[key].value(slider.value)}
        settings = replace(self.settings, **moved)
        if not self._quiet and (settings != self.settings or self.dragging):
            self._guarded(lambda: self._step(settings, final=not slider.dragging))


def baseline(
    spectrum: xr.Dataset, *, axis: str, settings: BaselineSettings | None = None, name: str = "spectrum"
) -> BaselinePanel:
    """Draw a baseline below a spectrum by hand.

    Parameters
    ----------
    spectrum:
        Dims `(channel,)`.
    axis:
        Name of the coordinate along `channel` that is drawn.
    settings:
        Those at first, but for the axis; None begins with arpls.
    name:
        Of the variable that holds the spectrum, for `code()`.

    Returns
    -------
    :
        The panel: `result` (the spectrum without its baseline), `baseline`, `settings`, `code()`, `undo`, `redo`,
        `reset`, `save`, `load`.

    Raises
    ------
    MetrospecError
        If there is more than one spectrum, or no such axis.
    """
    spectrum = one_spectrum(spectrum, axis)
    first = BaselineSettings(axis=axis) if settings is None else replace(settings, axis=axis)
    return BaselinePanel(spectrum, first, name=name)
