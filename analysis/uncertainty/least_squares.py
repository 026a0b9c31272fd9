"""The design matrix of a linear regression and its normal equations, in exact fractions.

Not here: what is concluded from them (`analysis.uncertainty.regression`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError
from analysis.core import units as unit_rules
from analysis.uncertainty import exact

Floats = npt.NDArray[np.float64]
Column = tuple[list[int], int]


@dataclass(frozen=True, kw_only=True)
class Design:
    """The columns of a linear model as integers over powers of ten."""

    columns: list[Column]
    """One for each parameter."""
    names: tuple[str, ...]
    """Names of the parameters."""
    units: tuple[str, ...]
    """Units of the parameters."""
    constant: bool
    """Whether one of the columns is the constant term."""
    added: bool
    """Whether it was added to the columns that were given."""


def design(
    X: npt.ArrayLike,  # noqa: N803 - the symbol of the design matrix
    *,
    degree: int | None,
    intercept: bool,
    units: str,
    x_units: str | Sequence[str],
) -> Design:
    """Read the predictors.

    Parameters
    ----------
    X, degree, intercept, units, x_units:
        As in `analysis.uncertainty.regression.regression`.

    Returns
    -------
    :
        The columns.

    Raises
    ------
    UncertaintyError
        If they are not finite, or units or degree do not fit.
    """
    given = np.asarray(X)
    table = given if given.dtype.kind == "f" else np.asarray(X, dtype=float)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or table.size == 0 or not np.isfinite(table).all():  # noqa: PLR2004 - a matrix
        msg = f"X must be finite, of shape (n,) or (n, columns), got shape {np.shape(X)}; remove what is missing"
        raise UncertaintyError(msg)
    spelled = [x_units] * table.shape[1] if isinstance(x_units, str) else list(x_units)
    if len(spelled) != table.shape[1]:
        msg = f"x_units must be one string, or one for each of {table.shape[1]} columns; got {len(spelled)}"
        raise UncertaintyError(msg)
    if degree is not None:
        return _powers(table, degree, intercept=intercept, units=units, x_units=spelled[0])
    flat = [bool((table[:, j] == table[0, j]).all() and table[0, j] != 0) for j in range(table.shape[1])]
    columns = [exact.integers(table[:, j]) for j in range(table.shape[1])]
    found = [unit_rules.multiply(units, each, power=-1) for each in spelled]
    names, added = [f"b{j + 1}" for j in range(len(columns))], False
    if any(flat):
        names = [f"b{j}" for j in range(len(columns))]
    elif intercept:
        added = True
        columns, names, found = [([1] * table.shape[0], 1), *columns], ["b0", *names], [units, *found]
    return Design(columns=columns, names=tuple(names), units=tuple(found), constant=added or any(flat), added=added)


def _powers(table: Floats, degree: int, *, intercept: bool, units: str, x_units: str) -> Design:
    if table.shape[1] != 1 or isinstance(degree, bool) or degree < int(not intercept):
        msg = f"a polynomial needs one predictor and a degree of at least 0, got {table.shape[1]} and degree {degree}"
        raise UncertaintyError(msg)
    whole, scale = exact.integers(table[:, 0])
    powers = range(int(not intercept), degree + 1)
    columns = [([each**power for each in whole], scale**power) for power in powers]
    found = [unit_rules.multiply(units, x_units, power=-power) if power else units for power in powers]
    names = tuple(f"b{power}" for power in powers)
    return Design(columns=columns, names=names, units=tuple(found), constant=intercept, added=False)


def weights(u: npt.ArrayLike | None, count: int) -> tuple[Column, float]:
    """Turn standard uncertainties into weights.

    Parameters
    ----------
    u:
        One number or one for each response; None weighs all alike.
    count:
        How many responses.

    Returns
    -------
    :
        Weights, the largest 1, and the standard uncertainty of a response with weight 1.

    Raises
    ------
    UncertaintyError
        If they are not finite and above 0, or of another number.
    """
    if u is None:
        return ([1] * count, 1), 1.0
    given = np.broadcast_to(np.asarray(u, dtype=float), (count,)) if np.size(u) in (1, count) else np.zeros(0)
    if given.size != count or not np.isfinite(given).all() or not (given > 0).all():
        msg = f"u must be one number or {count}, finite and above 0; got shape {np.shape(u)}, {np.asarray(u)!s:.60}"
        raise UncertaintyError(msg)
    smallest = float(given.min())
    return exact.integers((smallest / given) ** 2), smallest


@dataclass(frozen=True, kw_only=True)
class Solution:
    """The normal equations and what follows from them, in fractions."""

    estimates: list[Fraction]
    """Of the parameters."""
    inverse: exact.Matrix
    """Inverse of the unit lower triangle of the normal matrix."""
    diagonal: list[Fraction]
    """Its diagonal factor."""
    total: Fraction
    """Weighted sum of squares of the response."""
    rest: Fraction
    """Weighted sum of squared residuals."""
    mean_part: Fraction
    """What the weighted mean of the response takes up of `total`."""
    residuals: Floats
    """Observed minus fitted, shape `(n,)`."""

    def factor(self, variance: Fraction) -> Floats:
        """Return `F` with `F @ F.T` the covariance of the estimates.

        Parameters
        ----------
        variance:
            Of a response with weight 1.

        Returns
        -------
        :
            An upper triangle, shape `(p, p)`.
        """
        size = len(self.diagonal)
        found = np.zeros((size, size))
        for i in range(size):
            for k in range(i, size):
                step = self.inverse[k][i]
                found[i, k] = math.copysign(exact.root(step**2 / self.diagonal[k] * variance), step)
        return found


def solve(columns: list[Column], response: Column, weights: Column, names: Sequence[str]) -> Solution:
    """Solve the normal equations.

    Parameters
    ----------
    columns, response, weights:
        Integers over a power of ten, n each.
    names:
        Of the parameters, for the message.

    Returns
    -------
    :
        Estimates, sums of squares, residuals.

    Raises
    ------
    UncertaintyError
        If the columns depend linearly on each other.
    """
    (w, w_scale), (y, y_scale) = weights, response
    heavy = [[a * b for a, b in zip(w, values, strict=True)] for values, _ in columns]
    gram = [
        [Fraction(exact.dot(heavy[i], columns[j][0]), w_scale * columns[i][1] * columns[j][1]) for j in range(i + 1)]
        for i in range(len(columns))
    ]
    matrix = [[gram[max(i, j)][min(i, j)] for j in range(len(columns))] for i in range(len(columns))]
    factors = exact.factorise(matrix)
    if factors is None:
        msg = f"the columns of {list(names)} depend linearly on each other; leave one out, or measure at more points"
        raise UncertaintyError(msg)
    inverse = exact.invert_lower(factors[0])
    right = [
        Fraction(exact.dot(each, y), w_scale * scale * y_scale) for each, (_, scale) in zip(heavy, columns, strict=True)
    ]
    z = [sum((row[k] * right[k] for k in range(i + 1)), Fraction(0)) for i, row in enumerate(inverse)]
    scaled = [each / pivot for each, pivot in zip(z, factors[1], strict=True)]
    estimates = [
        sum((inverse[k][i] * scaled[k] for k in range(i, len(columns))), Fraction(0)) for i in range(len(columns))
    ]
    total = Fraction(sum(a * b * b for a, b in zip(w, y, strict=True)), w_scale * y_scale**2)
    weighted = sum(a * b for a, b in zip(w, y, strict=True))
    return Solution(
        estimates=estimates,
        inverse=inverse,
        diagonal=factors[1],
        total=total,
        rest=total - sum((a * b for a, b in zip(z, scaled, strict=True)), Fraction(0)),
        mean_part=Fraction(weighted**2, w_scale * y_scale**2 * sum(w)),
        residuals=_residuals(columns, estimates, response),
    )


def _residuals(columns: list[Column], estimates: list[Fraction], response: Column) -> Floats:
    y, y_scale = response
    slopes = [each / scale for each, (_, scale) in zip(estimates, columns, strict=True)]
    below = math.lcm(y_scale, *(each.denominator for each in slopes))
    steps = [each.numerator * (below // each.denominator) for each in slopes]
    whole = below // y_scale
    rows = zip(*(values for values, _ in columns), strict=True)
    return np.array([(one * whole - exact.dot(steps, row)) / below for one, row in zip(y, rows, strict=True)])
