"""A measurement model, formula or function alike: its value, its derivatives, its values for arrays of draws.

Not here: the grammar (`analysis.uncertainty.formula`), what is done with the derivatives
(`analysis.uncertainty.propagate`).
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError, UnitsError, did_you_mean
from analysis.core import units as unit_rules
from analysis.uncertainty.formula import Formula

Floats = npt.NDArray[np.float64]
Function = Callable[..., Any]
_SAME_SLOPE = 1e-5
_SAME_VALUE = 1e-9
_HALVINGS = 9
_CHECKED_DRAWS = 3
_COMPLEX_STEP = 1e-150


@dataclass(frozen=True, kw_only=True)
class Model:
    """One output of a measurement model, on plain numbers in the units of the inputs."""

    formula: Formula | None = None
    """The formula with its unit conversions, or None for a function."""
    function: Function | None = None
    """A function of the inputs by name, or None for a formula."""
    output: str = ""
    """Which entry, for a function that returns a dict."""
    stored: str = ""
    """Name of a function that was stored by name only."""

    @property
    def text(self) -> str:
        """The formula, or where the function is found."""
        if self.formula is not None:
            return self.formula.text
        return function_name(self.function) if self.function is not None else self.stored

    def value(self, values: Mapping[str, float]) -> float:
        """Compute the model at one point.

        Parameters
        ----------
        values:
            One number for each input.

        Returns
        -------
        :
            The value; infinite or NaN outside the domain.
        """
        result = self._raw(values)
        try:
            return float(result)
        except TypeError as error:
            msg = f"{self.text} must return a number for numbers, got {type(result).__name__} {result!r:.60}"
            raise UncertaintyError(msg) from error

    def values(self, draws: Mapping[str, Floats], *, trials: int) -> Floats:
        """Compute the model for arrays of draws.

        Parameters
        ----------
        draws:
            An array of shape `(trials,)` for each input.
        trials:
            How many.

        Returns
        -------
        :
            Shape `(trials,)`. A function that does not act on arrays is called once for each trial.
        """
        if self.formula is not None:
            return np.broadcast_to(np.asarray(self.formula(draws), dtype=float), (trials,))
        return self._at_once(draws, trials) if trials > _CHECKED_DRAWS else self._one_by_one(draws, trials)

    def broadcasts(self, values: Mapping[str, float]) -> bool:
        """Say whether the model acts on arrays.

        Parameters
        ----------
        values:
            One number for each input.

        Returns
        -------
        :
            True for a formula, and for a function that returns an array for arrays.
        """
        if self.formula is not None:
            return True
        shape = (_CHECKED_DRAWS,)
        try:
            return np.asarray(self._raw({name: np.full(shape, each) for name, each in values.items()})).shape == shape
        except (TypeError, ValueError, AttributeError):
            return False

    def slope(self, values: Mapping[str, float], name: str, u: float) -> float:
        """Differentiate the model.

        Parameters
        ----------
        values:
            Where.
        name:
            With respect to which input.
        u:
            Standard uncertainty of that input, which sets the first step of a numerical derivative.

        Returns
        -------
        :
            The derivative: exact for a formula; for a function by complex step where that agrees with
            extrapolated central differences, else by the latter.
        """
        if self.formula is not None:
            return float(self.formula.partial(name)(values))
        differenced = self._difference(values, name, u)
        try:
            stepped = complex(self._raw({**values, name: complex(values[name], _COMPLEX_STEP)})).imag / _COMPLEX_STEP
        except (TypeError, ValueError, AttributeError, ArithmeticError, UncertaintyError):
            return differenced
        scale = max(abs(differenced), abs(stepped))
        agrees = math.isfinite(stepped) and abs(stepped - differenced) <= _SAME_SLOPE * scale
        return stepped if agrees else differenced

    def _raw(self, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a user's function may return anything
        if self.formula is not None:
            return self.formula(values)
        if self.function is None:
            msg = "the function of this budget was not stored; propagate again with the function itself"
            raise UncertaintyError(msg)
        with np.errstate(all="ignore"):
            result = self.function(**values)
        return _pick(result, self.output, self.text) if self.output else result

    def _difference(self, values: Mapping[str, float], name: str, u: float) -> float:
        x = values[name]
        step = u if u > 0 else 1e-3 * (abs(x) or 1.0)
        table: list[list[float]] = []
        best, error = math.nan, math.inf
        for row in range(_HALVINGS):
            h = step / 2**row
            up, down = x + h, x - h
            rise = self.value({**values, name: up}) - self.value({**values, name: down})
            table.append([rise / (up - down)])
            for column in range(1, row + 1):
                gain = 4.0**column
                finer, coarser = table[row][column - 1], table[row - 1][column - 1]
                table[row].append((gain * finer - coarser) / (gain - 1))
                change = max(abs(table[row][column] - finer), abs(table[row][column] - coarser))
                if change <= error:
                    best, error = table[row][column], change
        return best

    def _at_once(self, draws: Mapping[str, Floats], trials: int) -> Floats:
        try:
            found = np.asarray(self._raw(draws), dtype=float)
        except (TypeError, ValueError, AttributeError):
            return self._one_by_one(draws, trials)
        head = {name: draw[:_CHECKED_DRAWS] for name, draw in draws.items()}
        few = self._one_by_one(head, _CHECKED_DRAWS)
        if found.shape != (trials,) or not np.allclose(found[:_CHECKED_DRAWS], few, rtol=_SAME_VALUE, equal_nan=True):
            return self._one_by_one(draws, trials)
        return found

    def _one_by_one(self, draws: Mapping[str, Floats], trials: int) -> Floats:
        return np.array([self.value({name: float(draw[i]) for name, draw in draws.items()}) for i in range(trials)])


def function_name(function: Function) -> str:
    """Return where a function can be imported from.

    Parameters
    ----------
    function:
        A function or callable object.

    Returns
    -------
    :
        `module:name`; a lambda or a local function is shown as such.
    """
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '')}:{name}"


def require_call(function: Function, names: list[str]) -> None:
    """Check that a function takes the inputs by name.

    Parameters
    ----------
    function:
        A measurement function.
    names:
        Names of the inputs.

    Raises
    ------
    UncertaintyError
        If its parameters are others.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**dict.fromkeys(names))
    except TypeError as error:
        hints = "".join(did_you_mean(name, signature.parameters) for name in names if name not in signature.parameters)
        msg = (
            f"{function_name(function)}{signature} does not take the inputs {names} by name: {error}. "
            f"Name its parameters as the inputs are named.{hints}"
        )
        raise UncertaintyError(msg) from error


