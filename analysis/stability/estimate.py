"""From a series to deviations with identified noise and intervals; the estimators as rows of a table.

Not here: the functions a user calls (`analysis.stability.deviations`), differences in blocks
(`analysis.stability.differences`), degrees of freedom (`analysis.stability.freedom`).

References: NIST SP 1065 (Riley 2008), clause 5; IEEE Std 1139.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.core import SpectrumError, history, units
from analysis.stability import freedom, theo
from analysis.stability.differences import mean_square, mean_square_of_sums
from analysis.stability.noise import FEWEST, NOISES, Noise, noises
from analysis.stability.series import Array, Counts, Data, Series, Taus, averaging_factors, read_series

UNKNOWN = -128


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """How a variance is estimated, and what its degrees of freedom depend on."""

    name: str
    title: str
    variance: Callable[[Series, int], tuple[float, int]]
    largest: Callable[[int], int]
    """The largest averaging factor for so many phases."""
    differences: int = 2
    overlapping: bool = True
    modified: bool = False
    law: Callable[[int, int, int], tuple[float, float]] | None = None
    """Noise, averaging factor and samples to degrees of freedom and bias, for estimates that reuse samples."""
    share: float = 1.0
    """The averaging time over the stride in samples."""
    even: bool = False
    time: bool = False


def _plain(order: int, *, overlapping: bool) -> Callable[[Series, int], tuple[float, int]]:
    scale = 2.0 if order == 2 else 6.0  # noqa: PLR2004 - Allan, Hadamard

    def variance(series: Series, m: int) -> tuple[float, int]:
        step, distance = (1, m) if overlapping else (m, 1)
        counts = series.kind == "frequency" and series.gaps
        before = series.missing_before[::step] if counts and series.missing_before is not None else None
        until = series.missing_until[::step] if counts and series.missing_until is not None else None
        square, n = mean_square(series.phase[::step], distance, order, before=before, until=until)
        return square * (series.rate / m) ** 2 / scale, n

    return variance


def _modified(series: Series, m: int) -> tuple[float, int]:
    square, n = mean_square_of_sums(series.phase, m, 2, before=series.missing_before, until=series.missing_until)
    return square * (series.rate / m**2) ** 2 / 2, n


def _time(series: Series, m: int) -> tuple[float, int]:
    square, n = _modified(series, m)
    return square * (m / series.rate) ** 2 / 3, n


def _total(series: Series, m: int) -> tuple[float, int]:
    phase = series.phase
    left = 2 * phase[0] - phase[m:0:-1]
    right = 2 * phase[-1] - phase[-2 : -m - 2 : -1]
    square, n = mean_square(np.concatenate([left, phase, right])[1:-1], m, 2)
    return square * (series.rate / m) ** 2 / 2, n


def _whole_runs(order: int) -> Callable[[int], int]:
    return lambda phases: (phases - 1) // order


ADEV = Estimator(
    name="adev",
    title="Allan deviation",
    variance=_plain(2, overlapping=False),
    largest=_whole_runs(2),
    overlapping=False,
)
OADEV = Estimator(
    name="oadev", title="overlapping Allan deviation", variance=_plain(2, overlapping=True), largest=_whole_runs(2)
)
HDEV = Estimator(
    name="hdev",
    title="Hadamard deviation",
    variance=_plain(3, overlapping=False),
    largest=_whole_runs(3),
    differences=3,
    overlapping=False,
)
OHDEV = Estimator(
    name="ohdev",
    title="overlapping Hadamard deviation",
    variance=_plain(3, overlapping=True),
    largest=_whole_runs(3),
    differences=3,
)
MDEV = Estimator(
    name="mdev", title="modified Allan deviation", variance=_modified, largest=lambda n: n // 3, modified=True
)
TDEV = Estimator(
    name="tdev", title="time deviation", variance=_time, largest=lambda n: n // 3, modified=True, time=True
)
TOTDEV = Estimator(
    name="totdev", title="total deviation", variance=_total, largest=lambda n: n - 2, law=freedom.total_freedom
)
MTOTDEV = Estimator(
    name="mtotdev",
    title="modified total deviation",
    variance=theo.modified_total,
    largest=lambda n: n // 3,
    law=theo.modified_total_freedom,
)
THEO1 = Estimator(
    name="theo1",
    title="Theo1 deviation",
    variance=theo.theo1,
    largest=lambda n: (n - 1) // 2 * 2,
    law=theo.theo1_freedom,
    share=theo.SHARE,
    even=True,
)
_FIRST_THEO1 = 10


def estimate(
    which: Estimator, data: Data, *, rate: float, taus: Taus, kind: str, level: float, noise: int | None
) -> xr.Dataset:
    """Return a deviation over tau with its intervals, noise and history."""
    series = read_series(data, rate=rate, kind=kind)
    _require_settings(level, noise)
    if which.law and series.gaps:
        msg = f"{which.name} takes no gaps; got NaN. Use oadev, or cut the gap off"
        raise SpectrumError(msg)
    factors = _factors(which, taus, series)
    rows = [which.variance(series, int(m)) for m in factors]
    values = np.sqrt([square for square, _ in rows])
    counts = np.array([n for _, n in rows])
    seen: list[Noise | None] = (
        noises(series, factors, reddest=2 - 2 * which.differences)
        if noise is None
        else [Noise(alpha=noise, possible=(noise,))] * factors.size
    )
    alphas = [UNKNOWN if each is None else each.alpha for each in seen]
    found = list(zip(values.tolist(), counts.tolist(), seen, strict=True))
    limits = np.array([_limits(which, series, int(m), row, level) for m, row in zip(factors, found, strict=True)])
    result = bare(
        series, which.share * factors.astype(float), values, counts, title=which.title, time=which.time
    ).assign(
        u_low=("tau", values - limits[:, 1]),
        u_high=("tau", limits[:, 2] - values),
        low=("tau", limits[:, 3]),
        high=("tau", limits[:, 4]),
        dof=("tau", limits[:, 0]),
        noise=("tau", np.array(alphas, dtype=np.int8)),
        noise_name=("tau", np.array([NOISES.get(alpha, "not identified") for alpha in alphas])),
    )
    result = _described(result, level=level).assign_attrs(advice=_advice(seen, limits[:, 0], series.gaps))
    settings: dict[str, object] = {
        "rate": float(rate),
        "kind": series.kind,
        "level": level,
        "noise": noise,
        "taus": str(taus),
    }
    return recorded(result, which.name, settings, data)


def _factors(which: Estimator, taus: Taus, series: Series) -> Counts:
    """Return strides in samples; those of Theo1 are even, 10 or more, and 4/3 of the averaging time."""
    largest = which.largest(series.phase.size)
    if not which.even:
        return averaging_factors(taus, rate=series.rate, largest=largest)
    if isinstance(taus, str):
        factors = averaging_factors(taus, rate=series.rate, largest=largest)
        factors = factors[(factors >= _FIRST_THEO1) & (factors % 2 == 0)]
    else:
        factors = averaging_factors(np.asarray(taus) / which.share, rate=series.rate, largest=largest)
    if not factors.size or factors.min() < _FIRST_THEO1 or (factors % 2).any():
        msg = (
            f"{which.name} takes averaging times of 7.5/rate and more, in steps of 1.5/rate; got {taus!r} for "
            f"{series.phase.size} phases. Take them so, or use oadev"
        )
        raise SpectrumError(msg)
    return factors


def said_taus(taus: Taus) -> object:
    """Return averaging times as a history keeps them."""
    return taus if isinstance(taus, str) else np.asarray(taus, dtype=float).tolist()


def recorded(result: xr.Dataset, name: str, settings: Mapping[str, object], data: Data) -> xr.Dataset:
    """Return `result` with its history."""
    kept = data if isinstance(data, xr.Dataset | xr.DataArray) else xr.DataArray(np.asarray(data, dtype=float))
    return history.record(result, f"stability.{name}", settings=settings, inputs={"data": kept})


def bare(
    series: Series, factors: Counts | Array, values: Array, counts: Counts, *, title: str, time: bool = False
) -> xr.Dataset:
    """Return a dataset over tau with value and n."""
    unit = units.multiply(series.units, "s") if time else series.units
    seconds = {"units": "s", "long_name": "averaging time"}
    return xr.Dataset(
        {
            "value": ("tau", values, {"units": unit, "long_name": title}),
            "n": ("tau", counts, {"units": "1", "long_name": "number of terms"}),
        },
        coords={"tau": ("tau", factors / series.rate, seconds)},
    )


def _described(result: xr.Dataset, *, level: float) -> xr.Dataset:
    unit = result["value"].attrs["units"]
    said = {
        "u_low": "standard uncertainty downwards",
        "u_high": "standard uncertainty upwards",
        "low": f"lower limit, {level:.4g}",
        "high": f"upper limit, {level:.4g}",
    }
    for name, text in said.items():
        result[name].attrs = {"units": unit, "long_name": text}
    result["dof"].attrs = {"units": "1", "long_name": "equivalent degrees of freedom"}
    result["noise"].attrs = {
        "units": "1",
        "long_name": "exponent of the noise of frequency",
        "flag_values": [*NOISES, UNKNOWN],
        "flag_meanings": " ".join(name.replace(" ", "_") for name in [*NOISES.values(), "not identified"]),
    }
    result["noise_name"].attrs = {"long_name": "noise"}
    return result.assign_attrs(level=level)


def _advice(seen: list[Noise | None], freedoms: Array, gaps: bool) -> str:  # noqa: FBT001
    said = []
    if None in seen:
        said.append(f"Fewer than {FEWEST} points: noise is not identified and there are no intervals; give noise=.")
    elif np.isnan(freedoms).any():
        said.append(
            "Where intervals are missing, their law is not known: the variance does not converge (remove the drift, or "
            "use ohdev), or a total deviation meets phase noise (use mdev)."
        )
    if any(each is not None and each.held for each in seen):
        said.append(
            "At some times the noise looks redder than random walk FM, as random walk may; the intervals are those of "
            "random walk FM. Where it may be redder indeed, use ohdev."
        )
    if gaps:
        said.append("Terms that touch a gap are left out, and the degrees of freedom are those of the terms left.")
    return " ".join(said)


def _require_settings(level: float, noise: int | None) -> None:
    if not 0 < level < 1:
        msg = f"level must lie between 0 and 1; got {level}. 0.95 is usual"
        raise SpectrumError(msg)
    if noise is not None and noise not in NOISES:
        msg = f"noise must be an exponent 2 (white PM) to -4, or None to identify it; got {noise!r}"
        raise SpectrumError(msg)


def _limits(
    which: Estimator, series: Series, m: int, row: tuple[float, int, Noise | None], level: float
) -> tuple[float, float, float, float, float]:
    """Return degrees of freedom, the standard interval and that of the level.

    Where the bias depends on the noise, they reach over all noises that are possible.
    """
    value, n, noise = row
    if noise is None or n < 1:
        return (np.nan,) * 5
    if which.law is None:
        edf = freedom.degrees_of_freedom(
            noise.alpha,
            m=m,
            terms=n,
            differences=which.differences,
            overlapping=which.overlapping,
            modified=which.modified,
        )
        laws = [(edf, 1.0)]
    else:
        samples = series.phase.size
        edf, bias = which.law(noise.alpha, m, samples)
        others = [which.law(alpha, m, samples) for alpha in noise.possible if alpha != noise.alpha]
        laws = [(edf, bias), *(each for each in others if np.isfinite(edf) and np.isfinite(each[0]))]
    standard, wanted = (
        np.array([freedom.interval(value, dof, level=each, bias=bias) for dof, bias in laws])
        for each in (freedom.STANDARD, level)
    )
    return (edf, standard[:, 0].min(), standard[:, 1].max(), wanted[:, 0].min(), wanted[:, 1].max())
