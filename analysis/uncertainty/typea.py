"""Type A evaluation: quantities from repeated readings, and from estimates with a covariance matrix.

Not here: drift of the readings. References: JCGM 100:2008, 4.2 and 5.2.3; for autocorrelated readings Lazarus, Lewis,
Stock and Watson, J. Bus. Econ. Stat. 36 (2018) 541, doi:10.1080/07350015.2018.1506926.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft

from analysis.core import UncertaintyError, history
from analysis.uncertainty.correlation import joint_sources
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source, fresh_id


def type_a(readings: npt.ArrayLike, *, units: str, label: str = "", source: str = "") -> Quantity:
    """Return the mean of repeated independent readings.

    Parameters
    ----------
    readings:
        At least two, shape `(n,)`, in `units`. Simultaneous readings of several quantities: `type_a_jointly`; readings
        that may be correlated in time: `type_a_series`.
    units:
        UDUNITS string.
    label, source:
        Name and origin, for the budget.

    Returns
    -------
    :
        Mean, experimental standard deviation of the mean, n - 1 degrees of freedom.

    Raises
    ------
    UncertaintyError
        If there are fewer than two readings, or one is not finite.
    """
    found = _require_readings({label or "readings": readings})
    mean = float(found[0].mean())
    u = float(found[0].std(ddof=1)) / math.sqrt(found.shape[1])
    dof = found.shape[1] - 1
    own = Source(id=fresh_id(), label=label, units=units, kind="A", dof=dof, origin=source)
    settings = {"readings": found[0], "units": units, "label": label, "source": source, "ids": [own.id]}
    record = history.extend("uncertainty.type_a", settings=settings, inputs={})
    return Quantity(
        value=mean, u=u, units=units, dof=dof, label=label, source=source, components={own: u}, history=record
    )


def type_a_series(
    readings: npt.ArrayLike, *, units: str, terms: int | None = None, label: str = "", source: str = ""
) -> Quantity:
    """Return the mean of readings that may be autocorrelated, taken at equal steps in time.

    The variance of the mean is the power of the lowest frequencies over n: the mean square of the first `terms`
    coefficients of the cosine transform. It needs no model of the correlation, and the mean over it follows Student's
    t with that many degrees of freedom, exactly so for independent normal readings.

    Parameters
    ----------
    readings:
        At least 10 in the order they were taken, shape `(n,)`, in `units`, without drift.
    units:
        UDUNITS string.
    terms:
        How many coefficients, from 1 to n - 1: fewer hold for longer correlation and give a larger k. None takes
        0.41 n^(2/3), the rule of the reference, good for a correlation of 0.7 from one reading to the next.
    label, source:
        Name and origin, for the budget.

    Returns
    -------
    :
        Mean, its standard uncertainty, and `terms` degrees of freedom.

    Raises
    ------
    UncertaintyError
        If there are too few readings, one is not finite, or `terms` is out of range.
    """
    found = _require_readings({label or "readings": readings})[0]
    if found.size < 10:  # noqa: PLR2004 - two coefficients
        msg = f"the autocorrelation of {found.size} readings cannot be told; take at least 10, or use type_a"
        raise UncertaintyError(msg)
    count = round(0.41 * found.size ** (2 / 3)) if terms is None else terms
    if isinstance(count, bool) or not 1 <= count < found.size:
        msg = f"terms must lie in [1, {found.size - 1}] for {found.size} readings, got {terms}"
        raise UncertaintyError(msg)
    mean = float(found.mean())
    coefficients = fft.dct(found - mean, type=2, norm="ortho")[1 : count + 1]
    u = math.sqrt(float(np.mean(coefficients**2)) / found.size)
    own = Source(id=fresh_id(), label=label, units=units, kind="A", dof=count, origin=source, tags=("readings",))
    settings = {
        "readings": found,
        "units": units,
        "terms": count,
        "label": label,
        "source": source,
        "ids": [own.id],
    }
    record = history.extend("uncertainty.type_a_series", settings=settings, inputs={})
    return Quantity(
        value=mean, u=u, units=units, dof=count, label=label, source=source, components={own: u}, history=record
    )


def type_a_jointly(readings: Mapping[str, npt.ArrayLike], *, units: Mapping[str, str]) -> dict[str, Quantity]:
    """Return the means of quantities that were read simultaneously, with their correlation.

    Parameters
    ----------
    readings:
        By name, each of shape `(n,)`, the same n readings.
    units:
        UDUNITS string by name.

    Returns
    -------
    :
        The means by name; they share sources of one ensemble with n - 1 degrees of freedom.

    Raises
    ------
    UncertaintyError
        If there are fewer than two readings, numbers of readings differ, one is not finite, or units are missing.
    """
    names = list(readings)
    if set(units) != set(names):
        msg = f"units must name the same quantities as readings: got {sorted(units)}, wanted {sorted(names)}"
        raise UncertaintyError(msg)
    found = _require_readings(readings)
    count = found.shape[1]
    covariance = np.atleast_2d(np.cov(found)) / count
    means = [float(each) for each in found.mean(axis=1)]
    quantities = correlated(means, covariance, units=[units[name] for name in names], dof=count - 1, labels=names)
    return dict(zip(names, quantities, strict=True))


def correlated(
    values: Sequence[float],
    covariance: npt.ArrayLike,
    *,
    units: str | Sequence[str],
    dof: float = math.inf,
    labels: Sequence[str],
) -> tuple[Quantity, ...]:
    """Return quantities with a given covariance matrix, for example the parameters of a fit.

    Parameters
    ----------
    values:
        Estimates, n of them.
    covariance:
        Shape `(n, n)`, in the products of their units; positive semidefinite.
    units:
        UDUNITS string of all, or one for each.
    dof:
        Degrees of freedom of the one variance that they share; finite ones make the sources Type A of one ensemble.
    labels:
        Names, one for each.

    Returns
    -------
    :
        Quantities that share n sources; the same numbers and labels give the same sources.

    Raises
    ------
    UncertaintyError
        If shapes do not match, a number is not finite, or the matrix is not symmetric positive semidefinite.
    """
    spelled = [units] * len(labels) if isinstance(units, str) else list(units)
    found, columns, settings = joint_sources(values, covariance, units=spelled, dof=dof, labels=labels)
    return tuple(
        Quantity.from_components(
            float(value),
            dict(zip(found, row.tolist(), strict=True)),
            units=spelled[i],
            label=labels[i],
            history=history.extend("uncertainty.correlated", settings=settings | {"output": i}, inputs={}),
        )
        for i, (value, row) in enumerate(zip(values, columns, strict=True))
    )


def _require_readings(readings: Mapping[str, npt.ArrayLike]) -> npt.NDArray[np.float64]:
    arrays = {name: np.asarray(each, dtype=float) for name, each in readings.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    if any(array.ndim != 1 for array in arrays.values()) or len(set(shapes.values())) != 1:
        msg = f"readings must be one-dimensional and of one length, got shapes {shapes}"
        raise UncertaintyError(msg)
    found = np.stack(list(arrays.values()))
    if found.shape[1] < 2:  # noqa: PLR2004 - a standard deviation needs two
        msg = (
            f"a Type A evaluation needs at least 2 readings, got {found.shape[1]}; give u and dof to a Quantity instead"
        )
        raise UncertaintyError(msg)
    if not np.isfinite(found).all():
        msg = f"readings must be finite; {int((~np.isfinite(found)).sum())} are not. Remove them and say so"
        raise UncertaintyError(msg)
    return found
