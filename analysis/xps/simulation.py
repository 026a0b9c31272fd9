"""Simulated photoelectron spectra: counts of a model whose truth stands beside them.

Not here: models (`analysis.peaks`), instruments that answer (the package `instruments`).
"""

from collections.abc import Mapping
from typing import Any

import lmfit
import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import ModelError, history

__all__ = ["simulate"]


def simulate(
    model: lmfit.Model,
    truth: Mapping[str, float],
    *,
    energy: npt.ArrayLike,
    seed: int,
    offset: float = 0.0,
    gain: float = 0.0,
) -> xr.Dataset:
    """Count electrons of a model.

    Parameters
    ----------
    model:
        Expected counts, for example `peaks.models.scattered(lines, background) + ConstantModel()`.
    truth:
        Its parameters; derived ones may be left out.
    energy:
        True binding energies of the channels, eV, dims `(channel,)`.
    seed:
        Of the Poisson noise.
    offset, gain:
        What the scale of the instrument shows too much: offset in eV, plus gain times the energy.

    Returns
    -------
    :
        `signal` (counts) along `channel`, the axis `binding_energy` as shown, and the true counts
        `true_signal`; seed and truth are attributes.

    Raises
    ------
    ModelError
        If the truth lacks a parameter, or expected counts are negative.
    """
    x = np.asarray(energy, dtype=float)
    params = model.make_params(**dict(truth))
    expected = np.asarray(model.eval(params, x=x), dtype=float)
    if not np.isfinite(expected).all() or (expected < 0.0).any():
        msg = f"expected counts must be >= 0, got a least one of {np.nanmin(expected):g}. Give every parameter in truth"
        raise ModelError(msg)
    counts = np.random.default_rng(seed).poisson(expected).astype(float)
    shown = x * (1.0 + gain) + offset
    attrs: dict[str, Any] = {"technique": "XPS", "simulated": "true", "seed": seed, "true_offset_eV": offset}
    attrs |= {"true_gain": gain} | {f"true_{name}": float(value) for name, value in truth.items()}
    made = xr.Dataset(
        {
            "signal": ("channel", counts, {"units": "counts", "long_name": "electrons"}),
            "true_signal": ("channel", expected, {"units": "counts", "long_name": "expected electrons"}),
        },
        {"binding_energy": ("channel", shown, {"units": "eV", "long_name": "binding energy"})},
        attrs,
    )
    settings = {"truth": dict(truth), "seed": seed, "offset": offset, "gain": gain}
    return history.record(made, "xps.simulate", settings=settings, inputs={})
