"""Several results drawn together: their covariance and their coverage regions (JCGM 102).

Not here: one result (`analysis.uncertainty.sample`). References: JCGM 102:2011, 7.7 (regions) and 7.8 (adaptive).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from analysis.core import Displayed, UncertaintyError, did_you_mean, history
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.draws import FEWEST_BLOCKS, blocks, require_settings
from analysis.uncertainty.sample import Sample, tolerance_of

Floats = npt.NDArray[np.float64]
_LEVEL = 0.95
_SINGULAR = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """A coverage region of several results."""

    kind: Literal["ellipsoid", "rectangle"]
    """Its shape."""
    level: float
    """Coverage probability."""
    k: float
    """Coverage factor, dimensionless."""
    centre: Floats
    """Estimates, shape `(m,)`, each in its units."""
    covariance: Floats
    """Covariance of the results, shape `(m, m)`."""

    def contains(self, point: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say which points lie inside.

        Parameters
        ----------
        point:
            Shape `(m,)` or `(m, n)`, in the units of the results.

        Returns
        -------
        :
            Shape `()` or `(n,)`.
        """
        apart = (np.asarray(point, dtype=float).T - self.centre).T
        return np.asarray(_distance(apart, self.covariance, self.kind) <= self.k)

    @property
    def half_widths(self) -> Floats:
        """Half the extent along each axis, shape `(m,)`, each in its units."""
        return np.asarray(self.k * np.sqrt(np.diag(self.covariance)))

    def outline(self, points: int = 181) -> Floats:
        """Return the outline of a region of two results, to draw it.

        Parameters
        ----------
        points:
            How many.

        Returns
        -------
        :
            Shape `(2, points)`, closed.

        Raises
        ------
        UncertaintyError
            If there are not two results.
        """
        if self.centre.size != 2:  # noqa: PLR2004 - a plane
            msg = f"an outline needs a region of 2 results, got {self.centre.size}; sample two of them"
            raise UncertaintyError(msg)
        if self.kind == "rectangle":
            corners = np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]]) * self.half_widths[:, None]
            return np.asarray(corners + self.centre[:, None])
        angle = np.linspace(0, 2 * math.pi, points)
        root = np.linalg.cholesky(self.covariance)
        return np.asarray(self.centre[:, None] + self.k * root @ np.array([np.cos(angle), np.sin(angle)]))


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallestRegion:
    """The smallest coverage region of two results: the cells of a grid that hold most of the draws."""

    level: float
    """Part of the draws that the cells hold, at least the coverage probability asked for."""
    edges: tuple[Floats, Floats]
    """Edges of the cells along each result, in its units."""
    inside: npt.NDArray[np.bool_]
    """Which cells belong to the region, shape `(cells, cells)`, first result first."""

    @property
    def area(self) -> float:
        """Area of the region, in the product of the units."""
        first, second = (np.diff(each) for each in self.edges)
        return float(np.outer(first, second)[self.inside].sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class JointSample(Displayed):
    """Draws of several results from the same sources."""

    samples: Mapping[str, Sample]
    """The draws of each result by name, trial by trial from the same draws of the sources."""
    seed: int
    """Seed of the generator."""
    stable: bool
    """Whether estimates, standard uncertainties, the correlation and the coverage factors are stable at the digits
    asked for (JCGM 102, 7.8)."""
    history: str = field(default="", repr=False)
    """How it was computed (`analysis.core.history`)."""

    def __getitem__(self, name: str) -> Sample:
        """Return the draws of one result."""
        if name not in self.samples:
            msg = f"no result named {name!r}; there are {list(self.samples)}.{did_you_mean(name, self.samples)}"
            raise UncertaintyError(msg)
        return self.samples[name]

    @property
    def draws(self) -> Floats:
        """All draws, shape `(m, trials)`, each row in its units."""
        return np.stack([each.draws for each in self.samples.values()])

    @property
    def trials(self) -> int:
        """How many draws."""
        return next(iter(self.samples.values())).trials

    @property
    def value(self) -> Floats:
        """Means of the draws, shape `(m,)`, each in its units."""
        return self.draws.mean(axis=1)

    @property
    def covariance(self) -> Floats:
        """Covariance of the draws, shape `(m, m)`."""
        return np.atleast_2d(np.cov(self.draws))

    @property
    def correlation(self) -> Floats:
        """Correlation of the draws, shape `(m, m)`."""
        return _correlation(self.covariance)

    def region(self, level: float = _LEVEL, *, kind: Literal["ellipsoid", "rectangle"] = "ellipsoid") -> Region:
        """Return a coverage region.

        Parameters
        ----------
        level:
            Coverage probability, in (0, 1).
        kind:
            `"ellipsoid"` by the covariance of the draws, or `"rectangle"` with sides proportional to the standard
            uncertainties.

        Returns
        -------
        :
            The region about the means that holds this part of the draws.

        Raises
        ------
        UncertaintyError
            If `level` or `kind` is out of range, or the draws do not span all dimensions.
        """
        if not 0 < level < 1 or kind not in ("ellipsoid", "rectangle"):
            msg = f"wanted a level in (0, 1) and kind 'ellipsoid' or 'rectangle', got {level:g} and {kind!r}"
            raise UncertaintyError(msg)
        draws = self.draws
        centre, covariance = draws.mean(axis=1), np.atleast_2d(np.cov(draws))
        _require_full(covariance, kind)
        k = _factor(draws, level, kind)
        return Region(kind=kind, level=level, k=k, centre=centre, covariance=covariance)

    def smallest(self, level: float = _LEVEL, *, cells: int = 60) -> SmallestRegion:
        """Return the smallest coverage region of two results, whatever its shape (JCGM 102, 7.7.4).

        Parameters
        ----------
        level:
            Coverage probability, in (0, 1).
        cells:
            Cells along each result, from 10 to 1000; fine ones follow the shape and need many draws.

        Returns
        -------
        :
            The fullest cells of a grid over all draws.

        Raises
        ------
        UncertaintyError
            If there are not two results, or a setting is out of range.
        """
        if len(self.samples) != 2 or not 0 < level < 1 or not 10 <= cells <= 1000:  # noqa: PLR2004 - a plane, a grid
            msg = (
                "a smallest region needs 2 results, a level in (0, 1) and from 10 to 1000 cells, got "
                f"{len(self.samples)}, {level:g} and {cells}"
            )
            raise UncertaintyError(msg)
        counts, first, second = np.histogram2d(self.draws[0], self.draws[1], bins=cells)
        order = np.argsort(-counts, axis=None, kind="stable")
        filled = np.cumsum(counts.ravel()[order])
        taken = int(np.searchsorted(filled, level * self.trials)) + 1
        inside = np.zeros(counts.size, dtype=bool)
        inside[order[:taken]] = True
        return SmallestRegion(
            level=float(filled[taken - 1] / self.trials), edges=(first, second), inside=inside.reshape(counts.shape)
        )

    def __str__(self) -> str:
        """Write the results and their correlation."""
        lines = [str(each) for each in self.samples.values()]
        names, matrix = list(self.samples), self.correlation
        pairs = [
            f"r({names[i]}, {names[j]}) = {matrix[i, j]:.3f}"
            for i in range(len(names))
            for j in range(i + 1, len(names))
        ]
        return "\n".join([*lines, ", ".join(pairs)])

    __repr__ = __str__


def sample_jointly(
    budgets: Mapping[str, Budget], *, trials: int | None = None, digits: int = 2, seed: int
) -> JointSample:
    """Draw several results from the distributions of the sources that they share.

    Parameters
    ----------
    budgets:
        By name, made by `propagate`.
    trials:
        How many draws; None goes on until each estimate and standard uncertainty, the largest eigenvalue of the
        correlation matrix and the coverage factors of ellipsoid and rectangle are stable (JCGM 102, 7.8), from
        1 000 000 (100 000 for functions that do not act on arrays) to 5 000 000 draws.
    digits:
        Significant digits that must be stable.
    seed:
        Seed of the generator: the same seed gives the same draws.

    Returns
    -------
    :
        The draws; look at `stable`.

    Raises
    ------
    UncertaintyError
        If these are no budgets, a setting is out of range, or draws fall outside the domain of a model.
    """
    _require_budgets(budgets)
    require_settings(trials, digits)
    listed = list(budgets.values())
    fewest = FEWEST_BLOCKS[
        all(each.model.broadcasts({name: q.value for name, q in each.inputs.items()}) for each in listed)
    ]
    drawn: list[Floats] = []
    statistics: list[list[float]] = []
    for found in blocks(listed, trials, np.random.default_rng(seed)):
        block = np.stack(found)
        drawn.append(block)
        statistics.append(_statistics(block))
        if trials is None and len(drawn) >= fewest and _steady(np.array(statistics), len(listed), digits):
            break
    draws = np.concatenate(drawn, axis=1)
    draws.flags.writeable = False
    text = history.extend(
        "uncertainty.sample_jointly",
        settings={"trials": trials, "digits": digits, "seed": seed},
        inputs=dict(budgets),
    )
    table = np.array(statistics)
    steady = _steady(table, len(listed), digits)
    samples = {}
    for row, (name, budget) in enumerate(budgets.items()):
        errors = _errors(table)[[row, len(listed) + row]].tolist()
        samples[name] = Sample(
            name=budget.name,
            units=budget.units,
            draws=draws[row],
            seed=seed,
            tolerance=tolerance_of(float(np.sqrt(np.mean(table[:, len(listed) + row] ** 2))), digits),
            errors=(errors[0], errors[1], math.inf, math.inf),
            stable=steady,
            history=text,
        )
    return JointSample(samples=samples, seed=seed, stable=steady, history=text)


def _require_budgets(budgets: object) -> None:
    named = budgets if isinstance(budgets, Mapping) else {}
    if len(named) < 2 or not all(isinstance(each, Budget) for each in named.values()):  # noqa: PLR2004 - jointly
        shown = {name: type(each).__name__ for name, each in named.items()} or type(budgets).__name__
        msg = f"sample_jointly needs a dict of at least 2 budgets, got {shown}; use uncertainty.sample for one"
        raise UncertaintyError(msg)


def _require_full(covariance: Floats, kind: str) -> None:
    variances = np.diag(covariance)
    flat = not (variances > 0).all()
    if flat or (kind == "ellipsoid" and np.linalg.eigvalsh(_correlation(covariance))[0] < _SINGULAR):
        msg = (
            "the results are exact or follow exactly from each other, so that the draws do not fill a region; leave "
            "out a result that the others fix"
        )
        raise UncertaintyError(msg)


def _correlation(covariance: Floats) -> Floats:
    scale = np.sqrt(np.where(np.diag(covariance) > 0, np.diag(covariance), 1.0))
    return covariance / np.outer(scale, scale)


def _distance(apart: Floats, covariance: Floats, kind: str) -> Floats:
    if kind == "rectangle":
        scaled = np.abs(apart.T) / np.sqrt(np.diag(covariance))
        return np.asarray(scaled.max(axis=-1))
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), apart)
    return np.asarray(np.sqrt((whitened**2).sum(axis=0)))


