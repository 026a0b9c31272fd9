"""Results of laboratories as they are handed in: by name, or as a table; what is refused and why.

Not here: their evaluation (`analysis.quality.interlaboratory`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError, did_you_mean
from analysis.uncertainty import Quantity

_NAMES = ("laboratory", "lab", "name", "participant")


def laboratories(results: Any, *, units: str) -> dict[str, Quantity]:  # noqa: ANN401 - what a user passes
    """Return the result of each laboratory.

    Parameters
    ----------
    results:
        Quantities by name of the laboratory, or columns (a dict of lists, a DataFrame): `laboratory` and `value`,
        perhaps `u`.
    units:
        UDUNITS string of a table.

    Returns
    -------
    :
        By name, in the units of the first.

    Raises
    ------
    UncertaintyError
        If this is no such thing, a number is missing or not finite, or a name comes twice.
    """
    if not hasattr(results, "keys"):
        msg = f"wanted quantities by laboratory, or columns laboratory, value and u; got a {type(results).__name__}"
        raise UncertaintyError(msg)
    if "value" in list(results.keys()) and not isinstance(results["value"], Quantity):
        return _from_columns(results, units)
    given = {str(name): results[name] for name in results.keys()}  # noqa: SIM118 - a DataFrame iterates otherwise
    wrong = {name: type(each).__name__ for name, each in given.items() if not isinstance(each, Quantity)}
    if wrong:
        msg = (
            f"each result must be a Quantity, got {dict(list(wrong.items())[:3])}; write Quantity(value=, u=, units=), "
            "or pass columns laboratory, value and u"
        )
        raise UncertaintyError(msg)
    if not given:
        msg = "a comparison needs results, got none"
        raise UncertaintyError(msg)
    wanted = next(iter(given.values())).units
    return {name: each if each.units == wanted else each.to(wanted) for name, each in given.items()}


def require_names(names: Sequence[str], known: Mapping[str, Quantity]) -> None:
    """Refuse names of laboratories that are not there.

    Parameters
    ----------
    names:
        To be left out.
    known:
        The laboratories.

    Raises
    ------
    UncertaintyError
        If a name is unknown, or `names` is one string.
    """
    if isinstance(names, str):
        msg = f"exclude is a list of names, got the text {names!r}; write exclude=[{names!r}]"
        raise UncertaintyError(msg)
    for name in names:
        if name not in known:
            msg = f"no laboratory is named {name!r}; there are {list(known)}.{did_you_mean(name, known)}"
            raise UncertaintyError(msg)


def _from_columns(table: Any, units: str) -> dict[str, Quantity]:  # noqa: ANN401 - a DataFrame or a dict
    columns = [str(each) for each in table.keys()]  # noqa: SIM118 - a DataFrame iterates otherwise
    key = next((each for each in _NAMES if each in columns), None)
    names = [str(each) for each in table[key]] if key else [str(k + 1) for k in range(len(table["value"]))]
    values = _numbers(table["value"], "value", names)
    u = _numbers(table["u"], "u", names) if "u" in columns else np.zeros(values.size)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or len(names) != values.size or u.size != values.size:
        msg = (
            f"each laboratory has one row: got {len(names)} names, {values.size} values and {u.size} u, twice {twice}; "
            "take the mean of the results of one laboratory first (uncertainty.type_a)"
        )
        raise UncertaintyError(msg)
    return {
        name: Quantity(value=float(v), u=float(each), units=units, label=name)
        for name, v, each in zip(names, values, u, strict=True)
    }


def _numbers(column: Any, what: str, names: Sequence[str]) -> npt.NDArray[np.float64]:  # noqa: ANN401 - as above
    try:
        found = np.asarray(list(column), dtype=float)
    except (TypeError, ValueError) as error:
        msg = f"the column {what!r} must hold numbers, got {list(column)[:4]!r}; remove words and units first"
        raise UncertaintyError(msg) from error
    bad = [name for name, number in zip(names, found, strict=False) if not np.isfinite(number)]
    if bad:
        msg = f"{what} of {bad[:4]} is not finite; leave out laboratories without a result, and say so"
        raise UncertaintyError(msg)
    return found
