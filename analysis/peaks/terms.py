"""Single lmfit models in the table of components that the batched engine knows.

Not here: the table (`analysis.peaks.kinds`), sums of models (`analysis.peaks.compile`).
"""

import lmfit

from analysis.core import ModelError
from analysis.peaks import kinds, models

__all__ = ["axis_names", "leaf", "shape_of"]


def axis_names(model: lmfit.Model) -> list[str]:
    """List the independent variables of a model, without options such as the `form` of a step.

    Parameters
    ----------
    model:
        Any lmfit model.

    Returns
    -------
    :
        Names in the order of its functions.
    """
    return list(
        dict.fromkeys(
            str(variable)
            for part in model.components
            for variable in part.independent_vars
            if variable not in part.opts
        )
    )


def shape_of(model: lmfit.Model) -> kinds.Shape | None:
    """Find a single model in the table of components.

    Parameters
    ----------
    model:
        An lmfit model that is no sum.

    Returns
    -------
    :
        Its entry; None for a polynomial or what the table does not know.
    """
    name = type(model).__name__
    options = dict(model.opts)
    form = options.pop("form", None)
    if type(model) is not models.class_of(name) or len(axis_names(model)) != 1 or options:
        return None
    return kinds.SHAPES.get(kinds.key_of(name, form))


def leaf(model: lmfit.Model) -> tuple[int, tuple[str, ...]]:
    """Return the kind of a single model and its parameters in the engine's order.

    Parameters
    ----------
    model:
        An lmfit model that is no sum.

    Returns
    -------
    :
        Code of `analysis.peaks.kinds`, and names without prefix.

    Raises
    ------
    ModelError
        If the batched engine does not know it.
    """
    name, form = type(model).__name__, model.opts.get("form")
    shape = shape_of(model)
    if shape is not None:
        return shape.code, shape.names
    if type(model) is models.class_of(name) and len(axis_names(model)) == 1 and not model.opts:
        if name in kinds.POLYNOMIALS:
            return kinds.POLYNOMIAL, kinds.POLYNOMIALS[name]
        if name == "PolynomialModel":
            return kinds.POLYNOMIAL, tuple(f"c{k}" for k in range(model.poly_degree + 1))
    known = sorted({*(key.split("/")[0] for key in kinds.SHAPES), *kinds.POLYNOMIALS, "PolynomialModel"})
    what = f"function {model.func.__name__!r}" if type(model) is lmfit.Model else f"{name!r}"
    what += f" with form {form!r}" if form is not None else ""
    msg = (
        f"the batched engine does not know {what} (model {model.name}); it knows {', '.join(known)} and their sums. "
        "Fit with engine='lmfit'"
    )
    raise ModelError(msg)
