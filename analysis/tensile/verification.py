"""Verification of force (ISO 7500-1) and extension (ISO 9513) measuring systems: errors, repeatability, class.

Not here: calibration curves of transducers (`analysis.calibration`). The limits are those of ISO 7500-1:2018, table 2,
and ISO 9513:2012, table 2, as general knowledge of the field; the tables themselves were not seen.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.core import Displayed, UncertaintyError
from analysis.uncertainty import Quantity, distributions, type_a

Floats = npt.NDArray[np.float64]
FORCE_LIMITS = {0.5: (0.5, 0.5, 0.75, 0.05, 0.25), 1.0: (1.0, 1.0, 1.5, 0.1, 0.5), 2.0: (2.0, 2.0, 3.0, 0.2, 1.0),
                3.0: (3.0, 3.0, 4.5, 0.3, 1.5)}  # fmt: skip
"""Class to limits of q, b, v, f0 and a, %."""
EXTENSION_LIMITS = {0.2: (0.2, 0.6, 0.1, 0.2), 0.5: (0.5, 1.5, 0.25, 0.5), 1.0: (1.0, 3.0, 0.5, 1.0),
                    2.0: (2.0, 6.0, 1.0, 2.0)}  # fmt: skip
"""Class to limits of error (%, µm) and resolution (%, µm); of each pair the larger holds."""


@dataclass(frozen=True, kw_only=True)
class Verification(Displayed):
    """Errors of a measuring system at each step, and its class."""

    steps: Mapping[str, Floats]
    """By name: the true values, the relative errors and their standard uncertainty, % (extensions also in µm)."""
    errors: tuple[Quantity, ...]
    """The mean error of each step, %, with repeatability, resolution and, where given, the standard as its sources."""
    achieved: float | None
    """The best class that all steps meet; None if there is none."""
    standard: str
    """The method."""
    sentence: str
    """The outcome in plain words."""

    def __str__(self) -> str:
        """Write the outcome."""
        return self.sentence


def verify_force(
    true: npt.ArrayLike,
    indicated: npt.ArrayLike,
    *,
    resolution: float,
    falling: npt.ArrayLike | None = None,
    zero: npt.ArrayLike | None = None,
    standard: Quantity | None = None,
) -> Verification:
    """Classify a force-measuring system from its steps, and state the uncertainty of each error.

    The class follows from the errors alone, as the standard has it; their uncertainty is stated beside them.

    Parameters
    ----------
    true:
        Forces of the steps, shape `(n,)`, > 0, one unit for all.
    indicated:
        What the machine showed, shape `(runs, n)`, at least 3 runs.
    resolution:
        Of the indicator, same unit.
    falling:
        One run with decreasing force, shape `(n,)`, if reversibility is asked for.
    zero:
        Residual indication after each run, shape `(runs,)`; relative to the largest step.
    standard:
        Relative error of the force standard with its uncertainty (calibration, drift, temperature), for example 0.00(6)
        `percent`: one source for all steps. None leaves it out, and `sentence` says so.

    Returns
    -------
    :
        `q` (error), `u_q`, `b` (repeatability), `v` (reversibility), `f0` (zero), `a` (resolution), % of the true
        force. `u_q` combines the standard deviation of the mean of the runs, half a resolution as rectangular, and the
        standard, as EURAMET cg-4 does (steps of calibration by the testing machine's indication).

    Raises
    ------
    UncertaintyError
        If shapes or numbers make no sense.
    """
    force, runs = _runs(true, indicated)
    steps = {
        "true": force,
        "q": 100 * (runs.mean(axis=0) - force) / force,
        "b": 100 * np.ptp(runs, axis=0) / force,
        "a": np.asarray(100 * resolution / force),
    }
    errors = _errors(100 * (runs - force) / force, 100 * resolution / force, standard)
    steps["u_q"] = np.array([each.u for each in errors])
    if falling is not None:
        steps["v"] = 100 * (_like(falling, force.shape, "falling") - runs[-1]) / force
    if zero is not None:
        steps["f0"] = 100 * _like(zero, (runs.shape[0],), "zero") / force.max()
    order = ("q", "b", "v", "f0", "a")
    met = [
        name
        for name, limits in FORCE_LIMITS.items()
        if all(_within(steps[key], limit) for key, limit in zip(order, limits, strict=True) if key in steps)
    ]
    missing = [key for key in order if key not in steps]
    return _verdict(steps, errors, met, "ISO 7500-1", missing + ([] if standard is not None else ["force standard"]))


def verify_extension(
    true: npt.ArrayLike, indicated: npt.ArrayLike, *, resolution: float, standard: Quantity | None = None
) -> Verification:
    """Classify an extensometer system from its steps, and state the uncertainty of each error.

    Parameters
    ----------
    true:
        Displacements, shape `(n,)`, > 0, mm.
    indicated:
        What the system showed, shape `(runs, n)`, at least 2 runs, mm.
    resolution:
        mm.
    standard:
        Relative error of the calibration apparatus with its uncertainty, `percent`; None leaves it out.

    Returns
    -------
    :
        `error` (%) and `error_um` of the worst run of each step, `u_error` (%) of the mean of the runs, and the class
        that every run meets.

    Raises
    ------
    UncertaintyError
        If shapes or numbers make no sense.
    """
    length, runs = _runs(true, indicated, least=2)
    errors = runs - length
    worst = np.take_along_axis(errors, np.abs(errors).argmax(axis=0)[None, :], axis=0)[0]
    found = _errors(100 * errors / length, 100 * resolution / length, standard)
    steps = {"true": length, "error": 100 * worst / length, "error_um": 1e3 * worst}
    steps["u_error"] = np.array([each.u for each in found])
    met = [
        name
        for name, (part, micro, fine, small) in EXTENSION_LIMITS.items()
        if bool(np.all((np.abs(steps["error"]) <= part) | (np.abs(steps["error_um"]) <= micro)))
        and bool(np.all((100 * resolution / length <= fine) | (1e3 * resolution <= small)))
    ]
    missing = ["gauge length error"] + ([] if standard is not None else ["calibration apparatus"])
    return _verdict(steps, found, met, "ISO 9513", missing)


def _errors(runs: Floats, resolution: Floats, standard: Quantity | None) -> tuple[Quantity, ...]:
    """Return the mean relative error of each step, %, with its sources; `runs` and `resolution` are in %."""
    if standard is not None and standard.units != "percent":
        msg = f"the error of the standard must be in 'percent', got {standard.units!r}. Convert: standard.to('percent')"
        raise UncertaintyError(msg)
    return tuple(
        type_a(step, units="percent", label=f"repeatability of step {k + 1}")
        + Quantity(
            value=0.0, u=float(part) / math.sqrt(12.0), units="percent", label=f"resolution of step {k + 1}",
            distribution=distributions.rectangular(),
        )
        - (0.0 if standard is None else standard)
        for k, (step, part) in enumerate(zip(runs.T, resolution, strict=True))
    )  # fmt: skip


def _runs(true: npt.ArrayLike, indicated: npt.ArrayLike, *, least: int = 3) -> tuple[Floats, Floats]:
    steps, runs = np.asarray(true, dtype=float), np.asarray(indicated, dtype=float)
    if steps.ndim != 1 or runs.ndim != 2 or runs.shape[1] != steps.size or runs.shape[0] < least:  # noqa: PLR2004
        msg = f"wanted indicated of shape (runs, {steps.size}) with at least {least} runs, got {runs.shape}"
        raise UncertaintyError(msg)
    if not (np.isfinite(runs).all() and np.isfinite(steps).all() and (steps > 0).all()):
        msg = "true values must be above 0 and all numbers finite; leave steps out that were not taken"
        raise UncertaintyError(msg)
    return steps, runs


def _like(values: npt.ArrayLike, shape: tuple[int, ...], name: str) -> Floats:
    found = np.asarray(values, dtype=float)
    if found.shape != shape or not np.isfinite(found).all():
        msg = f"{name} must be finite and of shape {shape}, got shape {found.shape}"
        raise UncertaintyError(msg)
    return found


def _within(values: Floats, limit: float) -> bool:
    return bool(np.all(np.abs(values) <= limit * (1 + 1e-9)))


def _verdict(
    steps: Mapping[str, Floats], errors: tuple[Quantity, ...], met: list[float], standard: str, missing: list[str]
) -> Verification:
    best = min(met) if met else None
    words = f"class {best:g} of {standard}" if best is not None else f"no class of {standard}"
    untested = f"; not tested: {', '.join(missing)}" if missing else ""
    largest = max(each.U() for each in errors)
    return Verification(
        steps=steps, errors=errors, achieved=best, standard=standard,
        sentence=f"{words} over {steps['true'].size} steps, U of an error up to {largest:.2g} %{untested}",
    )  # fmt: skip
