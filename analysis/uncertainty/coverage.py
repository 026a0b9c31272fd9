"""Degrees of freedom and coverage factors.

Not here: intervals from draws (`analysis.uncertainty.sample`).
References: JCGM 100:2008, G.3 and G.4; Willink, Metrologia 44 (2007) 340, doi:10.1088/0026-1394/44/5/010.
"""

import math
from collections import defaultdict
from collections.abc import Mapping

from scipy import special

from analysis.core import UncertaintyError
from analysis.uncertainty.sources import Source


def effective_dof(components: Mapping[Source, float]) -> float:
    """Return effective degrees of freedom by Welch-Satterthwaite.

    Sources of one `ensemble` were estimated together, so their variances are pooled before they are squared
    (Willink); for uncorrelated sources this is the formula of the GUM.

    Parameters
    ----------
    components:
        Signed contributions by source, in the units of the result.

    Returns
    -------
    :
        Degrees of freedom, not truncated; infinite if every source that contributes has infinite ones.
    """
    largest = max((abs(c) for c in components.values()), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return math.inf
    pooled: dict[tuple[str, float], float] = defaultdict(float)
    for source, c in components.items():
        pooled[source.ensemble or source.id, source.dof] += (c / largest) ** 2
    spread = math.fsum(variance**2 / dof for (_, dof), variance in pooled.items())
    total = math.fsum(pooled.values())
    return total**2 / spread if spread > 0 else math.inf


def coverage_factor(dof: float, level: float = 0.95) -> float:
    """Return the coverage factor of a symmetric interval by Student's t.

    Parameters
    ----------
    dof:
        Effective degrees of freedom, > 0; truncated to the next lower integer from 1 on (GUM, G.4.1).
    level:
        Coverage probability, in (0, 1).

    Returns
    -------
    :
        `k`, dimensionless; 1.96 for infinite `dof` and level 0.95.

    Raises
    ------
    UncertaintyError
        If `dof` is not above 0, or `level` is not in (0, 1).
    """
    if not 0 < level < 1:
        msg = f"a coverage level must lie in (0, 1), got {level:g}; write 0.95 for 95 %"
        raise UncertaintyError(msg)
    if not dof > 0:
        msg = f"degrees of freedom must be above 0, got {dof:g}"
        raise UncertaintyError(msg)
    if math.isinf(dof):
        return float(special.ndtri(0.5 * (1 + level)))
    return float(special.stdtrit(truncated_dof(dof), 0.5 * (1 + level)))


def truncated_dof(dof: float) -> float:
    """Return degrees of freedom as they are looked up and printed.

    Parameters
    ----------
    dof:
        Effective degrees of freedom, > 0.

    Returns
    -------
    :
        The next lower integer from 1 on, below 1 as they are; infinity stays.
    """
    rounded = round(dof) if math.isfinite(dof) else dof
    if math.isinf(dof) or dof < 1:
        return dof
    return float(rounded) if abs(dof - rounded) <= 1e-6 * dof else math.floor(dof)
