"""Parameters of the fits of this room as quantities with units.

Not here: the fits (`analysis.quantum.odmr`, `analysis.quantum.oscillation`).
"""

from collections.abc import Mapping

import xarray as xr

from analysis import peaks
from analysis.core import ModelError, did_you_mean, history
from analysis.core.units import multiply
from analysis.uncertainty import Quantity

__all__ = ["quantity"]

_OWN = {
    "lower_center": (0, 1), "upper_center": (0, 1), "hyperfine": (0, 1), "lower_sigma": (0, 1), "upper_sigma": (0, 1),
    "lower_amplitude": (1, 1), "upper_amplitude": (1, 1), "frequency": (0, -1), "detuning": (0, -1),
    "splitting": (0, -1), "decay": (0, 1), "amplitude": (1, 0), "offset": (1, 0), "bright_c": (1, 0),
}  # fmt: skip
"""Powers of the units of signal and axis."""


def quantity(fit: xr.Dataset, name: str, *, at: Mapping[str, int] | None = None) -> Quantity:
    """Return a parameter of a fit of this room with its units and sources.

    Parameters
    ----------
    fit:
        From `fit_odmr`, `fit_rabi` or `fit_ramsey`.
    name:
        One of its parameters.
    at:
        Position in a map, one integer for each dim.

    Returns
    -------
    :
        As `peaks.quantity`.

    Raises
    ------
    ModelError
        If these fits have no such parameter.
    """
    if name not in _OWN:
        msg = f"no parameter {name!r} in the fits of this room.{did_you_mean(name, _OWN)} See peaks.quantity"
        raise ModelError(msg)
    found = peaks.quantity(fit, name, at=at)
    signal, axis = (str(fit.attrs[key]) or "1" for key in ("signal_units", "axis_units"))
    powers = _OWN[name]
    units = multiply(signal if powers[0] else "1", axis, power=powers[1]) if powers[1] else signal
    settings = {"name": name, "at": None if at is None else dict(at)}
    made = history.extend("quantum.quantity", settings=settings, inputs={"fit": fit})
    return Quantity.from_components(found.value, found.components or {}, units=units, label=found.label, history=made)
