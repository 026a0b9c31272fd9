"""lmfit models and parameters as JSON text and back: classes, prefixes, operators, bounds, expressions.

Never lmfit's own `dumps`, which pickles functions. A user's function is stored by name only.
Not here: compiling (`analysis.peaks.compile`).
"""

import json
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import lmfit

from analysis.core import ModelError
from analysis.peaks.models import class_of
from analysis.peaks.scattering import shirley_under, tougaard_under
from analysis.peaks.ties import parse

__all__ = ["is_rebuildable", "is_stored", "model_from_json", "model_to_json", "params_from_json", "params_to_json"]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "shirley": shirley_under,
    "tougaard": tougaard_under,
}
_SYMBOLS = {function: symbol for symbol, function in _OPERATORS.items()}
_NOT_REBUILT = {"Model", "CompositeModel", "ExpressionModel", "SplineModel"}


def _is_builtin(model: lmfit.Model) -> bool:
    name = type(model).__name__
    return type(model) is class_of(name) and name not in _NOT_REBUILT


def is_rebuildable(model: lmfit.Model) -> bool:
    """Say whether the JSON text of a model is enough to make it again.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        False if it holds a user's function or an unknown operator.
    """
    if isinstance(model, lmfit.model.CompositeModel):
        return model.op in _SYMBOLS and is_rebuildable(model.left) and is_rebuildable(model.right)
    return _is_builtin(model)


def _describe(model: lmfit.Model) -> dict[str, object]:
    if isinstance(model, lmfit.model.CompositeModel):
        symbol = _SYMBOLS.get(model.op, getattr(model.op, "__name__", str(model.op)))
        return {"op": symbol, "left": _describe(model.left), "right": _describe(model.right)}
    options: dict[str, object] = {}
    if hasattr(model, "poly_degree"):
        options["degree"] = int(model.poly_degree)
    if model.opts:
        options.update({key: value for key, value in model.opts.items() if isinstance(value, str | int | float)})
    described: dict[str, object] = {
        "class": type(model).__name__,
        "prefix": model.prefix,
        "independent_vars": list(model.independent_vars),
        "options": options,
    }
    if not _is_builtin(model):
        described["function"] = f"{getattr(model.func, '__module__', '')}.{model.func.__name__}"
    return described


def model_to_json(model: lmfit.Model) -> str:
    """Write a model as JSON text.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        Classes, prefixes and operators; a user's function by name.
    """
    return json.dumps(_describe(model), sort_keys=True)


def model_from_json(text: str, *, functions: Mapping[str, Callable[..., Any]] | None = None) -> lmfit.Model:
    """Make a model from its JSON text.

    Parameters
    ----------
    text:
        From `model_to_json`.
    functions:
        A user's functions by the name in the text.

    Returns
    -------
    :
        The model.

    Raises
    ------
    ModelError
        If the text is not such a model, or needs a function that was not passed.
    """
    try:
        return _build(json.loads(text), functions or {})
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        msg = f"the stored model does not read ({error!r}): {text[:80]!r}. Pass the model itself"
        raise ModelError(msg) from error


def _build(described: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> lmfit.Model:
    if "op" in described:
        if described["op"] not in _OPERATORS:
            msg = f"the stored model combines components by {described['op']!r}; known are {list(_OPERATORS)}"
            raise ModelError(msg)
        left, right = _build(described["left"], functions), _build(described["right"], functions)
        return lmfit.model.CompositeModel(left, right, _OPERATORS[described["op"]])
    name = described["class"]
    common = {"prefix": described["prefix"], "independent_vars": list(described["independent_vars"])}
    if "function" in described:
        if described["function"] not in functions:
            msg = f"the stored model uses the function {described['function']!r}; pass the model itself again"
            raise ModelError(msg)
        return lmfit.Model(functions[described["function"]], **common)
    kind = class_of(name)
    if kind is None or name in _NOT_REBUILT:
        msg = f"the stored model names the class {name!r}, which is neither a built-in model of lmfit nor one of ours"
        raise ModelError(msg)
    return kind(**common, **described["options"])


def is_stored(text: str) -> bool:
    """Say whether a model can be made from its text alone.

    Parameters
    ----------
    text:
        From `model_to_json`, or anything.

    Returns
    -------
    :
        False if it holds a user's function or is no such text.
    """
    try:
        model_from_json(text)
    except ModelError:
        return False
    return True


def params_to_json(params: lmfit.Parameters) -> str:
    """Write parameters as JSON text.

    Parameters
    ----------
    params:
        Values, bounds, `vary` and expressions are kept.

    Returns
    -------
    :
        A list in the order of `params`; infinite bounds are null.
    """
    return json.dumps(
        [
            {
                "name": name,
                "value": None if par.value is None or not math.isfinite(par.value) else float(par.value),
                "min": float(par.min) if math.isfinite(par.min) else None,
                "max": float(par.max) if math.isfinite(par.max) else None,
                "vary": bool(par.vary),
                "expr": par.expr,
            }
            for name, par in params.items()
        ]
    )


def params_from_json(text: str) -> lmfit.Parameters:
    """Make parameters from their JSON text.

    Parameters
    ----------
    text:
        From `params_to_json`.

    Returns
    -------
    :
        The parameters. Expressions go to lmfit only if they pass the closed grammar.

    Raises
    ------
    ModelError
        If the text is not such a list, or an expression is not plain arithmetic.
    """
    try:
        rows = json.loads(text)
        names = [row["name"] for row in rows]
        params = lmfit.Parameters()
        for row in rows:
            low = -math.inf if row["min"] is None else row["min"]
            high = math.inf if row["max"] is None else row["max"]
            params.add(row["name"], value=row["value"], min=low, max=high, vary=row["vary"])
        expressions = {row["name"]: row["expr"] for row in rows if row["expr"]}
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        msg = f"the stored parameters do not read ({error!r}): {text[:80]!r}. Pass the parameters themselves"
        raise ModelError(msg) from error
    for name, expression in expressions.items():
        parse(expression, names=names, owner=name)
        params[name].expr = expression
    return params
