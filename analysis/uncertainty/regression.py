"""Linear regression by least squares, computed without rounding: parameters with their joint uncertainty.

Normal equations are solved in exact fractions (`analysis.uncertainty.exact`), so an ill-conditioned problem loses
nothing but what the data do not hold. Not here: errors in x (`analysis.calibration`), one-way analysis of variance
(`analysis.uncertainty.anova`). References: JCGM 100:2008, H.3; Draper and Smith, Applied Regression Analysis, 3rd ed.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import special

from analysis.core import UncertaintyError, history
from analysis.uncertainty import exact, least_squares
from analysis.uncertainty.formatting import format_u, format_value
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Regression:
    """A linear model fitted to data."""

    names: tuple[str, ...]
    """Names of the parameters; `b0` is the intercept, or the columns' names."""
    parameters: tuple[Quantity, ...]
    """The parameters; they share sources, so that they are correlated."""
    covariance: Floats = field(repr=False)
    """Covariance of the parameters, shape `(p, p)`, in the products of their units."""
    dof: int
    """Degrees of freedom of the residuals, n - p."""
    residuals: Floats = field(repr=False)
    """Observed minus fitted, shape `(n,)`, in `units`."""
    residual_sd: float
    """Residual standard deviation, in `units`; with a known `u` that of residuals over `u`, dimensionless."""
    r_squared: float
    """Part of the sum of squares that the model takes up, about the mean if there is an intercept, else about 0."""
    ss_regression: float
    """Sum of squares that the model takes up; weighted by 1/u² with a known `u`."""
    ss_residual: float
    """Sum of squared residuals; with a known `u` it is chi-square."""
    dof_regression: int
    """Degrees of freedom of `ss_regression`."""
    F: float
    """Ratio of the mean squares of model and residuals."""
    p: float
    """Probability of a larger F if nothing but the intercept were there."""
    p_chisqr: float
    """Probability of a larger chi-square if the model and the stated `u` hold; NaN where no `u` was given."""
    units: str
    """Units of the response."""
    degree: int | None
    """Degree of the polynomial, or None for a design matrix."""
    has_intercept: bool
    """Whether the model has a constant term."""
    constant_added: bool
    """Whether that term was added to the columns given, so that a prediction takes none for it."""
    notes: tuple[str, ...] = ()
    """Plain sentences on what to mind."""

    @property
    def values(self) -> Floats:
        """Estimates of the parameters, in their units, shape `(p,)`."""
        return np.array([each.value for each in self.parameters])

    @property
    def u(self) -> Floats:
        """Standard uncertainties of the parameters, in their units, shape `(p,)`."""
        return np.array([each.u for each in self.parameters])

    def predict(self, x: float | Sequence[float]) -> Quantity:
        """Return the mean response at a point.

        Parameters
        ----------
        x:
            The predictor, or one number for each column that was given, exact.

        Returns
        -------
        :
            The response with the uncertainty of the parameters; the scatter of one more reading is not in it.

        Raises
        ------
        UncertaintyError
            If the number of predictors is another.
        """
        row = [float(each) for each in np.atleast_1d(np.asarray(x, dtype=float))]
        if self.degree is not None and len(row) == 1:
            row = [row[0] ** power for power in range(self.degree + 1)][0 if self.has_intercept else 1 :]
        elif self.constant_added and len(row) == len(self.parameters) - 1:
            row = [1.0, *row]
        if len(row) != len(self.parameters):
            msg = f"a prediction needs one number for each of {list(self.names)}, got {len(row)}"
            raise UncertaintyError(msg)
        return mean_response(row, list(self.parameters), units=self.units)

    def table(self) -> list[dict[str, str]]:
        """Return one row for each parameter.

        Returns
        -------
        :
            Text by column, with the digits that the uncertainty allows.
        """
        return [
            {
                "parameter": name,
                "value": format_value(each.value, each.u),
                "units": each.units,
                "dof": "∞" if math.isinf(each.dof) else f"{each.dof:g}",
                "U (95 %)": format_u(each.U()),
            }
            for name, each in zip(self.names, self.parameters, strict=True)
        ]

    def __str__(self) -> str:
        """Write the fit in one line."""
        said = ", ".join(f"{name} = {each}" for name, each in zip(self.names, self.parameters, strict=True))
        return f"{said}; residual sd {self.residual_sd:.4g}, R² {self.r_squared:.6g}, {self.dof} degrees of freedom"


