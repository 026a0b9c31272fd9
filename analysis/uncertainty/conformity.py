"""Conformity with a tolerance: probabilities, guard bands and the risks of wrong decisions (JCGM 106).

Not here: control charts and capability of processes. References: JCGM 106:2012, 7 (probability of conformity), 8 (guard
bands), 9 (risks), annex A (prior); ILAC-G8:09/2019 for w = r U.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import integrate, special

from analysis.core import Displayed, UncertaintyError
from analysis.uncertainty.budget import Budget
from analysis.uncertainty.formatting import format_value
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sample import Sample

Limits = tuple[float, float]
_WIDE = 12.0


@dataclass(frozen=True, kw_only=True)
class Conformity(Displayed):
    """A measured value held against its tolerance."""

    probability: float
    """Probability that the true value conforms, in [0, 1], given the measurement (and the prior, if one was given)."""
    accepted: bool
    """Whether the measured value lies in the acceptance interval."""
    consumer_risk: float
    """Specific consumer's risk: probability that the accepted item does not conform; NaN for a rejected one."""
    producer_risk: float
    """Specific producer's risk: probability that the rejected item conforms; NaN for an accepted one."""
    tolerance: Limits
    """Tolerance limits, in `units`; infinite where there is none."""
    acceptance: Limits
    """Acceptance limits, in `units`."""
    guard_band: float
    """Width of the guard band, in `units`; negative where the acceptance interval is wider than the tolerance."""
    tur: float
    """Test uncertainty ratio, width of the tolerance over that of the 95 % interval; NaN for a one-sided tolerance."""
    units: str
    """UDUNITS string of the result."""
    sentence: str
    """The decision in plain words."""

    def __str__(self) -> str:
        """Write the decision."""
        return self.sentence


@dataclass(frozen=True, kw_only=True)
class Risks(Displayed):
    """Global risks of a test, before anything is measured."""

    pfa: float
    """Global consumer's risk: probability that an item does not conform and is accepted."""
    pfr: float
    """Global producer's risk: probability that an item conforms and is rejected."""
    conforming: float
    """Probability that an item conforms."""


def conformity(
    result: Quantity | Budget | Sample,
    *,
    lower: float | None = None,
    upper: float | None = None,
    guard: float = 0.0,
    prior: Quantity | None = None,
) -> Conformity:
    """Decide whether a measured value conforms, and how probable it is that the true one does.

    Parameters
    ----------
    result:
        The measurement; a `Sample` counts its draws, anything else follows Student's t for its degrees of freedom.
    lower, upper:
        Tolerance limits, in the units of the result; at least one.
    guard:
        Guard band as a multiple r of U (95 %): 0 is simple acceptance, 1 guarded acceptance by U, negative guarded
        rejection.
    prior:
        What was known of the item before, normal, in any units of the same dimension; the measurement is then taken
        as normal too (JCGM 106, A.4.4).

    Returns
    -------
    :
        Probability, decision and specific risk.

    Raises
    ------
    UncertaintyError
        If there is no limit, limits are not in order, the guard bands leave nothing to accept, or the result is exact.
    UnitsError
        If the prior has other units.
    """
    limits = _limits(lower, upper)
    value, u, half = _state(result)
    width = guard * half
    low, high = limits[0] + width, limits[1] - width
    if not low <= high:
        msg = (
            f"guard bands of {width:g} {result.units} leave nothing between {limits[0]:g} and {limits[1]:g}; "
            "measure better, or take a smaller guard"
        )
        raise UncertaintyError(msg)
    probability = _probability(result, limits) if prior is None else _with_prior(value, u, prior, limits, result.units)
    accepted = low <= value <= high
    both = math.isfinite(limits[1] - limits[0])
    units = "" if result.units == "1" else f" {result.units}"
    verdict = "accepted" if accepted else "rejected"
    return Conformity(
        probability=probability,
        accepted=accepted,
        consumer_risk=1 - probability if accepted else math.nan,
        producer_risk=math.nan if accepted else probability,
        tolerance=limits,
        acceptance=(low, high),
        guard_band=width,
        tur=(limits[1] - limits[0]) / (2 * half) if both else math.nan,
        units=result.units,
        sentence=f"{format_value(value, u)}{units} is {verdict} (guard band {guard:g} U): the probability that it "
        f"conforms is {100 * probability:.3g} %.",
    )


def guard_factor(risk: float, *, dof: float = math.inf, level: float = 0.95) -> float:
    """Return the guard band that holds the specific risk at an acceptance limit, as a multiple of U.

    Parameters
    ----------
    risk:
        Largest probability that an accepted item lies beyond the near limit, in (0, 1).
    dof:
        Degrees of freedom of u.
    level:
        Coverage probability of U, in (0, 1).

    Returns
    -------
    :
        r in w = r U; 0.84 for 5 % and infinite `dof`. The far limit is left out, which matters where the tolerance is
        not wider than U.

    Raises
    ------
    UncertaintyError
        If `risk`, `level` or `dof` is out of range.
    """
    if not (0 < risk < 1 and 0 < level < 1 and dof > 0):
        msg = f"risk and level must lie in (0, 1) and dof above 0, got {risk:g}, {level:g} and {dof:g}"
        raise UncertaintyError(msg)
    if math.isinf(dof):
        return float(special.ndtri(1 - risk) / special.ndtri(0.5 * (1 + level)))
    return float(special.stdtrit(dof, 1 - risk) / special.stdtrit(dof, 0.5 * (1 + level)))


