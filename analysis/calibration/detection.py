"""Critical value, detection limit and quantification limit of a calibration curve, each with its uncertainty.

A reading is compared with the curve at zero: above the critical value it says that there is something. The detection
limit is the content that is found so but for a share beta, and the quantification limit the one whose relative
uncertainty is small enough. Not here: the curve (`analysis.calibration.curve`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from analysis.calibration.curve import CurveCalibration
from analysis.calibration.curve_families import shown
from analysis.core import CalibrationError, Displayed, did_you_mean, history
from analysis.uncertainty import Quantity, Source, effective_dof
from analysis.uncertainty import sources as source_rules

__all__ = ["DetectionLimits", "detection_limits"]

Array = npt.NDArray[np.float64]
REACH = 1e-6
STEP = 1e-4
MANY = 1e6  # degrees of freedom from which Student's t is normal to 6 digits
Method = Literal["noncentral_t", "sum_of_t"]
METHODS = {
    "noncentral_t": "noncentral t, delta(nu; alpha; beta) of ISO 11843-2",
    "sum_of_t": "t(alpha) + t(beta), the approximation of ISO 11843-2 for delta",
}
Limit = Callable[["_State"], Callable[[float], float]]
Noise = float | Quantity | Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class DetectionLimits(Displayed):
    """What can be told from nothing, and what can be measured.

    The u of a limit is how well it is known: from the slope of the curve and from the estimate of the noise.
    """

    critical: Quantity
    """Critical value: an x found above it says with error probability `alpha` that there is something."""
    detection: Quantity
    """Detection limit: an x so large is found above the critical value but for a share `beta`."""
    quantification: Quantity
    """Quantification limit: the x whose relative standard uncertainty is `relative`."""
    alpha: float
    """Probability of a false alarm."""
    beta: float
    """Probability to miss the detection limit."""
    relative: float
    """Relative standard uncertainty at the quantification limit."""
    repeats: int
    """Observations that are averaged for one x."""
    dof: float
    """Degrees of freedom of the u of a blank on which the first two limits stand."""
    method: Method
    """How the detection limit follows from it."""

    @property
    def units(self) -> str:
        """Units of x."""
        return self.critical.units

    def __str__(self) -> str:
        """Write the three and the method."""
        texts = [
            f"{name} {str(value).removesuffix(' (k = 1)')}"
            for name, value in (
                ("critical value", self.critical),
                ("detection limit", self.detection),
                ("quantification limit", self.quantification),
            )
        ]
        return (
            f"{', '.join(texts)} (alpha {self.alpha:g}, beta {self.beta:g}, {100 * self.relative:g} %, "
            f"mean of {self.repeats}; {METHODS[self.method]}, {self.dof:.3g} degrees of freedom)"
        )

    __repr__ = __str__


@dataclass(frozen=True, kw_only=True)
class _State:
    """What the limits are a function of: parameters of the curve and the size of the noise, 1 as estimated."""

    curve: CurveCalibration
    b: Array
    noise: Callable[[float], float]
    scale: float
    reading: Source

    def net(self, x: float) -> float:
        """Return the signal above that of a blank."""
        at = np.array([x, 0.0])
        high, low = self.curve.family.value(at, self.b)
        return float(high - low)

    def parts(self, x: float, *, at: float) -> dict[Source, float]:
        """Return what a mean reading at x less the curve at another place comes from, in the units of y."""
        size = self.noise(x)
        if not 0.0 < size < math.inf:
            msg = f"the noise of an observation must be positive and finite; got {size} at x = {x:g}"
            raise CalibrationError(msg)
        row = self.curve.family.gradient(np.array([at]), self.b)[0]
        grown = self.scale if self.reading.ensemble else 1.0  # the noise is that of the curve too
        own = {source: grown * float(row @ part) for source, part in self.curve.contributions.items()}
        return {**own, self.reading: self.scale * size}


def detection_limits(
    curve: CurveCalibration, *, repeats: int = 1, u_reading: Noise | None = None, alpha: float = 0.05,
    beta: float = 0.05, relative: float = 0.1, method: Method = "noncentral_t", extrapolate: bool = False,
) -> DetectionLimits:  # fmt: skip
    """Return the limits of detection and quantification of a rising curve.

    Parameters
    ----------
    curve:
        It rises, and its points reach down to zero; they may have errors in both variables.
    repeats:
        Observations that are averaged for one x, at least 1.
    u_reading:
        Standard deviation of one observation, in the units of y: a number, a Quantity where it is itself uncertain, or
        a function of x where the noise depends on it. None takes the scatter that the residuals gave.
    alpha, beta:
        Probabilities of a false alarm and of a miss, in (0, 0.5).
    relative:
        Relative standard uncertainty that quantification asks for, in (0, 1).
    method:
        `"noncentral_t"`: the detection limit by the noncentrality parameter delta(nu; alpha; beta) of ISO 11843-2,
        exact for a straight line with equal noise; `"sum_of_t"`: by the sum of the two quantiles, which the standard
        allows for nu > 3 and which is too large by 5 % at nu = 4.
    extrapolate:
        Take the curve down to zero from points that do not reach it.

    Returns
    -------
    :
        The limits, in the units of x.

    Raises
    ------
    CalibrationError
        If the noise is not known, the curve does not rise from zero, or a limit lies above its range.

    References
    ----------
    ISO 11843-2:2000; L. A. Currie, Pure Appl. Chem. 67 (1995) 1699, doi:10.1351/pac199567101699.
    """
    if repeats < 1 or not 0 < alpha < 0.5 or not 0 < beta < 0.5 or not 0 < relative < 1:  # noqa: PLR2004
        msg = (
            f"repeats must be at least 1, alpha and beta in (0, 0.5), relative in (0, 1); got {repeats}, {alpha}, "
            f"{beta}, {relative}"
        )
        raise CalibrationError(msg)
    if method not in METHODS:
        msg = f"no method named {method!r}; there are {list(METHODS)}.{did_you_mean(method, list(METHODS))}"
        raise CalibrationError(msg)
    state, size = _state(curve, u_reading, repeats)
    rises = float(curve.family.slope(np.array([0.0]), curve.values)[0]) > 0.0
    if not rises or (curve.low > 0.0 and not extrapolate):
        msg = (
            f"the limits lie near x = 0, where the curve must rise; its points go from {curve.low:g} to {curve.high:g} "
            f"{shown(curve.of_units)}. Measure blanks too, or pass extrapolate=True"
        )
        raise CalibrationError(msg)
    said = history.extend(
        "calibration.detection_limits",
        settings={"repeats": repeats, "u_reading": _said(u_reading), "alpha": alpha, "beta": beta, "relative": relative,
                  "method": method, "extrapolate": extrapolate},
        inputs={"curve": curve, **({"u_reading": u_reading} if isinstance(u_reading, Quantity) else {})},
    )  # fmt: skip
    found = [
        _with_sources(limit, state, size, label, said)
        for label, limit in (
            ("critical value", partial(_critical, alpha=alpha)),
            ("detection limit", partial(_detection, alpha=alpha, beta=beta, method=method)),
            ("quantification limit", partial(_quantification, relative=relative)),
        )
    ]
    return DetectionLimits(
        critical=found[0], detection=found[1], quantification=found[2], alpha=alpha, beta=beta, relative=relative,
        repeats=repeats, dof=effective_dof(state.parts(0.0, at=0.0)), method=method,
    )  # fmt: skip


def _said(given: Noise | None) -> object:
    if given is None or isinstance(given, float | int):
        return given
    return "with its sources" if isinstance(given, Quantity) else "a function of x"


def _state(curve: CurveCalibration, given: Noise | None, repeats: int) -> tuple[_State, Quantity]:
    """Return what the limits follow from, and the relative size of the noise as a quantity, 1 with its u."""
    if given is None and curve.scatter is None:
        msg = "the uncertainties of the points were given, so the noise of an observation is not known; give u_reading"
        raise CalibrationError(msg)
    root, exact = math.sqrt(repeats), Quantity(value=1.0, u=0.0, units="1")
    dof, ensemble, size = math.inf, "", exact
    if given is None:
        dof, ensemble, scatter = curve.dof, curve.ensemble, float(curve.scatter or 0.0)
        # the relative standard deviation of a standard deviation from nu degrees of freedom
        size = Quantity(value=1.0, u=1.0 / math.sqrt(2.0 * dof), units="1", dof=dof, label="estimate of the scatter")
        noise: Callable[[float], float] = lambda x: scatter / root  # noqa: ARG005, E731 - the same everywhere
    elif isinstance(given, Quantity):
        own = given.to(curve.units)
        dof, value = own.dof, own.value
        if own.u > 0.0 and value > 0.0:
            size = Quantity.from_components(1.0, {s: c / value for s, c in own.parts().items()}, units="1")
        noise = lambda x: value / root  # noqa: ARG005, E731
    elif callable(given):
        function = given
        noise = lambda x: function(x) / root  # noqa: E731
    else:
        number = given
        noise = lambda x: number / root  # noqa: ARG005, E731
    kind: Literal["A", "B"] = "B" if math.isinf(dof) else "A"
    reading = Source(id=source_rules.fresh_id(), label="reading", kind=kind, dof=dof, ensemble=ensemble)
    return _State(curve=curve, b=curve.values, noise=noise, scale=1.0, reading=reading), size


def _with_sources(limit: Limit, state: _State, size: Quantity, label: str, said: str) -> Quantity:
    """Solve for a limit; its derivatives by parameters and noise are those of the equation that it solves."""
    curve, distance = state.curve, limit(state)
    found = _solve(distance, curve, label)

    def slope(moved: Callable[[float], float], step: float) -> float:
        return (moved(step) - moved(-step)) / (2.0 * step)

    by_x = slope(lambda h: distance(found + h), STEP * found)
    stack = np.array(list(curve.contributions.values())).reshape(-1, state.b.size)
    slopes = np.zeros(state.b.size)
    for k, u in enumerate(np.sqrt((stack**2).sum(axis=0))):
        if u > 0.0:
            unit = np.eye(state.b.size)[k]
            slopes[k] = slope(lambda h, unit=unit: limit(replace(state, b=state.b + h * unit))(found), STEP * u)  # type: ignore[misc]
    components = {source: float(slopes @ part) / -by_x for source, part in curve.contributions.items()}
    if size.u > 0.0:
        grown = slope(lambda h: limit(replace(state, scale=1.0 + h))(found), STEP) / -by_x
        for source, part in size.parts().items():
            components[source] = components.get(source, 0.0) + grown * part
    return Quantity.from_components(found, components, units=curve.of_units, label=label, history=said)


def _margin(components: dict[Source, float], probability: float) -> float:
    """Return how far an error of these sources goes with a probability to go further, by Student's t."""
    dof = effective_dof(components)
    quantile = special.ndtri(1.0 - probability) if dof > MANY else special.stdtrit(dof, 1.0 - probability)
    return float(quantile) * math.hypot(*components.values())


