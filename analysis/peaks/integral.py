"""What lines hold between two ends of the axis, as a Quantity: also of lines whose wings have no area.

Not here: areas from end to end (`analysis.peaks.measures`).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from analysis.core import ModelError, did_you_mean, history
from analysis.peaks import kernel_cache
from analysis.peaks.kinds import Shape
from analysis.peaks.language import model_from_json
from analysis.peaks.parameter_units import parameter_units
from analysis.peaks.quantity import require_converged, resolved, slopes_to_weights
from analysis.peaks.select import require_fit, select_one
from analysis.peaks.terms import shape_of
from analysis.uncertainty import Quantity

__all__ = ["integral"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
PANELS = 400
NODES, SHARES = np.polynomial.legendre.leggauss(8)


def integral(
    fit: xr.Dataset, lines: str | Sequence[str], *, low: float, high: float, at: Mapping[str, int] | None = None
) -> Quantity:
    """Integrate one line, or the sum of several, from `low` to `high`, with all its sources.

    Parameters
    ----------
    fit:
        Result of `peaks.fit`; its model holds built-in lines only.
    lines:
        Prefix of a line, or several.
    low, high:
        Ends of the window, in the units of the axis.
    at:
        Position of the spectrum in a map, one integer for each of its dims.

    Returns
    -------
    :
        In units of the signal times those of the axis. Parameters that are fixed or at a bound add nothing to u.

    Raises
    ------
    ModelError
        If this is no fit, there is no such line, or the window is empty.
    UncertaintyError
        If the fit failed, or nothing that the lines depend on is free.
    """
    require_fit(fit)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        msg = f"the window must have low < high, both finite; got {low} to {high}. Swap or widen it"
        raise ModelError(msg)
    asked = [lines] if isinstance(lines, str) else list(lines)
    one = select_one(fit, at)
    model = model_from_json(str(fit.attrs["model"]))
    names = [str(each) for each in fit["parameter"].values]
    require_converged(one, f"the integral of {asked}")
    total, weights = 0.0, np.zeros(len(names))
    label = " + ".join(prefix.rstrip("_") for prefix in asked) + " in the window"
    for prefix in asked:
        shape = _shape(model, prefix)
        places = [names.index(prefix + root) for root in shape.names]
        value, slopes = _integrate(shape, one["value"].values[places], low, high)
        total += value
        weights += slopes_to_weights(one, places, slopes, label)
    units = parameter_units(
        lmfit.models.GaussianModel(), ("amplitude",), axis=str(fit.attrs["axis_units"]),
        signal=str(fit.attrs["signal_units"]),
    )[0]  # fmt: skip
    settings = {"lines": asked, "low": low, "high": high, "at": None if at is None else dict(at)}
    said = history.extend("peaks.integral", settings=settings, inputs={"fit": fit})
    return resolved(fit, Quantity(value=total, u=0.0, units=units, label=label, history=said), weights, at=at)


def _shape(model: lmfit.Model, prefix: str) -> Shape:
    found = {part.prefix: shape for part in model.components if (shape := shape_of(part)) is not None and shape.peak}
    if prefix not in found:
        msg = f"no line has the prefix {prefix!r}; this fit has {list(found)}.{did_you_mean(prefix, found)}"
        raise ModelError(msg)
    return found[prefix]


def _integrate(shape: Shape, values: Floats, low: float, high: float) -> tuple[float, Floats]:
    """Return the integral and its derivatives, by Gauss-Legendre panels."""
    edges = np.linspace(low, high, PANELS + 1)
    half = 0.5 * np.diff(edges)[:, None]
    x = (edges[:-1, None] + half * (1.0 + NODES)).ravel()
    curve, slopes = kernel_cache.load("batched").component(shape.code, np.array(values, dtype=float), x)
    shares = (half * SHARES).ravel()
    return float(curve @ shares), slopes @ shares
