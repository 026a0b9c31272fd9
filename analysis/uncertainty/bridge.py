"""To and from the package `uncertainties`, which lmfit's `uvars` speak.

The package is imported late: it comes with lmfit, and only these two functions need it. It knows no units.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from analysis.core import UncertaintyError
from analysis.uncertainty.sources import Source, fresh_id


def to_uncertainties(value: float, components: Mapping[Source, float]) -> Any:  # noqa: ANN401 - the package has no types
    """Return a value with sources as a number of the package `uncertainties`.

    Parameters
    ----------
    value:
        The estimate.
    components:
        Signed contribution of each source, in the same units.

    Returns
    -------
    :
        An `AffineScalarFunc`; each source is one variable of standard deviation 1, the same in every call.
    """
    from uncertainties.core import AffineScalarFunc, LinearCombination  # noqa: PLC0415 - late, as the header says

    return AffineScalarFunc(value, LinearCombination({_variable(source): c for source, c in components.items()}))


def from_uncertainties(number: Any) -> tuple[float, dict[Source, float]]:  # noqa: ANN401 - the package has no types
    """Return the value and the sources of a number of the package `uncertainties`.

    Parameters
    ----------
    number:
        A `Variable` or an `AffineScalarFunc`.

    Returns
    -------
    :
        The estimate, and the signed contribution of each source; a variable is the same source in every call.

    Raises
    ------
    UncertaintyError
        If it is something else.
    """
    from uncertainties.core import AffineScalarFunc  # noqa: PLC0415 - late, as the header says

    if not isinstance(number, AffineScalarFunc):
        msg = (
            f"wanted a number of the package uncertainties, got {type(number).__name__} "
            f"{number!r:.40}; use Quantity itself"
        )
        raise UncertaintyError(msg)
    components: dict[Source, float] = {}
    for variable, slope in number.derivatives.items():
        source = variable.tag if isinstance(variable.tag, Source) else _source(variable)
        components[source] = components.get(source, 0.0) + float(slope) * float(variable.std_dev)
    return float(number.nominal_value), components


@cache
def _variable(source: Source) -> Any:  # noqa: ANN401 - the package has no types
    from uncertainties.core import Variable  # noqa: PLC0415 - late, as the header says

    return Variable(0.0, 1.0, tag=source)


@cache
def _source(variable: Any) -> Source:  # noqa: ANN401 - hashed by identity, which is what a variable is
    return Source(id=fresh_id(), label=str(variable.tag or "variable of uncertainties"), tags=("uncertainties",))
