"""The panel to load a file: drop it, choose it or type its path; see what was recognised.

Its one call is `io.read`. Not here: the readers (`analysis.io`), the place to drop on (`analysis.widgets.drop_zone`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis import figures, io
from analysis.core import FormatError, history
from analysis.widgets.drop_zone import FOLDER, DropZone, keep
from analysis.widgets.front_panel import STYLE, WRAP, FrontPanel
from analysis.widgets.panel import Figure, ipw
from analysis.widgets.spectrum_view import Series, SpectrumView

__all__ = ["LoadPanel", "LoadSettings", "load"]

_BY_CONTENT = "by content"
_ALL = "all"
_MOST_CURVES = 6
_LONGEST = 200
_HIDDEN = ("header", "history", "source_file")
_LASER = ("laser_wavelength", "laser_wavelength_nm")


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """Which file, read how."""

    path: str | None = None
    """The file; None before there is one."""
    format: str | None = None
    """A format of `io.read`; None looks at the content."""
    item: str | None = None
    """Which spectrum of a collection; None for all."""


class LoadPanel(FrontPanel[LoadSettings]):
    """A file, and what was recognised in it."""

    def __init__(self, settings: LoadSettings, *, name: str) -> None:
        self.zone = DropZone(
            lambda name, content: self._guarded(lambda: self.drop(name, content)),
            lambda error: self._guarded(lambda: _raise(error)),
        )
        self.path = ipw.Text(
            description="or its path", continuous_update=False, style=STYLE, layout=ipw.Layout(width="34em")
        )
        self.path.observe(lambda change: self._change(path=change["new"].strip() or None, item=None), names="value")
        self.format = ipw.Dropdown(
            options=[_BY_CONTENT, *io.formats()], description="read", style=STYLE, layout=ipw.Layout(width="auto")
        )
        self.format.observe(
            lambda change: self._change(format=None if change["new"] == _BY_CONTENT else change["new"]), names="value"
        )
        self.item = ipw.Dropdown(
            options=[_ALL], description="spectrum", style=STYLE, layout=ipw.Layout(width="auto", display="none")
        )
        self.item.observe(
            lambda change: self._change(item=None if change["new"] == _ALL else change["new"]), names="value"
        )
        self._names: tuple[str, ...] = ()
        self.plot: SpectrumView | None = None
        self._place, self._drawn = ipw.VBox([]), None
        super().__init__(settings, name=name)

    def drop(self, name: str, content: bytes) -> None:
        """Keep a file in the folder `uploads` and read it, as dropping it on the panel does.

        Parameters
        ----------
        name:
            Of the file.
        content:
            Its bytes.
        """
        self.set(LoadSettings(path=keep(name, content).as_posix()))

    def code(self) -> str:
        """Return the call that reads the file.

        Returns
        -------
        :
            Python that needs `io`.
        """
        if self.settings.path is None:
            return "None  # no file yet"
        form = "" if self.settings.format is None else f", format={self.settings.format!r}"
        item = "" if self.settings.item is None else f", item={self.settings.item!r}"
        return f"io.read({self.settings.path!r}{form}{item})"

    def text(self) -> str:
        """Return what was recognised.

        Returns
        -------
        :
            One line for each fact.
        """
        if self.result is None:
            return "no file yet"
        return "\n".join(f"{what}: {said}" for what, said in recognised(self.result).items())

    def _call(self, settings: LoadSettings) -> xr.Dataset | io.Collection | None:
        if settings.path is None:
            self._names = ()
            return None
        found = io.read(settings.path, format=settings.format)
        self._names = tuple(found) if isinstance(found, io.Collection) else ()
        if settings.item is None:
            return found
        return io.read(settings.path, format=settings.format, item=settings.item)

    def _body(self) -> list[ipw.Widget]:
        return [self.zone, ipw.Box([self.path, self.format, self.item], layout=WRAP), self._place]

    def _show(self) -> None:
        self.path.value, self.format.value = self.settings.path or "", self.settings.format or _BY_CONTENT
        self.item.options = [_ALL, *self._names]
        self.item.value = self.settings.item or _ALL
        self.item.layout.display = None if self._names else "none"
        if self.result is None:
            self.words.value = f"<p>What is dropped is kept in the folder <code>{FOLDER}</code>.</p>"
            self._place.children, self._drawn = (), None
            return
        self.words.value = _table(recognised(self.result)) + _next(self.result)
        if self.result is not self._drawn:
            self._place.children, self._drawn = (self._plot(self.result),), self.result

    def _plot(self, spectrum: xr.Dataset | io.Collection) -> SpectrumView | ipw.HTML:
        if isinstance(spectrum, io.Collection):
            return ipw.HTML("<p>These spectra share no axis: choose one above to draw it.</p>")
        axis = axes_of(spectrum)
        if not axis or "signal" not in spectrum:
            return ipw.HTML("<p>Nothing to draw: no <code>signal</code> with an axis along <code>channel</code>.</p>")
        x, units = spectrum[axis[0]], str(spectrum["signal"].attrs.get("units", "1"))
        self.plot = SpectrumView(
            x_label=str(x.attrs.get("long_name", axis[0])), x_units=str(x.attrs.get("units", "1")),
            y_label="signal", y_units=units, described=f"{self.settings.path}: what was read", modes=("zoom",),
        )  # fmt: skip
        self.plot.show(_curves(spectrum, axis[0]))
        return self.plot

    def _figure(self) -> Figure | None:
        if not isinstance(self.result, xr.Dataset):
            return None
        axis = axes_of(self.result)
        if not axis or "signal" not in self.result:
            return None
        one = self.result.isel({dim: 0 for dim in self.result["signal"].dims if dim != "channel"})
        return figures.draw_spectrum(one, axis=axis[0])


def load(path: str | Path | None = None, *, format: str | None = None, name: str = "load") -> LoadPanel:  # noqa: A002
    """Load a file: drop it on the panel, choose it, or type its path.

    What is dropped is kept in the folder `uploads` beside the notebook and never overwrites another file.

    Parameters
    ----------
    path:
        Read at first; None waits for a file.
    format:
        As in `io.read`; None looks at the content.
    name:
        Of the panel, and of its settings file.

    Returns
    -------
    :
        The panel: `result` is the Dataset, `code()` the call of `io.read`; also `drop(name, content)`, `settings`,
        `undo`, `redo`, `reset`, `save`, `load`. A file that cannot be read is refused in place.
    """
    return LoadPanel(LoadSettings(path=None if path is None else str(path), format=format), name=name)


def axes_of(spectrum: xr.Dataset) -> list[str]:
    """Return the coordinates along `channel` that can be drawn: those with units first."""
    found = [
        str(name) for name, held in spectrum.coords.items() if held.dims == ("channel",) and held.dtype.kind in "fiu"
    ]
    return sorted(found, key=lambda name: (name == "pixel", "units" not in spectrum[name].attrs))


def recognised(spectrum: xr.Dataset | io.Collection) -> dict[str, str]:
    """Say what a file turned out to hold.

    Parameters
    ----------
    spectrum:
        As `io.read` returns it.

    Returns
    -------
    :
        Facts by name, in words.
    """
    if isinstance(spectrum, io.Collection):
        return {"spectra": f"{len(spectrum)} with axes of their own"} | {
            name: f"{each.sizes['channel']} points" for name, each in spectrum.items()
        }
    kept = history.of(spectrum)
    axes = axes_of(spectrum)
    steps = history.parse(kept)["steps"].values() if kept else ()
    read: dict[str, Any] = next((step["settings"] for step in steps if step["function"] == "io.read"), {})
    facts = {"file": str(read.get("path", "")), "format": str(read.get("format", "netcdf"))}
    if "signal" in spectrum:
        signal = spectrum["signal"]
        batch = {str(dim): size for dim, size in signal.sizes.items() if dim != "channel"}
        count = int(np.prod(list(batch.values()))) if batch else 1
        facts["spectra"] = f"{count} of {signal.sizes.get('channel', 0)} points" + (f", {batch}" if batch else "")
        facts["signal"] = f"in {signal.attrs.get('units', '1')}; " + (
            "u is in the file" if "u_signal" in spectrum else "the file gives no uncertainty"
        )
    else:
        facts["holds"] = ", ".join(map(str, spectrum.data_vars))
    for name in axes:
        held = spectrum[name]
        ends = held.values[[0, -1]]
        medium = f", in {held.attrs['medium']}" if "medium" in held.attrs else ""
        units = str(held.attrs.get("units", "1")).removeprefix("1")
        facts[f"axis {name}"] = f"{ends[0]:.6g} to {ends[1]:.6g} {units}".rstrip() + medium
    lasers = {key: spectrum[name].attrs[key] for name in axes for key in _LASER if key in spectrum[name].attrs}
    facts |= {
        str(key): str(value)[:_LONGEST]
        for key, value in sorted({**lasers, **spectrum.attrs}.items())
        if key not in _HIDDEN and not str(key).startswith("true_")
    }
    return facts | {"SHA-256": str(read["sha256"])} if "sha256" in read else facts


def _curves(spectrum: xr.Dataset, axis: str) -> list[Series]:
    """Return some of the spectra, evenly apart, their axis rising."""
    signal = spectrum["signal"]
    batch = [dim for dim in signal.dims if dim != "channel"]
    flat = signal.stack(_all=batch) if batch else signal.expand_dims("_all", axis=-1)
    chosen = np.unique(np.linspace(0, flat.sizes["_all"] - 1, _MOST_CURVES).astype(int))
    x = np.asarray(spectrum[axis].values, dtype=float)
    order = np.argsort(x)
    rows = flat.isel(_all=chosen).transpose("_all", "channel").values.astype(float)
    return [Series(x=x[order], y=row[order], colour=k) for k, row in enumerate(rows)]


def _next(spectrum: xr.Dataset | io.Collection) -> str:
    if isinstance(spectrum, io.Collection):
        return ""
    axes = axes_of(spectrum)
    if not axes or "signal" not in spectrum or spectrum["signal"].ndim != 1:
        return ""
    return f"<p>Next: <code>widgets.explore(panel.result, axis={escape(repr(axes[0]))})</code></p>"


def _table(facts: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left">{escape(what)}</th>'
        f'<td style="text-align: left">{escape(said)}</td></tr>'
        for what, said in facts.items()
    )
    return f'<div aria-live="polite"><table class="jp-RenderedHTMLCommon"><tbody>{rows}</tbody></table></div>'


def _raise(error: Exception) -> None:
    raise error if isinstance(error, FormatError) else FormatError(str(error))