def require_units(model: Model, values: Mapping[str, float], given: Mapping[str, str], wanted: str) -> None:
    """Check a function's units by calling it with pint quantities.

    Parameters
    ----------
    model:
        Of a function.
    values, given:
        A number and a UDUNITS string for each input.
    wanted:
        UDUNITS string of the result.

    Raises
    ------
    UnitsError
        If the function cannot be followed, gives another dimension, or mixes scales (nm + um).
    """
    if all(each == "1" for each in (*given.values(), wanted)):
        return
    try:
        found = model._raw({name: values[name] * unit_rules.pint_unit(given[name]) for name in values})  # noqa: SLF001
    except Exception as error:  # a user's function may fail in any way on pint quantities
        msg = (
            f"units do not match in {model.text}, or cannot be followed: {error}. Make its constants inputs with units "
            "and u=0, or check the units by hand and pass check_units=False"
        )
        raise UnitsError(msg) from error
    own = unit_rules.spell(found.units) if hasattr(found, "units") else "1"
    if not unit_rules.same_dimension(own, wanted):
        msg = f"{model.text} gives {own!r}, but units={wanted!r} was asked for; correct the function or the units"
        raise UnitsError(msg)
    number = float(found.to(unit_rules.pint_unit(wanted)).magnitude) if hasattr(found, "units") else float(found)
    plain = model.value(values)
    if not math.isclose(number, plain, rel_tol=1e-6, abs_tol=1e-12 * max(abs(number), abs(plain))):
        msg = (
            f"{model.text} works on plain numbers and gives {plain:g} {wanted}, but {number:g} {wanted} with units; "
            "convert the inputs to units that need no factor, quantity.to(...), or use a formula, which converts"
        )
        raise UnitsError(msg)


def _pick(result: Any, output: str, text: str) -> Any:  # noqa: ANN401 - a user's function may return anything
    if not isinstance(result, Mapping):
        msg = f"{text} must return a dict with {output!r}, as units is a dict; got {type(result).__name__}"
        raise UncertaintyError(msg)
    if output not in result:
        options = [str(each) for each in result]
        msg = f"{text} returns no output named {output!r}; it has {options}.{did_you_mean(output, options)}"
        raise UncertaintyError(msg)
    return result[output]
