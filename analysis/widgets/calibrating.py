"""The panel to calibrate an axis: lines matched on the measured spectrum, pairs left out, degree, residuals, validity.

Its settings are one frozen dataclass, and what it does is three calls of the calibration room, which `code()` writes
down as one expression.
Not here: matching and fitting (`analysis.calibration`), the tables in words (`analysis.widgets.calibrating_words`).
"""

from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import xarray as xr

from analysis import calibration, figures
from analysis.calibration import AxisCalibration, PeakFate
from analysis.calibration.locate import coordinate
from analysis.core import CHANNEL, MetrospecError
from analysis.widgets.calibrating_words import CalibrateSettings, code_of, line_said, pairs_table, said_of, short_name
from analysis.widgets.front_panel import WRAP, FrontPanel
from analysis.widgets.panel import Figure, ipw
from analysis.widgets.spectrum_view import Event, Handle, Series, SpectrumView

__all__ = ["CalibratePanel", "calibrate"]

_DEGREES = (1, 2, 3, 4, 5, 6)
_WIDE = {"description_width": "initial"}
_FIELDS = {
    "min_snr": ("least signal/noise", "13em"),
    "max_shift": ("largest shift", "10.5em"),
    "valid_days": ("valid (days)", "10.5em"),
}
_MEASURED, _OUT, _USED = 0, 1, 2  # colours
_FAR = 3.0  # times the largest residual of a used line: farther than this a line is said, not drawn