def mean_response(row: Sequence[float], parameters: Sequence[Quantity], *, units: str) -> Quantity:
    """Return the sum of parameters, each times a number.

    Parameters
    ----------
    row:
        One number for each parameter, exact, in units that turn them into `units`.
    parameters:
        Of a regression.
    units:
        UDUNITS string of the response.

    Returns
    -------
    :
        The response, correlated with the parameters.
    """
    parts: dict[Source, list[float]] = {}
    for weight, each in zip(row, parameters, strict=True):
        for source, c in each.parts().items():
            parts.setdefault(source, []).append(weight * c)
    return Quantity.from_components(
        math.fsum(weight * each.value for weight, each in zip(row, parameters, strict=True)),
        {source: math.fsum(terms) for source, terms in parts.items()},
        units=units,
        label="mean response",
        history=history.extend(
            "uncertainty.predict",
            settings={"row": list(row), "units": units},
            inputs={str(number): each for number, each in enumerate(parameters)},
        ),
    )


def regression(
    X: npt.ArrayLike,  # noqa: N803 - the symbol of the design matrix
    y: npt.ArrayLike,
    *,
    u: npt.ArrayLike | None = None,
    degree: int | None = None,
    intercept: bool = True,
    units: str = "1",
    x_units: str | Sequence[str] = "1",
    names: Sequence[str] | None = None,
) -> Regression:
    """Fit a linear model by least squares.

    Parameters
    ----------
    X:
        Predictors without error, shape `(n,)` or `(n, columns)`, in `x_units`.
    y:
        Response, shape `(n,)`, in `units`.
    u:
        Known standard uncertainty of each response, shape `(n,)` or one number, in `units`; independent of each
        other. None estimates one common standard deviation from the residuals (Type A).
    degree:
        Fits a polynomial of this degree in one predictor, whose powers are then exact.
    intercept:
        Whether there is a constant term. A column of `X` that is constant is the constant term, and no other is
        added.
    units, x_units:
        UDUNITS strings of the response, and of all predictors or each.
    names:
        Names of the parameters, in the order of the result, the constant term first.

    Returns
    -------
    :
        Parameters, covariance and the analysis of variance; the parameters are correlated quantities.

    Raises
    ------
    UncertaintyError
        If shapes do not match, a number is not finite, columns depend on each other, or there are too few points.
    """
    design = least_squares.design(X, degree=degree, intercept=intercept, units=units, x_units=x_units)
    given = np.asarray(y)
    response = given if given.dtype.kind == "f" else np.asarray(y, dtype=float)
    _require_points(design, response, names, known=u is not None)
    weights, spread = least_squares.weights(u, response.size)
    labels = tuple(names) if names is not None else design.names
    solved = least_squares.solve(design.columns, exact.integers(response), weights, labels)
    dof = response.size - len(labels)
    settings = {
        "X": np.asarray(X, dtype=float).tolist(),
        "y": response.tolist(),
        "u": None if u is None else np.asarray(u, dtype=float).tolist(),
        "degree": degree,
        "intercept": intercept,
        "units": units,
        "x_units": x_units if isinstance(x_units, str) else list(x_units),
        "names": None if names is None else list(names),
    }
    variance = Fraction(spread) ** 2 if u is not None else solved.rest / dof
    quantities = _quantities(
        solved,
        solved.factor(variance),
        design.units,
        labels=labels,
        dof=dof if u is None else math.inf,
        settings=settings,
    )
    taken = solved.total - solved.rest - (solved.mean_part if design.constant else 0)
    model = len(labels) - int(design.constant)
    ratio = float(taken / model / (solved.rest / dof)) if solved.rest > 0 and model and dof else math.inf
    chisqr = float(solved.rest / Fraction(spread) ** 2)
    return Regression(
        names=labels,
        parameters=quantities,
        covariance=np.array([[each.covariance(other) for other in quantities] for each in quantities]),
        dof=dof,
        residuals=solved.residuals,
        residual_sd=exact.root(solved.rest / Fraction(spread) ** 2 / dof) if dof else math.nan,
        r_squared=float(taken / (taken + solved.rest)) if taken + solved.rest > 0 else math.nan,
        ss_regression=float(taken / Fraction(spread) ** 2),
        ss_residual=chisqr,
        dof_regression=model,
        F=ratio if model else math.nan,
        p=float(special.fdtrc(model, dof, ratio)) if model and dof and math.isfinite(ratio) else 0.0,
        p_chisqr=float(special.chdtrc(dof, chisqr)) if u is not None and dof else math.nan,
        units=units,
        degree=degree,
        has_intercept=design.constant,
        constant_added=design.added,
        notes=_notes(solved, chisqr, dof, known=u is not None),
    )


