"""Settings that several functions of this room take, checked in one place.

Not here: data as they are handed in (`analysis.quality.laboratories`, `analysis.quality.subgroups`).
"""

import math
from numbers import Real

from analysis.core import UncertaintyError


def require_number(given: object, name: str, *, above: float, below: float = math.inf) -> float:
    """Return a number after its check.

    Parameters
    ----------
    given:
        What the user passed.
    name:
        Of the setting, for the message.
    above, below:
        Open interval that it must lie in.

    Returns
    -------
    :
        The same number.

    Raises
    ------
    UncertaintyError
        If it is no number, or lies outside.
    """
    if isinstance(given, bool) or not isinstance(given, Real) or not above < float(given) < below:
        msg = f"{name} must be a number in ({above:g}, {below:g}), got {given!r}; give it without units or quotes"
        raise UncertaintyError(msg)
    return float(given)


def require_level(given: object) -> float:
    """Return a coverage probability after its check.

    Parameters
    ----------
    given:
        What the user passed.

    Returns
    -------
    :
        The same number.

    Raises
    ------
    UncertaintyError
        If it does not lie in (0, 1).
    """
    if isinstance(given, bool) or not isinstance(given, Real) or not 0 < float(given) < 1:
        msg = f"level must lie in (0, 1), got {given!r}; write 0.95 for 95 %"
        raise UncertaintyError(msg)
    return float(given)
