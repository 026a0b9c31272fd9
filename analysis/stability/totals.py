"""Modified total deviation and Theo1: the most certain estimates at long averaging times.

Not here: how they are computed (`analysis.stability.theo`), the other deviations (`analysis.stability.deviations`).

References: NIST SP 1065 (Riley 2008), clauses 5.2.12 and 5.2.15.
"""

import xarray as xr

from analysis.stability import estimate as made
from analysis.stability.series import Data, Taus


def mtotdev(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return the modified total deviation, whose runs are reflected at their ends.

    More certain than `mdev` at long times, and slow: work grows as samples times averaging time. The value is not
    corrected for bias (SP 1065 prints it corrected, a factor 1/sqrt(0.73) under white frequency noise). The intervals
    allow for it, computed for the averaging time and the record instead of taken from a table, and for every noise
    that the data leave possible.

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled; no gaps.
    rate:
        Samples per second.
    taus:
        `"octave"`, `"decade"`, `"all"`, or averaging times in s, whole multiples of 1/rate.
    kind:
        `"phase"` or `"frequency"`.
    level:
        Coverage of `low` and `high`.
    noise:
        Exponent alpha of the noise; None identifies it at each averaging time (`identify`).

    Returns
    -------
    :
        Over `tau`: `value`, its standard uncertainties `u_low` and `u_high` (distances down and up), the limits `low`
        and `high`, `n` terms, `dof`, `noise` and `noise_name`; `advice` where something is to be known.

    Raises
    ------
    SpectrumError
        If the data, rate, averaging times or settings cannot be used.
    """
    return made.estimate(made.MTOTDEV, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)


def theo1(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return Theo1, which reaches averaging times of three quarters of the record.

    Averaging times are 0.75 of an even stride of 10 samples or more. The value is not corrected for bias; the
    intervals are those of the Allan deviation: they allow for the bias, under every noise that the data leave possible.

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled; no gaps.
    rate:
        Samples per second.
    taus:
        `"octave"`, `"decade"`, `"all"`, or averaging times in s, multiples of 1.5/rate from 7.5/rate on.
    kind:
        `"phase"` or `"frequency"`.
    level:
        Coverage of `low` and `high`.
    noise:
        Exponent alpha of the noise; None identifies it at each averaging time (`identify`).

    Returns
    -------
    :
        Over `tau`: `value`, its standard uncertainties `u_low` and `u_high` (distances down and up), the limits `low`
        and `high`, `n` terms, `dof`, `noise` and `noise_name`; `advice` where something is to be known.

    Raises
    ------
    SpectrumError
        If the data, rate, averaging times or settings cannot be used.
    """
    return made.estimate(made.THEO1, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)
