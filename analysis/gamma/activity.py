"""Activity from the net counts of a peak, with its budget, and the correction of decay.

Not here: net counts (`analysis.gamma.photopeak`), limits (`analysis.gamma.limits`).
Reference: ISO 20042:2019, gamma-ray spectrometry, generic method.
"""

import math

from analysis.core import CalibrationError
from analysis.gamma.nuclides import Line, Nuclide
from analysis.uncertainty import Budget, Quantity, propagate

__all__ = ["activity", "decay_factor"]

LN2 = repr(math.log(2.0))


def decay_factor(nuclide: Nuclide, elapsed: Quantity) -> Budget:
    """Return how much less of a nuclide there is after a time.

    Parameters
    ----------
    nuclide:
        With its half-life.
    elapsed:
        From the reference date, a time; negative before it.

    Returns
    -------
    :
        exp(-ln 2 t / T), with the half-life in the budget.
    """
    return propagate(
        f"exp(-{LN2} * elapsed / half_life)",
        {"elapsed": elapsed, "half_life": nuclide.half_life},
        name=f"decay factor of {nuclide.name}",
        units="1",
    )


def activity(
    net_counts: Quantity,
    nuclide: Nuclide,
    line: Line,
    efficiency: Quantity,
    *,
    live_time: Quantity,
    real_time: Quantity | None = None,
    elapsed: Quantity | None = None,
    corrections: dict[str, Quantity] | None = None,
) -> Budget:
    """State the activity of a nuclide from one of its lines.

    Parameters
    ----------
    net_counts:
        Of the peak, background of the peak subtracted.
    nuclide, line:
        What emits it.
    efficiency:
        Of the full-energy peak at this energy.
    live_time:
        s.
    real_time:
        s; the activity is then corrected for decay during the measurement.
    elapsed:
        From the reference date to the start; the activity is then that at the reference date.
    corrections:
        Factors by name that the counts are multiplied with: summing of coincidences, attenuation.

    Returns
    -------
    :
        The budget of the activity in Bq.

    Raises
    ------
    CalibrationError
        If efficiency or times cannot be, or the line is not one of the nuclide.
    """
    if line not in nuclide.lines:
        msg = f"got a line at {line.energy.value:g} keV that is not one of {nuclide.name}; take nuclide.line(energy)"
        raise CalibrationError(msg)
    if not (0.0 < efficiency.value < 1.0 and live_time.value > 0.0):
        msg = f"wanted efficiency within (0, 1) and live time > 0, got {efficiency} and {live_time}"
        raise CalibrationError(msg)
    inputs = {"counts": net_counts, "efficiency": efficiency, "intensity": line.intensity, "live": live_time}
    formula = "counts / (efficiency * intensity * live)"
    if real_time is not None:
        if real_time.value < live_time.value:
            msg = f"real time must not be less than live time, got {real_time} and {live_time}"
            raise CalibrationError(msg)
        inputs |= {"real": real_time, "half_life": nuclide.half_life}
        formula += f" * ({LN2} * real / half_life) / (1 - exp(-{LN2} * real / half_life))"
    if elapsed is not None:
        inputs |= {"elapsed": elapsed, "half_life": nuclide.half_life}
        formula += f" * exp({LN2} * elapsed / half_life)"
    for name, factor in (corrections or {}).items():
        if name in inputs:
            msg = f"{name!r} is already a name of the model; call the correction something else"
            raise CalibrationError(msg)
        inputs[name] = factor
        formula += f" * {name}"
    return propagate(formula, inputs, name=f"activity of {nuclide.name}", units="Bq")
