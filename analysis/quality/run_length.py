"""How soon a control chart speaks: the average run length of cumulative sums, moving averages and Shewhart limits.

The chart's statistic is a Markov chain on a grid; the average number of values until it leaves follows from one linear
system. Not here: charts (`analysis.quality.charts`). References: Brook and Evans, Biometrika 59 (1972) 539; Lucas and
Saccucci, Technometrics 32 (1990) 1.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from analysis.core import UncertaintyError, did_you_mean
from analysis.quality.settings import require_number

Floats = npt.NDArray[np.float64]
KINDS = ("shewhart", "cusum", "ewma")
_STATES = 201


def run_length(
    kind: str,
    *,
    shift: float = 0.0,
    width: float = 3.0,
    weight: float = 0.2,
    slack: float = 0.5,
    decision: float = 5.0,
) -> float:
    """Return how many values a chart takes on the average until it speaks, for normal values of known deviation.

    Parameters
    ----------
    kind:
        `"shewhart"` (limits alone), `"cusum"` (both sums) or `"ewma"` (with steady limits).
    shift:
        Of the process from its centre, from the first value on, in standard deviations of the charted values; 0 gives
        the average distance of false alarms.
    width:
        Half width of the limits of `"shewhart"` and `"ewma"`, in standard deviations.
    weight:
        Of the newest value in a moving average, in (0, 1].
    slack:
        Taken off each step of a cumulative sum, half the shift that it is to find, in standard deviations.
    decision:
        At which a cumulative sum speaks, in standard deviations.

    Returns
    -------
    :
        Average run length, in values; 370 for limits at 3 standard deviations without a shift.

    Raises
    ------
    UncertaintyError
        If the kind is unknown, or a setting is out of range.
    """
    if kind not in KINDS:
        msg = f"no chart is named {kind!r}; there are {list(KINDS)}.{did_you_mean(str(kind), KINDS)}"
        raise UncertaintyError(msg)
    off = require_number(shift, "shift", above=-np.inf)
    half = require_number(width, "width", above=0.0)
    if kind == "shewhart":
        return 1.0 / float(special.ndtr(-half - off) + special.ndtr(off - half))
    if kind == "ewma":
        newest = require_number(weight, "weight", above=0.0, below=1.0 + 1e-12)
        return _ewma(off, half * np.sqrt(newest / (2.0 - newest)), newest)
    less = require_number(slack, "slack", above=-1e-12)
    edge = require_number(decision, "decision", above=0.0)
    # two sums that cannot both be large: their rates of alarm add up (Kemp)
    return 1.0 / (1.0 / _one_sum(off, less, edge) + 1.0 / _one_sum(-off, less, edge))


def _one_sum(shift: float, slack: float, decision: float) -> float:
    step = 2.0 * decision / (2 * _STATES - 1)
    state = step * np.arange(_STATES)
    upper = special.ndtr(state[None, :] - state[:, None] + step / 2 + slack - shift)
    lower = special.ndtr(state[None, :] - state[:, None] - step / 2 + slack - shift)
    moves = upper - lower
    moves[:, 0] = upper[:, 0]
    return float(_steps(moves)[0])


def _ewma(shift: float, limit: float, weight: float) -> float:
    step = 2.0 * limit / _STATES
    state = -limit + step * (np.arange(_STATES) + 0.5)
    kept = (1.0 - weight) * state[:, None]
    moves = special.ndtr((state + step / 2 - kept) / weight - shift) - special.ndtr(
        (state - step / 2 - kept) / weight - shift
    )
    return float(_steps(moves)[_STATES // 2])


def _steps(moves: Floats) -> Floats:
    return np.asarray(np.linalg.solve(np.eye(moves.shape[0]) - moves, np.ones(moves.shape[0])))