def global_risks(
    u: float,
    *,
    prior: Quantity,
    lower: float | None = None,
    upper: float | None = None,
    guard_band: float = 0.0,
) -> Risks:
    """Return the risks of a test for items that are distributed as the prior says.

    Parameters
    ----------
    u:
        Standard uncertainty of the measurement, normal, in the units of the prior, > 0.
    prior:
        Mean and standard deviation of the items, normal.
    lower, upper:
        Tolerance limits, in the units of the prior; at least one.
    guard_band:
        Width of the guard band, in the same units.

    Returns
    -------
    :
        PFA and PFR (JCGM 106, 9.5).

    Raises
    ------
    UncertaintyError
        If limits are missing or not in order, or a standard uncertainty is not above 0.
    """
    limits = _limits(lower, upper)
    low, high = limits[0] + guard_band, limits[1] - guard_band
    if not (u > 0 and prior.u > 0 and math.isfinite(u) and low < high):
        msg = (
            f"wanted u and the prior's u above 0 and an acceptance interval, got {u:g}, {prior.u:g} and "
            f"[{low:g}, {high:g}] {prior.units}"
        )
        raise UncertaintyError(msg)

    def accept(item: float) -> float:
        return float(special.ndtr((high - item) / u) - special.ndtr((low - item) / u))

    def density(item: float) -> float:
        return math.exp(-0.5 * ((item - prior.value) / prior.u) ** 2) / (prior.u * math.sqrt(2 * math.pi))

    def total(start: float, end: float, *, rejected: bool) -> float:
        first = max(start, prior.value - _WIDE * prior.u)
        last = min(end, prior.value + _WIDE * prior.u)
        if first >= last:
            return 0.0
        edges = [edge + step * u for edge in (low, high) for step in (-6, 0, 6) if math.isfinite(edge)]
        points = [each for each in (prior.value, *edges) if first < each < last]
        found = integrate.quad(
            lambda item: density(item) * ((1 - accept(item)) if rejected else accept(item)),
            first,
            last,
            points=points or None,
            limit=400,
            epsabs=1e-14,
            epsrel=1e-10,
        )
        return float(found[0])

    inside = special.ndtr((limits[1] - prior.value) / prior.u) - special.ndtr((limits[0] - prior.value) / prior.u)
    return Risks(
        pfa=total(-math.inf, limits[0], rejected=False) + total(limits[1], math.inf, rejected=False),
        pfr=total(*limits, rejected=True),
        conforming=float(inside),
    )


def _limits(lower: float | None, upper: float | None) -> Limits:
    low = -math.inf if lower is None else float(lower)
    high = math.inf if upper is None else float(upper)
    if (lower is None and upper is None) or not low < high:
        msg = f"a tolerance needs a lower or an upper limit, the lower one below; got {lower} and {upper}"
        raise UncertaintyError(msg)
    return low, high


def _state(result: Quantity | Budget | Sample) -> tuple[float, float, float]:
    given: object = result
    if not isinstance(given, Quantity | Budget | Sample):
        msg = f"conformity needs a Quantity, a Budget or a Sample, got a {type(given).__name__}"
        raise UncertaintyError(msg)
    if not result.u > 0:
        msg = "an exact result conforms or does not; conformity needs u above 0"
        raise UncertaintyError(msg)
    if isinstance(result, Sample):
        low, high = result.interval()
        return result.value, result.u, 0.5 * (high - low)
    return result.value, result.u, result.U()


def _probability(result: Quantity | Budget | Sample, limits: Limits) -> float:
    if isinstance(result, Sample):
        return float(np.mean((result.draws >= limits[0]) & (result.draws <= limits[1])))
    low, high = ((limit - result.value) / result.u for limit in limits)
    if low > 0:  # the upper tail, where a difference of probabilities near 1 would lose digits
        low, high = -high, -low
    if math.isinf(result.dof):
        return float(special.ndtr(high) - special.ndtr(low))
    return float(special.stdtr(result.dof, high) - special.stdtr(result.dof, low))


def _with_prior(value: float, u: float, prior: Quantity, limits: Limits, units: str) -> float:
    known = prior.to(units)
    if not known.u > 0:
        msg = "a prior without uncertainty leaves nothing to decide; give it a u above 0"
        raise UncertaintyError(msg)
    weight = known.u**2 / (known.u**2 + u**2)
    centre, spread = weight * value + (1 - weight) * known.value, u * math.sqrt(weight)
    return _probability(Quantity(value=centre, u=spread, units=units), limits)
