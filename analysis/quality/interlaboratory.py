"""Interlaboratory comparisons: consensus value, scores, and degrees of equivalence with their correlations.

A consensus is a weighted sum of the results and keeps their sources, so the difference of a laboratory from it has the
right u without a formula for every case.
Not here: the estimators (`analysis.quality.robust`, `analysis.quality.heterogeneity`), combination of results that
agree (`analysis.uncertainty.combination`). References: Cox, Metrologia 39 (2002) 589 and 44 (2007) 187; Koepke,
Lafarge, Possolo and Toman, Metrologia 54 (2017) S34, for excess variance; ISO 13528:2022, 9, for scores.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from analysis.core import UncertaintyError, did_you_mean, history
from analysis.quality import heterogeneity, robust
from analysis.quality.comparison import Comparison, Laboratory
from analysis.quality.laboratories import laboratories, require_names
from analysis.quality.settings import require_level, require_number
from analysis.uncertainty import Quantity, combine
from analysis.uncertainty.sources import Source

Floats = npt.NDArray[np.float64]
METHODS = (
    "weighted_mean", "largest_consistent_subset", "dersimonian_laird", "mandel_paule", "algorithm_a", "q_hampel",
    "median", "mean",
)  # fmt: skip
_WEIGHTED = METHODS[:4]
_NEGLIGIBLE = 0.3
_FEW = 12
_TWO = 2.0
_SINGULAR = 1e-12
_NO_U = "no uncertainty was stated, so zeta and E_n are not given"


def interlab(
    results: Any,  # noqa: ANN401 - quantities by name, or columns
    *,
    method: str = "weighted_mean",
    exclude: Sequence[str] = (),
    reference: Quantity | None = None,
    sigma: float | None = None,
    expand: float | str | None = None,
    level: float = 0.95,
    units: str = "1",
) -> Comparison:
    """Compare laboratories that measured one thing: consensus value, scores and degrees of equivalence.

    Parameters
    ----------
    results:
        Quantities by laboratory; sources that they share correlate them. Or columns (a dict of lists, a DataFrame)
        `laboratory`, `value` and perhaps `u`, in `units`.
    method:
        How the consensus is made: `"weighted_mean"` (least variance for the full covariance),
        `"largest_consistent_subset"` (weighted mean of the most laboratories that pass the chi-square test at 5 %),
        `"dersimonian_laird"` or `"mandel_paule"` (each laboratory has an excess variance besides what it states),
        `"algorithm_a"`, `"q_hampel"`, `"median"` or `"mean"` (what the laboratories state is not used).
    exclude:
        Names that do not enter the consensus; they are compared with it all the same.
    reference:
        An assigned value; it takes the place of a consensus and `method` is not used.
    sigma:
        Standard deviation for proficiency assessment, for z and z'; None takes the robust one of a robust method.
    expand:
        Factor by which u of the consensus is enlarged: a number of at least 1, `"birge"` for the root of chi-square
        over its degrees of freedom, `"residuals"` for the factor on all stated u that brings every used laboratory
        within 2 of them (as CODATA does). Only with `"weighted_mean"`.
    level:
        Coverage probability of expanded uncertainties and intervals, in (0, 1).
    units:
        UDUNITS string of a table; quantities bring their own.

    Returns
    -------
    :
        The consensus with its sources, and for each laboratory degree of equivalence, weight and scores.

    Raises
    ------
    UncertaintyError
        If there is one laboratory alone, a result is not finite, a weighted method meets u = 0, no two laboratories
        agree, or a setting is unknown or out of range.
    UnitsError
        If units do not convert.
    """
    labs = laboratories(results, units=units)
    _require_settings(method, sigma, expand, level, reference=reference)
    require_names(exclude, labs)
    used = [name for name in labs if name not in exclude]
    if len(used) < (1 if reference is not None else 2):
        msg = (
            f"a consensus needs at least 2 laboratories, got {used}; one laboratory is compared with a reference "
            "value: interlab(results, reference=...)"
        )
        raise UncertaintyError(msg)
    settings = {
        "method": method, "exclude": list(exclude), "sigma": sigma, "expand": expand, "level": level, "units": units,
    }  # fmt: skip
    text = history.extend("quality.interlab", settings=settings, inputs=labs)
    work = _Work({name: labs[name] for name in used}, method, level)
    notes: list[str] = []
    if reference is not None:
        assigned = reference.to(work.units) if reference.units != work.units else reference
    else:
        assigned, notes = work.consensus(text, expand)
    found = sigma if sigma is not None else work.spread
    members = tuple(_laboratory(name, each, assigned, work.weights.get(name), found) for name, each in labs.items())
    notes += _said(work, members, assigned, found, given=sigma is not None, reference=reference is not None)
    return Comparison(
        method="reference" if reference is not None else method,
        consensus=assigned, laboratories=members, chisqr=work.chisqr, dof=work.dof, p=work.p,
        excess=work.excess, excess_interval=work.excess_interval, sigma=found, level=level, notes=tuple(notes),
    )  # fmt: skip


class _Work:
    """The laboratories that enter the consensus, and what was found of them on the way."""

    def __init__(self, labs: dict[str, Quantity], method: str, level: float) -> None:
        self.labs, self.method, self.level = labs, method, level
        self.units = next(iter(labs.values())).units
        self.values = np.array([each.value for each in labs.values()])
        self.weights: dict[str, float] = {}
        self.spread, self.excess = math.nan, 0.0
        self.excess_interval = (math.nan, math.nan)
        self.chisqr, self.dof, self.p = math.nan, len(labs) - 1, math.nan
        self.exact = [name for name, each in labs.items() if each.u == 0]
        if not self.exact and self.dof:
            self._test()

    def _test(self) -> None:
        members = list(self.labs.values())
        self.scale = max(each.u for each in members)
        self.covariance = np.array([[a.covariance(b) for b in members] for a in members]) / self.scale**2
        u = np.sqrt(np.diag(self.covariance))
        if np.linalg.eigvalsh(self.covariance / np.outer(u, u))[0] < _SINGULAR:
            msg = "some results follow from each other exactly, so they are one result; leave one out: exclude=[...]"
            raise UncertaintyError(msg)
        self.scaled = (self.values - self.values[0]) / self.scale
        self.chisqr = heterogeneity.chi_square(self.scaled, self.covariance)
        self.p = float(special.chdtrc(self.dof, self.chisqr))

    def consensus(self, text: str, expand: float | str | None) -> tuple[Quantity, list[str]]:
        """Return the consensus and what is to be said of it."""
        if self.method not in _WEIGHTED:
            return self._scattered(text), []
        if self.exact:
            msg = (
                f"weights come from the stated u, and {self.exact[:4]} state none above 0; exclude them, or use a "
                f"method that needs no u: {list(METHODS[4:])}"
            )
            raise UncertaintyError(msg)
        if self.method == "largest_consistent_subset":
            return self._subset(text)
        if self.method == "weighted_mean":
            return self._weighted(text, expand)
        return self._random(text)

    def _weighted(self, text: str, expand: float | str | None) -> tuple[Quantity, list[str]]:
        found = combine(list(self.labs.values()), label="consensus")
        self.weights = dict(zip(self.labs, found.weights.tolist(), strict=True))
        notes = [note for note in found.notes if "u was not enlarged" not in note]
        if expand is None:
            doubt = (
                "the laboratories differ by more than they state and u was not enlarged: find the missing source, "
                "or take expand=, largest_consistent_subset or mandel_paule, and say so"
            )
            return _renamed(found.quantity, {}, text), [*notes, *([] if found.consistent else [doubt])]
        apart = [abs(each.value - found.quantity.value) / each.u for each in self.labs.values()]
        factor = max(1.0, {"birge": found.birge, "residuals": max(apart) / _TWO}.get(str(expand), 0.0))
        factor = factor if isinstance(expand, str) else float(expand)
        own = _source(
            text, "expansion", "expansion factor", self.units, dof=self.dof if expand == "birge" else math.inf
        )
        extra = {own: found.quantity.u * math.sqrt(factor**2 - 1)}
        return _renamed(found.quantity, extra, text), [
            *notes,
            f"u was enlarged {factor:.2f} times, as asked ({expand})",
        ]

    def _subset(self, text: str) -> tuple[Quantity, list[str]]:
        chosen, thorough = heterogeneity.consistent_subset(self.scaled, self.covariance)
        names = list(self.labs)
        kept = [names[k] for k in chosen]
        found = combine([self.labs[name] for name in kept], label="consensus")
        self.weights = dict(zip(kept, found.weights.tolist(), strict=True))
        left = [name for name in names if name not in kept]
        notes = [f"left out as not consistent with the others: {', '.join(left)}"] if left else []
        if not thorough:
            notes.append("too many subsets to try all: the laboratory furthest out was left out again and again")
        return _renamed(found.quantity, {}, text), [*notes, *found.notes]

    def _random(self, text: str) -> tuple[Quantity, list[str]]:
        estimate = {"dersimonian_laird": heterogeneity.dersimonian_laird, "mandel_paule": heterogeneity.mandel_paule}
        variance = estimate[self.method](self.scaled, self.covariance)
        self.excess = math.sqrt(variance) * self.scale
        low, high = heterogeneity.excess_interval(self.scaled, self.covariance, level=self.level)
        self.excess_interval = (low * self.scale, high * self.scale)
        weights = heterogeneity.weights_of(self.covariance + variance * np.eye(self.values.size))
        self.weights = dict(zip(self.labs, weights.tolist(), strict=True))
        total = _weighted_sum(self.labs, self.weights)
        extra = {
            _source(text, name, f"excess of {name}", self.units, dof=self.dof, ensemble="excess"): w * self.excess
            for name, w in self.weights.items()
        }
        lies = "the excess by moments lies outside the interval of the chi-square profile; mandel_paule lies inside"
        return _renamed(total, extra, text), [] if low <= math.sqrt(variance) <= high else [lies]

    def _scattered(self, text: str) -> Quantity:
        count = self.values.size
        if self.method in ("mean", "median"):
            x = robust.require_values(self.values, least=2)
            middle = float(x.mean() if self.method == "mean" else np.median(x))
            self.spread = float(x.std(ddof=1) if self.method == "mean" else 1.483 * np.median(np.abs(x - middle)))
            u = self.spread / math.sqrt(count) * (1.0 if self.method == "mean" else 1.25)
        else:
            found = (robust.algorithm_a if self.method == "algorithm_a" else robust.q_hampel)(self.values)
            middle, self.spread, u = found.mean, found.sd, found.u
        if u == 0:
            msg = f"the results do not scatter, so the {self.method} has no u; use a method that takes the stated u"
            raise UncertaintyError(msg)
        own = _source(text, "scatter", "scatter of the laboratories", self.units, dof=self.dof)
        return Quantity.from_components(middle, {own: u}, units=self.units, label="consensus", history=text)


def _laboratory(name: str, result: Quantity, assigned: Quantity, weight: float | None, sigma: float) -> Laboratory:
    apart = result - assigned
    known = result.u > 0 and apart.u > 0
    zeta = apart.value / apart.u if known else math.nan
    return Laboratory(
        name=name,
        result=result,
        degree=Quantity.from_components(
            apart.value, apart.parts(), units=apart.units, label=f"{name} less consensus", history=apart.history
        ),
        weight=0.0 if weight is None else weight,
        z=apart.value / sigma if math.isfinite(sigma) else math.nan,
        z_prime=apart.value / math.hypot(sigma, assigned.u) if math.isfinite(sigma) else math.nan,
        zeta=zeta,
        en=zeta / _TWO,
        note="" if known else _NO_U,
    )


def _source(text: str, what: str, label: str, units: str, *, dof: float = math.inf, ensemble: str = "") -> Source:
    head = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return Source(
        id=f"{head}-{what}", label=label, units=units, kind="B" if math.isinf(dof) else "A", dof=dof,
        tags=("laboratories",), ensemble=f"{head}-{ensemble}" if ensemble else "",
    )  # fmt: skip


def _renamed(found: Quantity, extra: dict[Source, float], text: str) -> Quantity:
    return Quantity.from_components(
        found.value, {**found.parts(), **extra}, units=found.units, label="consensus", history=text
    )


def _weighted_sum(labs: dict[str, Quantity], weights: dict[str, float]) -> Quantity:
    parts: dict[Source, float] = {}
    for name, each in labs.items():
        for source, c in each.parts().items():
            parts[source] = parts.get(source, 0.0) + weights[name] * c
    value = math.fsum(weights[name] * each.value for name, each in labs.items())
    return Quantity.from_components(value, parts, units=next(iter(labs.values())).units)


def _require_settings(
    method: str, sigma: float | None, expand: float | str | None, level: float, *, reference: Quantity | None
) -> None:
    if method not in METHODS:
        msg = f"no method is named {method!r}; there are {list(METHODS)}.{did_you_mean(str(method), METHODS)}"
        raise UncertaintyError(msg)
    given: object = reference
    if not isinstance(given, Quantity | None):
        msg = f"reference must be a Quantity with its u, got a {type(given).__name__}"
        raise UncertaintyError(msg)
    if sigma is not None:
        require_number(sigma, "sigma", above=0.0)
    require_level(level)
    if expand is None:
        return
    fits = (
        expand in ("birge", "residuals")
        if isinstance(expand, str)
        else not isinstance(expand, bool) and 1 <= expand < math.inf
    )
    if not fits or method != "weighted_mean" or reference is not None:
        msg = (
            f"expand is 'birge', 'residuals' or a factor of at least 1, and for the weighted mean; got {expand!r} for "
            f"{method if reference is None else 'a reference'!r}"
        )
        raise UncertaintyError(msg)


def _said(
    work: _Work, members: Sequence[Laboratory], assigned: Quantity, sigma: float, *, given: bool, reference: bool
) -> list[str]:
    notes = []
    silent = [each.name for each in members if each.note]
    if silent:
        notes.append(f"{', '.join(silent)}: {_NO_U}")
    if not reference and work.method not in _WEIGHTED:
        notes.append(
            "the consensus is made from the scatter of the results; its covariance with each of them is left out, "
            "as ISO 13528 does"
        )
        if len(work.labs) < _FEW:
            notes.append(f"{len(work.labs)} laboratories are few for a robust method, which wants about {_FEW}")
    if given and assigned.u > _NEGLIGIBLE * sigma:
        notes.append(f"u of the assigned value exceeds {_NEGLIGIBLE:g} sigma: take z' instead of z")
    return notes