class CalibratePanel(FrontPanel[CalibrateSettings]):
    """Which pairs are used, and the polynomial through them, over one calibration spectrum."""

    def __init__(
        self, spectrum: xr.Dataset, lines: xr.Dataset, settings: CalibrateSettings, *, names: tuple[str, str]
    ) -> None:
        self.spectrum, self.lines, self._names = spectrum, lines, names
        self.found: xr.Dataset = xr.Dataset()
        self.residuals: xr.Dataset = xr.Dataset()
        self._matched: tuple[object, xr.Dataset] | None = None
        self._selected = 0
        self._build(settings)
        super().__init__(settings, name=f"calibration of {settings.axis}")

    def _build(self, settings: CalibrateSettings) -> None:
        self.plot = SpectrumView(
            x_label=settings.of or "pixel", x_units="1", y_label="signal",
            y_units=str(self.spectrum["signal"].attrs.get("units", "1")), modes=("zoom",),
            strip_label=f"residual ({self.lines['value'].attrs.get('units', '1')})",
            described="Calibration spectrum with its matched lines; residuals below. Keys: N and P choose a line, X "
            "leaves it out or takes it back, arrows move the cursor, plus and minus zoom. The table has the same",
        )  # fmt: skip
        self.plot.on_event(lambda event: self._guarded(lambda: self._heard(event)))
        self.controls = {
            "degree": ipw.Dropdown(options=_DEGREES, description="degree", layout=ipw.Layout(width="8em"), style=_WIDE)
        }
        for name, (words, width) in _FIELDS.items():
            self.controls[name] = ipw.FloatText(description=words, layout=ipw.Layout(width=width), style=_WIDE)
        for name, control in self.controls.items():
            control.value = getattr(settings, name)
            control.observe(lambda change, name=name: self._change(**{name: change["new"]}), names="value")
        self.line = ipw.Dropdown(options=[], description="line", layout=ipw.Layout(width="23em"), style=_WIDE)
        self.line.observe(lambda change: self._chosen(change["new"]), names="value")
        self.toggle = self._button("Leave out", lambda: self.pick(self._selected))
        self._line_said = ipw.HTML()

    def _bar(self) -> list[ipw.Widget]:
        return list(self.controls.values())

    def _body(self) -> list[ipw.Widget]:
        return [self.plot, ipw.Box([self.line, self.toggle, self._line_said], layout=WRAP)]

    @property
    def pairs(self) -> tuple[str, ...]:
        """Names of the lines that are paired, used or left out, in the order of the plot."""
        return tuple(str(self.found["line"].values[int(self.found["line_index"][k])]) for k in self._peaks())

    def pick(self, index: int) -> None:
        """Leave a pair out, or take it back.

        Parameters
        ----------
        index:
            Number of the pair in `pairs`.
        """
        name = self.pairs[index]
        out = self.settings.left_out
        self._selected = index
        self.set(
            replace(
                self.settings, left_out=tuple(each for each in out if each != name) if name in out else (*out, name)
            )
        )

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            Python that needs `calibration`, the spectrum and the lines.
        """
        return code_of(self.settings, *self._names)

    def text(self) -> str:
        """Return the results in words.

        Returns
        -------
        :
            What the axis is, its misfit and validity, and one line for each pair.
        """
        if self.result is None:
            return "no axis: the lines are not matched"
        return said_of(self.result, self.found, self.residuals)

    # -- the call
    def _call(self, settings: CalibrateSettings) -> AxisCalibration:
        how = (settings.of, settings.min_snr, settings.max_shift)
        if self._matched is None or self._matched[0] != how:
            found = calibration.match(
                self.spectrum, self.lines, axis=settings.of, min_snr=settings.min_snr, max_shift=settings.max_shift
            )
            self._matched = (how, found)
        found = self._matched[1]
        if settings.left_out:
            found = calibration.leave_out(found, settings.left_out)
        axis = calibration.fit_axis(found, axis=settings.axis, degree=settings.degree, valid_days=settings.valid_days)
        self.residuals = calibration.residuals(axis, found)
        self.found = found
        return axis

    # -- events
    def _heard(self, event: Event) -> None:
        if event["type"] == "select":
            self._select(int(event["index"]))
        elif event["type"] in ("pick", "remove"):
            self.pick(int(event["index"]))

    def _select(self, index: int) -> None:
        self._selected = min(max(index, 0), len(self.pairs) - 1)
        self._redraw()

    def _chosen(self, index: int | None) -> None:
        if not self._quiet and index is not None:
            self._guarded(lambda: self._select(index))

    # -- the picture
    def _peaks(self) -> np.ndarray[Any, np.dtype[np.intp]]:
        fate = self.found["fate"].values if "fate" in self.found else np.zeros(0) - 1
        return np.flatnonzero((fate == PeakFate.MATCHED) | (fate == PeakFate.LEFT_OUT))

    def _show(self) -> None:
        for name, control in self.controls.items():
            control.value = getattr(self.settings, name)
        self._draw()
        self.toggle.disabled = self.line.disabled = self.result is None
        if self.result is None:
            self.words.value = "<p>No axis: the lines are not matched yet.</p>"
            return
        names = self.pairs
        out = set(self.settings.left_out)
        self.line.options = [(f"{name}{', left out' if name in out else ''}", k) for k, name in enumerate(names)]
        self.line.value = self._selected
        chosen = names[self._selected]
        self._line_said.value = f"<p>{escape(line_said(self.found, self.residuals, chosen))}</p>"
        self.toggle.description = "Take back" if chosen in out else "Leave out"
        self.words.value = pairs_table(self.result, self.found, self.residuals, chosen)

    def _draw(self) -> None:
        self._selected = min(self._selected, max(len(self.pairs) - 1, 0))
        along = coordinate(self.spectrum, self.settings.of)
        order = np.argsort(along.values)
        x = np.asarray(along.values, dtype=float)[order]
        y = np.asarray(self.spectrum["signal"].values, dtype=float)[order]
        u = np.asarray(self.spectrum["u_signal"].values, dtype=float)[order] if "u_signal" in self.spectrum else None
        series = [Series(x=x, y=y, u=u, colour=_MEASURED), *self._strip()]
        self.plot.show(series, handles=self._marks(x, y), selected=self._selected)

    def _marks(self, x: Any, y: Any) -> list[Handle]:  # noqa: ANN401 - arrays
        if self.result is None:
            return []
        fate = self.found["fate"].values
        position, fwhm = self.found["position"].values, self.found["fwhm"].values
        return [
            Handle(
                name=short_name(name), x=float(position[k]), top=float(np.interp(position[k], x, y)), base=0.0,
                width=float(fwhm[k]), mark="used" if fate[k] == PeakFate.MATCHED else "out",
            )
            for k, name in zip(self._peaks(), self.pairs, strict=True)
        ]  # fmt: skip

    def _strip(self) -> list[Series]:
        """Residuals with the bars of their standard uncertainty, of used lines and of those left out."""
        if self.result is None:
            return []
        position, used = self.found["position"].values, self.residuals["used"].values
        distance, u = self.residuals["residual"].values, self.residuals["u_residual"].values
        far = _FAR * np.nanmax(np.abs(distance[used]) + u[used])
        drawn = []
        for chosen, colour in ((used, _USED), (self.found["fate"].values == PeakFate.LEFT_OUT, _OUT)):
            near = np.flatnonzero(chosen & (np.abs(distance) <= far))
            near = near[np.argsort(position[near])]
            if near.size:
                low, high = distance[near] - u[near], distance[near] + u[near]
                drawn.append(Series(x=position[near], y=low, upper=high, kind="bars", strip=True, colour=colour))
        return drawn

    def _figure(self) -> Figure:
        if self.result is None:
            return figures.draw_spectrum(self.spectrum, axis=str(coordinate(self.spectrum, self.settings.of).name))
        return figures.draw_pairs(self.spectrum, self.found, self.residuals)


def calibrate(
    spectrum: xr.Dataset,
    lines: xr.Dataset,
    *,
    axis: str = "wavelength",
    degree: int = 3,
    left_out: tuple[str, ...] = (),
    of: str | None = None,
    min_snr: float = 8.0,
    max_shift: float = 0.04,
    valid_days: float = 180.0,
    names: tuple[str, str] = ("spectrum", "lines"),
) -> CalibratePanel:
    """Calibrate an axis on a lamp or a Raman standard, and choose which lines it rests on.

    Parameters
    ----------
    spectrum:
        One calibration spectrum, dims `(channel,)`.
    lines:
        Reference lines, as `calibration.lines` returns.
    axis:
        What they are: `wavelength` for lamp lines, `raman_shift` for Raman standards.
    degree:
        Degree of the polynomial at first.
    left_out:
        Names of the lines whose pairs are not used at first.
    of:
        Coordinate that the axis is a function of; None takes `pixel`, or the channel number.
    min_snr:
        Lowest height of a peak over the noise.
    max_shift:
        How far the nominal axis may be off at its ends, as a fraction of its range.
    valid_days:
        Validity on either side of the date of the spectrum, in days.
    names:
        Of the variables that hold spectrum and lines, for `code()`.

    Returns
    -------
    :
        The panel: `settings`, `result` (an `AxisCalibration`), `found`, `residuals`, `code()`, `undo`, `redo`, `reset`,
        `save`, `load`.

    Raises
    ------
    MetrospecError
        If there is more than one spectrum. What the matching or the fit refuses is said in the panel.
    """
    if spectrum["signal"].dims != (CHANNEL,):
        msg = f"the panel calibrates with one spectrum, got dims {spectrum['signal'].dims}; choose one: .isel(row=0)"
        raise MetrospecError(msg)
    settings = CalibrateSettings(
        axis=axis, degree=degree, left_out=tuple(left_out), of=of, min_snr=min_snr, max_shift=max_shift,
        valid_days=valid_days,
    )  # fmt: skip
    return CalibratePanel(spectrum, lines, settings, names=names)
