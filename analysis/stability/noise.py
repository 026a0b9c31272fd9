"""Which power law the noise follows, from the autocorrelation at lag one.

Not here: intervals (`analysis.stability.freedom`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.core import SpectrumError
from analysis.stability.series import Array, Counts, Data, Series, averaging_factors, read_series

NOISES = {
    2: "white PM",
    1: "flicker PM",
    0: "white FM",
    -1: "flicker FM",
    -2: "random walk FM",
    -3: "flicker walk FM",
    -4: "random run FM",
}
"""Names of the noises by the exponent alpha of the spectrum of frequency, f**alpha (PM phase, FM frequency)."""

FEWEST = 30
_MOST = 1 << 17
_STATIONARY = 0.25
_MANY = 256
_COVERAGE = 2.0


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The exponent that intervals are made with, and all that its own uncertainty leaves possible."""

    alpha: int
    possible: tuple[int, ...]
    held: bool = False
    """Whether it looked one power redder than the variance converges for."""


def identify(data: Data, *, rate: float, tau: float, kind: str = "phase", differences: int = 3) -> int | None:
    """Identify the power law of the noise at one averaging time.

    The series at that averaging time, less a parabola of phase, is differenced until it is stationary; the
    autocorrelation at lag one then gives the exponent. Of more than 131 072 points, the first are used.

    Parameters
    ----------
    data:
        Phase in s or frequency, evenly sampled, NaN where a sample is missing.
    rate:
        Samples per second.
    tau:
        Averaging time in s.
    kind:
        `"phase"` or `"frequency"`.
    differences:
        Most differences taken; 2 tells alpha down to -2, 3 down to -4.

    Returns
    -------
    :
        The exponent alpha (`NOISES` has the names), or None with fewer than 30 points at that averaging time.

    Raises
    ------
    SpectrumError
        If the data or the averaging time cannot be used.

    References
    ----------
    Riley and Greenhall, "Power law noise identification using the lag 1 autocorrelation", Proc. 18th EFTF (2004).
    """
    series = read_series(data, rate=rate, kind=kind)
    if differences not in (2, 3):
        msg = f"differences must be 2 or 3; got {differences}. Take 3 unless drift was removed"
        raise SpectrumError(msg)
    (m,) = averaging_factors([tau], rate=series.rate, largest=series.phase.size - 1)
    return exponent(series, int(m), differences=differences)


def exponent(series: Series, m: int, *, differences: int) -> int | None:
    """Return alpha at averaging factor `m`, None where too few points are left, held within the known noises."""
    seen = _look(series, m, differences=differences)
    return None if seen is None else _whole(seen[0])


def noises(series: Series, factors: Counts, *, reddest: int) -> list[Noise | None]:
    """Identify the noise at each averaging time; where too few points are left, that of the last time with enough.

    With few points the reddest of this and the two octaves below is taken: its intervals are the widest. Random walk
    often looks one power redder than it is; so that is held to `reddest`, and further ones only if all looks agree.
    """
    longest = max((series.phase.size - 1) // FEWEST, 1)
    seen: dict[int, tuple[float, float] | None] = {}
    result = []
    for m in np.minimum(factors, longest).tolist():
        octaves = [m] if series.phase.size >= _MANY * m else [each for each in (m, m // 2, m // 4) if each]
        seen |= {each: _look(series, each, differences=3) for each in octaves if each not in seen}
        looks = [look for look in (seen[each] for each in octaves) if look is not None]
        result.append(_noise(looks, reddest) if looks else None)
    return result


def _noise(looks: list[tuple[float, float]], reddest: int) -> Noise:
    alphas = [_whole(value) for value, _ in looks]
    if max(alphas) < reddest - 1:
        return Noise(alpha=max(alphas), possible=(max(alphas),))
    low, high = (
        max(_whole(side), reddest)
        for side in (min(a - _COVERAGE * u for a, u in looks), max(a + _COVERAGE * u for a, u in looks))
    )
    return Noise(alpha=max(min(alphas), reddest), possible=tuple(range(low, high + 1)), held=min(alphas) == reddest - 1)


def _whole(value: float) -> int:
    return int(np.clip(round(value), min(NOISES), max(NOISES)))


def _look(series: Series, m: int, *, differences: int) -> tuple[float, float] | None:
    """Return alpha at averaging factor `m` as a real number, and its standard deviation."""
    points = series.phase[: _MOST * m : m].copy()
    steps = 0
    if series.kind == "frequency":
        count = series.missing_until
        points = np.diff(points)
        if count is not None:
            points[np.diff(count[: _MOST * m : m]) > 0] = np.nan
        steps = 1
    inside = ~np.isnan(points)
    if inside.sum() < FEWEST:
        return None
    points = _without_trend(points, inside, degree=2 - steps)
    while True:
        rho = _lag_one(points)
        if rho / (1 + rho) < _STATIONARY or steps >= differences:
            spread = 2 / (1 + rho) ** 2 * np.sqrt((1 - rho**2) / inside.sum())
            return 2 - 2 * steps - 2 * rho / (1 + rho), float(spread)
        points = np.diff(points)
        steps += 1


def _without_trend(points: Array, inside: npt.NDArray[np.bool_], *, degree: int) -> Array:
    basis = np.polynomial.legendre.legvander(np.linspace(-1, 1, points.size), degree)
    used = np.where(inside[:, None], basis, 0.0)
    return points - basis @ np.linalg.solve(used.T @ used, used.T @ np.where(inside, points, 0.0))


def _lag_one(points: Array) -> float:
    centred = points - np.nanmean(points)
    variance = np.nanmean(centred**2)
    products = centred[1:] * centred[:-1]
    products = products[~np.isnan(products)]
    return float(products.mean() / variance) if products.size and variance > 0 else 0.0
