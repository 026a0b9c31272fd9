"""Three clocks compared in pairs: the deviation of each (three-cornered hat).

Not here: the deviation of one series (`analysis.stability.deviations`).
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from analysis.core import SpectrumError, history
from analysis.stability.deviations import oadev
from analysis.stability.series import Data, Taus

_CLOCKS = 3


def three_cornered_hat(
    pairs: Mapping[tuple[str, str], Data], *, rate: float, taus: Taus = "octave", kind: str = "phase"
) -> xr.Dataset:
    """Separate the overlapping Allan deviations of three independent clocks that were compared in pairs.

    The variance of a pair is the sum of those of its clocks. Pairs share a clock, which is accounted for in the
    uncertainty, to first order and for Gaussian noise. Where the difference of variances is not above 0 the value is
    NaN: the clock is too good for this comparison, or the clocks are correlated.

    Parameters
    ----------
    pairs:
        The names of two clocks to their difference, three pairs measured at the same times, as in `oadev`.
    rate:
        Samples per second.
    taus:
        As in `oadev`.
    kind:
        `"phase"` or `"frequency"`.

    Returns
    -------
    :
        Over `clock` and `tau`: `value`, `u_low` and `u_high` (both the standard uncertainty) and `variance`, which may
        be negative; over `tau`: `noise` and `n`.

    Raises
    ------
    SpectrumError
        If these are not the three pairs of three clocks, or a series cannot be used.

    References
    ----------
    Riley, "Application of the 3-cornered hat method to the analysis of frequency stability" (variances only).
    """
    clocks = sorted({str(clock) for pair in pairs for clock in pair})
    wanted = [frozenset((clocks[i], clocks[j])) for i, j in ((0, 1), (0, 2), (1, 2))] if len(clocks) == _CLOCKS else []
    given = {frozenset(map(str, pair)): data for pair, data in pairs.items()}
    if len(pairs) != _CLOCKS or set(given) != set(wanted):
        msg = (
            f"wanted the three pairs of three clocks, such as ('a', 'b'), ('b', 'c'), ('a', 'c'); got {list(pairs)}. "
            "Name each pair once"
        )
        raise SpectrumError(msg)
    found = [oadev(given[pair], rate=rate, taus=taus, kind=kind) for pair in wanted]
    if len({(each["value"].attrs["units"], tuple(each["n"].values)) for each in found}) != 1:
        msg = "the three series must have the same units, length and gaps; cut them to the times that all have"
        raise SpectrumError(msg)
    total = np.array([each["value"].values ** 2 for each in found])
    signs = np.array([[1.0, 1.0, -1.0], [1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])
    variance = signs @ total / 2
    dof = np.min([each["dof"].values for each in found], axis=0)
    common = np.array([[0, 0, 1], [0, 0, 2], [1, 2, 0]])  # the clock that two pairs share
    spread = np.clip(variance, 0.0, None)[common] ** 2
    spread[np.arange(3), np.arange(3)] = total**2
    u = np.sqrt(np.einsum("ci,ijt,cj->ct", signs, spread, signs) / (2 * dof))
    value = np.sqrt(np.where(variance > 0, variance, np.nan))
    about = dict(found[0]["value"].attrs)
    unit = {"units": about["units"], "long_name": "standard uncertainty"}
    dims = ("clock", "tau")
    result = xr.Dataset(
        {
            "value": (dims, value, about),
            "u_low": (dims, u / (2 * value), unit),
            "u_high": (dims, u / (2 * value), unit),
            "variance": (dims, variance, {"long_name": "variance, negative where the method fails"}),
            "n": found[0]["n"],
            "noise": (
                "tau",
                np.min([each["noise"].values for each in found], axis=0),
                found[0]["noise"].attrs,
            ),
        },
        coords={"clock": clocks, "tau": found[0]["tau"]},
    )
    settings = {"rate": float(rate), "kind": kind, "pairs": [sorted(pair) for pair in wanted]}
    inputs = {"-".join(sorted(pair)): each for pair, each in zip(wanted, found, strict=True)}
    return history.record(result, "stability.three_cornered_hat", settings=settings, inputs=inputs)
