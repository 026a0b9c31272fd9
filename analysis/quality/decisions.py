"""Decisions on conformity by a named rule: pass, conditional pass, conditional fail, fail.

Not here: probabilities, guard bands and risks themselves (`analysis.uncertainty.conformity`). References:
ILAC-G8:09/2019, 4.2; JCGM 106:2012; ISO 14253-1:2017 (its default of 95 % as restated
elsewhere; the text was not seen).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.core import Cell, Displayed, UncertaintyError, did_you_mean
from analysis.uncertainty import Budget, Conformity, Quantity, Sample, guard_factor
from analysis.uncertainty import conformity as evaluate

RULES = ("simple", "guarded", "non_binary", "iso_14253", "risk", "guarded_rejection")


class Outcome(StrEnum):
    """What a decision says."""

    PASS = "pass"  # noqa: S105 - no password
    CONDITIONAL_PASS = "conditional pass"  # noqa: S105 - as above
    CONDITIONAL_FAIL = "conditional fail"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Decision(Displayed):
    """A measured value held against its tolerance by a rule."""

    outcome: Outcome
    """What the rule says."""
    rule: str
    """Its name."""
    conformity: Conformity
    """Probability, acceptance interval, guard band and specific risks."""

    @property
    def probability(self) -> float:
        """Probability that the true value conforms."""
        return self.conformity.probability

    @property
    def accepted(self) -> bool:
        """Whether the measured value lies in the acceptance interval."""
        return self.conformity.accepted

    @property
    def acceptance(self) -> tuple[float, float]:
        """Acceptance limits, in the units of the result."""
        return self.conformity.acceptance

    @property
    def consumer_risk(self) -> float:
        """Probability that the accepted item does not conform; NaN for a rejected one."""
        return self.conformity.consumer_risk

    @property
    def producer_risk(self) -> float:
        """Probability that the rejected item conforms; NaN for an accepted one."""
        return self.conformity.producer_risk

    def __str__(self) -> str:
        """Write outcome, rule and probability."""
        return f"{self.outcome.value} by the rule {self.rule!r}: {self.conformity.sentence}"

    def _rows(self) -> Sequence[Mapping[str, Cell]]:
        found = self.conformity
        units = "" if found.units == "1" else f" {found.units}"
        return [
            {"what": "tolerance", "value": f"[{found.tolerance[0]:g}, {found.tolerance[1]:g}]{units}"},
            {"what": "acceptance", "value": f"[{found.acceptance[0]:g}, {found.acceptance[1]:g}]{units}"},
            {"what": "guard band", "value": f"{found.guard_band:.3g}{units}"},
            {"what": "probability of conformity", "value": f"{100 * found.probability:.4g} %"},
        ]


def conformity(
    result: Quantity | Budget | Sample,
    *,
    lower: float | None = None,
    upper: float | None = None,
    rule: str = "simple",
    risk: float = 0.05,
    guard: float | None = None,
    prior: Quantity | None = None,
) -> Decision:
    """Decide by a rule whether a measured value conforms.

    Parameters
    ----------
    result:
        The measurement.
    lower, upper:
        Tolerance limits, in the units of the result; at least one.
    rule:
        `"simple"` (no guard band), `"guarded"` (pass inside the tolerance less U), `"non_binary"` (the same, and
        conditional where the value lies within U of a limit), `"iso_14253"` (probability of at least 95 %), `"risk"`
        (specific risk at the limit of at most `risk`), `"guarded_rejection"` (fail beyond the tolerance plus U alone).
    risk:
        For the rule of that name, in (0, 0.5).
    guard:
        Guard band as a multiple of U, in place of that of the rule.
    prior:
        What was known of the item before, normal.

    Returns
    -------
    :
        Outcome, probability, acceptance limits and risks.

    Raises
    ------
    UncertaintyError
        If the rule is unknown, a setting is out of range, there is no limit, limits are not in order, guard bands leave
        nothing to accept, or the result is exact.
    UnitsError
        If the prior has other units.
    """
    if rule not in RULES:
        msg = f"no rule is named {rule!r}; there are {list(RULES)}.{did_you_mean(str(rule), RULES)}"
        raise UncertaintyError(msg)
    if not 0 < risk < 0.5 or (guard is not None and not math.isfinite(guard)):  # noqa: PLR2004 - simple acceptance has it
        msg = f"risk must lie in (0, 0.5) and guard be finite, got {risk} and {guard}"
        raise UncertaintyError(msg)
    r = _guard(result, rule, risk) if guard is None else guard
    found = evaluate(result, lower=lower, upper=upper, guard=r, prior=prior)
    return Decision(outcome=_outcome(result.value, found, rule), rule=rule, conformity=found)


def _guard(result: Quantity | Budget | Sample, rule: str, risk: float) -> float:
    fixed = {"simple": 0.0, "guarded": 1.0, "non_binary": 1.0, "guarded_rejection": -1.0}
    dof = getattr(result, "dof", math.inf)
    return fixed[rule] if rule in fixed else guard_factor(0.05 if rule == "iso_14253" else risk, dof=dof)


def _outcome(value: float, found: Conformity, rule: str) -> Outcome:
    if found.accepted:
        return Outcome.PASS
    (low, high), band = found.tolerance, found.guard_band
    if rule != "non_binary" or not low - band <= value <= high + band:
        return Outcome.FAIL
    return Outcome.CONDITIONAL_PASS if low <= value <= high else Outcome.CONDITIONAL_FAIL
