"""Classes of force transducers: limits of ISO 376:2011, and from which force on a transducer keeps them.

Not here: the calibration itself (`analysis.calibration.sensors.force`).
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = ["ABSOLUTE", "BY_POINT", "CLASSES", "lowest_forces"]

Array = npt.NDArray[np.float64]
CLASSES = ("00", "0.5", "1", "2")
# ISO 376:2011, table 2: largest size of each relative error in %, class 00, 0.5, 1, 2
BY_POINT = {
    "reproducibility": (0.05, 0.10, 0.20, 0.40),
    "repeatability": (0.025, 0.05, 0.10, 0.20),
    "interpolation": (0.025, 0.05, 0.10, 0.20),
    "reversibility": (0.07, 0.15, 0.30, 0.50),
    "calibration force": (0.01, 0.02, 0.05, 0.10),
}
ABSOLUTE = {"zero": (0.012, 0.025, 0.050, 0.10), "creep": (0.025, 0.05, 0.10, 0.20)}
# ISO 376:2011, 7.1: smallest force as a multiple of the resolution, and as a share of the largest
STEPS = (4000.0, 2000.0, 1000.0, 500.0)
SMALLEST = 0.02
ROUNDING = 1.0 + 1e-9  # a value on a limit keeps it, whatever the last bit of its units says
NEEDED = 0.5  # the range of a class goes at least from 50 % to 100 % of the largest force


def lowest_forces(
    forces: Array, errors: Mapping[str, Array], whole: Mapping[str, float], steps: Array
) -> dict[str, float]:
    """Return for each class the lowest force from which it is kept up to the largest.

    Parameters
    ----------
    forces:
        Calibration forces, rising, dims `(point,)`.
    errors:
        Relative errors in % by the names of `BY_POINT`, dims `(point,)`; what was not measured is left out.
    whole:
        Zero error and creep in % by the names of `ABSOLUTE`; what was not measured is left out.
    steps:
        Deflection over resolution, dims `(point,)`.

    Returns
    -------
    :
        Class to force, only classes whose range goes down to half of the largest force.
    """
    found = {}
    for k, name in enumerate(CLASSES):
        kept = (steps * ROUNDING >= STEPS[k]) & (forces * ROUNDING >= SMALLEST * forces[-1])
        for what, values in errors.items():
            kept &= np.abs(values) <= BY_POINT[what][k] * ROUNDING
        if any(abs(value) > ABSOLUTE[what][k] * ROUNDING for what, value in whole.items()) or not kept[-1]:
            continue
        last = int(np.flatnonzero(~kept)[-1]) + 1 if not kept.all() else 0
        if forces[last] <= NEEDED * forces[-1] * ROUNDING:
            found[name] = float(forces[last])
    return found
