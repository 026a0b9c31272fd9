"""Functions that a user brings to a calibration curve: formulas of the closed grammar, and Python functions.

A formula is kept whole in a file. A Python function is kept by its importable name and must be passed again, because
nothing that comes from a file is executed.
Not here: the built-in families (`analysis.calibration.curve_families`), the grammar (`analysis.uncertainty.formula`).
"""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import lmfit
import numpy as np
import numpy.typing as npt

from analysis.calibration.curve_families import Family
from analysis.core import CalibrationError, UncertaintyError, UnitsError
from analysis.core import units as unit_rules
from analysis.uncertainty import formula

__all__ = ["Model", "is_formula", "of_formula", "of_function", "require_same", "with_parameter_units"]

Array = npt.NDArray[np.float64]
Model: TypeAlias = Callable[..., Any] | lmfit.Model
VARIABLE = "x"
WORD = r"[A-Za-z_]\w*"
CLOSE = 1e-9


def is_formula(text: str) -> bool:
    """Say whether a text is meant as a formula rather than as the name of a function.

    Parameters
    ----------
    text:
        As the user wrote it.

    Returns
    -------
    :
        False for a single word.
    """
    return re.fullmatch(WORD, text.strip()) is None


def of_formula(text: str) -> Family:
    """Return the function that a formula of `x` and parameters says.

    Parameters
    ----------
    text:
        For example `"a + b*exp(-x/c)"`.

    Returns
    -------
    :
        The function, its parameters in the order in which they stand, with exact derivatives.

    Raises
    ------
    CalibrationError
        If it is outside the grammar, or has no `x` or no parameter.
    """
    names = _names(text)
    try:
        model = formula.parse(text, [VARIABLE, *names])
    except UncertaintyError as error:
        msg = f"no formula of a curve: {error}"
        raise CalibrationError(msg) from error
    if VARIABLE not in model.names or not names:
        msg = f"a curve needs x and at least one parameter, got {text!r}; write it like 'a + b*exp(-x/c)'"
        raise CalibrationError(msg)
    slopes = [model.partial(name) for name in (VARIABLE, *names)]

    def values_of(x: Any, b: Any) -> dict[str, Any]:  # noqa: ANN401 - arrays
        return {VARIABLE: x, **{name: float(each) for name, each in zip(names, b, strict=True)}}

    def derivatives(x: Array, b: Array) -> tuple[Array, Array]:
        values, flat = values_of(x, b), np.zeros(np.shape(x))
        found = [np.asarray(each(values), dtype=float) + flat for each in slopes]
        return found[0], np.stack(found[1:], axis=-1)

    return Family(
        kind="formula", names=names, function=lambda x, b: model(values_of(x, b)), derivatives=derivatives,
        origin=model.text,
    )  # fmt: skip


def of_function(model: Model, *, start: Mapping[str, float] | None = None) -> tuple[Family, Array]:
    """Return a user's function and where to begin.

    Parameters
    ----------
    model:
        A function `f(x, a, b, …)` or an lmfit model of one variable.
    start:
        Starting values by parameter; 1 where neither they nor the model say one.

    Returns
    -------
    :
        The function and the starting values.
    """
    own = model if isinstance(model, lmfit.Model) else lmfit.Model(model)
    params = own.make_params(**dict(start or {}))
    names = [name for name in own.param_names if not params[name].expr]
    variable = own.independent_vars[0]

    def function(at: Any, b: Any) -> Any:  # noqa: ANN401 - arrays
        return own.eval(**{variable: at}, **dict(zip(names, (float(each) for each in b), strict=True)))

    first = np.array([v if np.isfinite(v := float(params[name].value)) else 1.0 for name in names])
    return Family(kind="function", names=tuple(names), function=function, origin=_importable(own)), first


def with_parameter_units(family: Family, stated: Mapping[str, str] | None, *, x: str, y: str) -> Family:
    """Give the parameters of a formula or a function their units.

    Parameters
    ----------
    family:
        The function.
    stated:
        Units of every parameter; None leaves them unsaid.
    x, y:
        Units of the points.

    Returns
    -------
    :
        The function with the units.

    Raises
    ------
    CalibrationError
        If a parameter is missing or too many, the function has units of its own, or those of a formula do not match.
    """
    if stated is None:
        return family
    if family.kind not in ("formula", "function") or set(stated) != set(family.names):
        msg = (
            f"units are stated for all parameters of a formula or of a function of your own; the {family.kind} has "
            f"{list(family.names)}, got units of {list(stated)}"
        )
        raise CalibrationError(msg)
    for units in stated.values():
        unit_rules.require_units(units)
    if family.kind == "formula":
        _require_matching(family, {VARIABLE: x, **stated}, y)
    return replace(family, units=tuple(stated[name] for name in family.names))


def _require_matching(family: Family, units: Mapping[str, str], wanted: str) -> None:
    """Refuse units of a formula that do not match, or that only match after a conversion, which a fit does not do."""
    plain = formula.parse(family.origin, units)
    try:
        converting = plain.in_units(units, wanted=wanted)
    except UnitsError as error:
        msg = f"the units of the parameters do not go with x in {units[VARIABLE]!r} and y in {wanted!r}: {error}"
        raise CalibrationError(msg) from error
    values = {name: 0.7 + 0.11 * k for k, name in enumerate(units)}
    if not np.isclose(converting(values), plain(values), rtol=CLOSE, atol=0.0, equal_nan=True):
        msg = f"the units {dict(units)} make {wanted!r} only after a conversion; state them so that none is needed"
        raise CalibrationError(msg)


def require_same(family: Family, *, origin: str, names: tuple[str, ...], x: Array, b: Array, y: Array) -> Family:
    """Refuse a function that is not the one a file speaks of.

    Parameters
    ----------
    family:
        The function that was passed.
    origin, names:
        Importable name and parameters that the file says.
    x, b, y:
        Points, parameters, and the values that the curve had there.

    Returns
    -------
    :
        The function.

    Raises
    ------
    CalibrationError
        If its parameters have other names, or it gives other values.
    """
    if family.names != names:
        msg = f"the curve in the file is of {origin} with the parameters {list(names)}; got {list(family.names)}"
        raise CalibrationError(msg)
    found = family.value(x, b)
    off = float(np.max(np.abs(found - y), initial=0.0))
    if not off <= CLOSE * float(np.max(np.abs(y), initial=0.0)):
        msg = (
            f"the function that was passed is not the {origin} that the curve was fitted with: at its points it "
            f"differs by up to {off:.3g}. Pass the function as it was then, or fit the points again"
        )
        raise CalibrationError(msg)
    return family


def _importable(model: lmfit.Model) -> str:
    """Return `module:name` of the function behind a model; empty where it has none that could be imported."""
    function = getattr(model, "func", None)
    name, module = getattr(function, "__qualname__", ""), getattr(function, "__module__", None)
    if type(model).__name__ == "CompositeModel" or not module or "<" in name:
        return ""
    return f"{module}:{name}"


def _names(text: str) -> tuple[str, ...]:
    """Return the parameters of a formula in the order in which they stand."""
    try:
        parsed = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    called = {id(node.func) for node in ast.walk(parsed) if isinstance(node, ast.Call)}
    words = [
        (node.lineno, node.col_offset, node.id)
        for node in ast.walk(parsed)
        if isinstance(node, ast.Name) and id(node) not in called
    ]
    ordered = dict.fromkeys(name for _, _, name in sorted(words))
    return tuple(name for name in ordered if name not in (VARIABLE, "pi"))