def _notes(solved: least_squares.Solution, chisqr: float, dof: int, *, known: bool) -> tuple[str, ...]:
    if solved.rest == 0 and not known:
        return ("all residuals are zero, so the scatter says nothing about the uncertainty of the parameters",)
    if not known or not dof or special.chdtrc(dof, chisqr) >= 0.05:  # noqa: PLR2004 - 5 %
        return ()
    sentence = (
        f"chi-square is {chisqr:.3g} for {dof} degrees of freedom, more than the stated u explain (p = "
        f"{special.chdtrc(dof, chisqr):.2g}); u was not enlarged: look for a missing term, or for a missing source"
    )
    return (sentence,)


def _require_points(
    design: least_squares.Design, response: npt.NDArray[np.floating], names: Sequence[str] | None, *, known: bool
) -> None:
    columns = design.columns
    count = len(columns[0][0])
    if response.shape != (count,) or not np.isfinite(response).all():
        msg = f"y must be finite, of shape {(count,)} as X has {count} rows, got shape {response.shape}"
        raise UncertaintyError(msg)
    if names is not None and (len(names) != len(columns) or len(set(names)) != len(columns)):
        msg = f"names must be {len(columns)} different ones, the constant term first; got {list(names)}"
        raise UncertaintyError(msg)
    if count < len(columns) + int(not known):
        wanted = "more points than parameters" if not known else "as many points as parameters"
        msg = f"{len(columns)} parameters need {wanted}, got {count}; measure more, or give u"
        raise UncertaintyError(msg)


def _quantities(
    solved: least_squares.Solution,
    factor: Floats,
    units: tuple[str, ...],
    *,
    labels: tuple[str, ...],
    dof: float,
    settings: dict[str, object],
) -> tuple[Quantity, ...]:
    head = history.step_id("uncertainty.regression", settings=settings, inputs={})
    joint = hashlib.blake2b(f"regression|{head}".encode(), digest_size=16).hexdigest()
    sources = [
        Source(
            id=f"{joint}-{number}",
            label=f"{', '.join(labels)} (joint {number + 1})",
            kind="B" if math.isinf(dof) else "A",
            dof=dof,
            tags=("regression",),
            ensemble="" if math.isinf(dof) else joint,
        )
        for number in range(len(labels))
    ]
    return tuple(
        Quantity.from_components(
            float(estimate),
            dict(zip(sources, factor[i].tolist(), strict=True)),
            units=units[i],
            label=labels[i],
            history=history.extend("uncertainty.regression", settings=settings | {"output": i}, inputs={}),
        )
        for i, estimate in enumerate(solved.estimates)
    )