def _critical(state: _State, *, alpha: float) -> Callable[[float], float]:
    signal = _margin(state.parts(0.0, at=0.0), alpha)
    return lambda x: state.net(x) - signal


def _detection(state: _State, *, alpha: float, beta: float, method: Method) -> Callable[[float], float]:
    blank = state.parts(0.0, at=0.0)
    critical, dof = _margin(blank, alpha), effective_dof(blank)

    def distance(x: float) -> float:
        parts = state.parts(x, at=0.0)
        u, net = math.hypot(*parts.values()), state.net(x)
        if method == "sum_of_t" or dof > MANY:
            return net - critical - _margin(parts, beta)
        missed = float(special.nctdtr(dof, net / u, critical / u)) if net > 0.0 else 1.0
        return beta - (0.0 if math.isnan(missed) else missed)  # the sum underflows far above the limit only

    return distance


def _quantification(state: _State, *, relative: float) -> Callable[[float], float]:
    def distance(x: float) -> float:
        slope = float(state.curve.family.slope(np.array([x]), state.b)[0])
        return relative * x - math.hypot(*state.parts(x, at=x).values()) / slope

    return distance


def _solve(distance: Callable[[float], float], curve: CurveCalibration, what: str) -> float:
    low, high = REACH * curve.high, curve.high
    if distance(high) <= 0.0:
        msg = (
            f"the {what} lies above the calibrated range, which ends at {curve.high:g} {shown(curve.of_units)}; "
            "average more observations, or calibrate further"
        )
        raise CalibrationError(msg)
    if distance(low) >= 0.0:
        return low
    return float(optimize.brentq(distance, low, high, xtol=1e-13 * high, rtol=1e-13))