def _factor(draws: Floats, level: float, kind: str) -> float:
    count = draws.shape[1]
    inside = math.ceil(level * count)
    apart = draws - draws.mean(axis=1, keepdims=True)
    distances = _distance(apart, np.atleast_2d(np.cov(draws)), kind)
    return float(np.partition(distances, inside - 1)[inside - 1])


def _statistics(block: Floats) -> list[float]:
    covariance = np.atleast_2d(np.cov(block))
    eigenvalues = np.linalg.eigvalsh(_correlation(covariance))
    full = eigenvalues[0] >= _SINGULAR and (np.diag(covariance) > 0).all()
    factors = [_factor(block, _LEVEL, kind) for kind in ("ellipsoid", "rectangle")] if full else [0.0, 0.0]
    return [*block.mean(axis=1), *np.sqrt(np.diag(covariance)), float(eigenvalues[-1]), *factors]


def _errors(statistics: Floats) -> Floats:
    count = statistics.shape[0]
    if count < 2:  # noqa: PLR2004 - a spread needs two
        return np.full(statistics.shape[1], np.inf)
    return np.asarray(2 * statistics.std(axis=0, ddof=1) / math.sqrt(count))


def _steady(statistics: Floats, results: int, digits: int) -> bool:
    u = np.sqrt(np.mean(statistics[:, results : 2 * results] ** 2, axis=0))
    rest = statistics[:, 2 * results :].mean(axis=0)
    scales = [*u, *u, *rest]
    tolerances = np.array([tolerance_of(float(each), digits) for each in scales])
    return bool(np.all((_errors(statistics) < tolerances) | (tolerances == 0)))
