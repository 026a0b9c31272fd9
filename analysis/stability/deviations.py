"""Allan, Hadamard, modified, time and total deviations and MTIE, each with identified noise and its interval.

Not here: how they are computed (`analysis.stability.estimate`).

References: NIST SP 1065 (Riley 2008), clause 5; IEEE Std 1139.
"""

import numpy as np
import xarray as xr
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from analysis.core import SpectrumError
from analysis.stability import estimate as made
from analysis.stability.series import Data, Taus, averaging_factors, read_series


def adev(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return the Allan deviation of adjacent averages.

    Simple and least certain; `oadev` uses the same data better.

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled; NaN where a sample is missing.
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
    return made.estimate(made.ADEV, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)


def oadev(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return the Allan deviation of all overlapping averages.

    The usual choice; it does not tell white from flicker phase noise (`mdev` does).

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled; NaN where a sample is missing.
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
    return made.estimate(made.OADEV, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)


def mdev(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return the modified Allan deviation, whose phase is averaged first.

    Its slope differs for white (-3/2) and flicker (-1) phase noise.

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled; NaN where a sample is missing.
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
    return made.estimate(made.MDEV, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)


def hdev(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return the Hadamard deviation of adjacent averages.

    Third differences: blind to a linear frequency drift, and it converges down to alpha = -4.

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled; NaN where a sample is missing.
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
    return made.estimate(made.HDEV, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)


def ohdev(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return the Hadamard deviation of all overlapping averages.

    As `hdev`, with more terms of the same data.

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled; NaN where a sample is missing.
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
    return made.estimate(made.OHDEV, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)


def tdev(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return the time deviation, tau/sqrt(3) times the modified Allan deviation.

    What a time transfer adds after averaging over tau.

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled; NaN where a sample is missing.
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
    return made.estimate(made.TDEV, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)


def totdev(
    data: Data,
    *,
    rate: float,
    taus: Taus = "octave",
    kind: str = "phase",
    level: float = 0.95,
    noise: int | None = None,
) -> xr.Dataset:
    """Return the total deviation, whose series is reflected at its ends.

    More certain than `oadev` at long times. The value is as SP 1065 prints it; the intervals allow for its bias under
    flicker and random walk frequency noise, and are missing under phase noise.

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
    return made.estimate(made.TOTDEV, data, rate=rate, taus=taus, kind=kind, level=level, noise=noise)


def mtie(data: Data, *, rate: float, taus: Taus = "octave", kind: str = "phase") -> xr.Dataset:
    """Return the maximum time interval error: the largest peak-to-peak phase in any window of length tau.

    An extreme of one record, with no chi-square law: `u_low` and `u_high` are NaN.

    Parameters
    ----------
    data:
        Phase (time error in s) or frequency, evenly sampled, no gaps.
    rate:
        Samples per second.
    taus:
        As in `adev`.
    kind:
        `"phase"` or `"frequency"`, whose mean is kept.

    Returns
    -------
    :
        Over `tau`: `value`, `u_low`, `u_high`, `n` windows and `noise` (not identified).

    Raises
    ------
    SpectrumError
        If the data, rate or averaging times cannot be used, or there are gaps.

    References
    ----------
    ITU-T G.810 (1996), 4.5.13 and II.5.
    """
    series = read_series(data, rate=rate, kind=kind, level=False)
    if series.gaps:
        msg = "mtie needs every sample, since any may hold the extreme; got NaN. Cut the series at the gap"
        raise SpectrumError(msg)
    phase = series.phase
    factors = averaging_factors(taus, rate=series.rate, largest=phase.size - 1)
    values, counts = np.empty(factors.size), phase.size - factors
    for k, m in enumerate(factors):
        inside = slice((m + 1) // 2, (m + 1) // 2 + phase.size - m)
        values[k] = np.max(maximum_filter1d(phase, m + 1)[inside] - minimum_filter1d(phase, m + 1)[inside])
    none = np.full(factors.size, np.nan)
    result = made.bare(series, factors, values, counts, title="maximum time interval error", time=True).assign(
        u_low=("tau", none), u_high=("tau", none.copy()), noise=("tau", np.full(factors.size, made.UNKNOWN, np.int8))
    )
    return made.recorded(result, "mtie", {"rate": float(rate), "kind": series.kind, "taus": made.said_taus(taus)}, data)
