"""Given correlation coefficients, turned into sources that the inputs share.

Not here: correlation that follows from sources (`analysis.uncertainty.quantity`), Type A covariance
(`analysis.uncertainty.typea`). References: JCGM 100:2008, 5.2.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError, did_you_mean, history
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source, require_dof

Floats = npt.NDArray[np.float64]
_TINY = 1e-10


def factor(matrix: Floats, *, names: Sequence[str], what: str) -> Floats:
    """Return a matrix `f` with `f @ f.T` equal to a positive semidefinite matrix.

    Parameters
    ----------
    matrix:
        Symmetric, shape `(n, n)`.
    names:
        What its rows are, for the message.
    what:
        What the matrix is, for the message.

    Returns
    -------
    :
        Shape `(n, rank)`: the Cholesky factor where there is one, else scaled eigenvectors; each column's
        largest entry is positive.

    Raises
    ------
    UncertaintyError
        If the matrix is not positive semidefinite.
    """
    scale = float(np.max(np.diag(matrix), initial=0.0))
    eigenvalues, vectors = np.linalg.eigh(matrix)
    if eigenvalues.size and eigenvalues[0] < -_TINY * max(scale, 0.0):
        msg = (
            f"the {what} of {list(names)} is not positive semidefinite: its smallest eigenvalue is {eigenvalues[0]:g}; "
            "no quantities can be correlated like that. Check the signs and the missing pairs"
        )
        raise UncertaintyError(msg)
    if eigenvalues.size and eigenvalues[0] > _TINY * scale:
        return np.asarray(np.linalg.cholesky(matrix), dtype=float)
    kept = eigenvalues > _TINY * scale
    columns = vectors[:, kept] * np.sqrt(eigenvalues[kept])
    largest = np.take_along_axis(columns, np.abs(columns).argmax(axis=0)[None, :], axis=0)
    return columns * np.sign(largest)


def joint_sources(
    values: Sequence[float],
    covariance: npt.ArrayLike,
    *,
    units: Sequence[str],
    dof: float = math.inf,
    labels: Sequence[str],
) -> tuple[tuple[Source, ...], Floats, dict[str, object]]:
    """Return the sources behind quantities with a given covariance matrix, without the quantities.

    Parameters
    ----------
    values, covariance, dof, labels:
        As in `uncertainty.correlated`.
    units:
        UDUNITS strings, one for each quantity.

    Returns
    -------
    :
        The sources; their contributions, dims `(quantity, source)`; and what they were made from, for a history.

    Raises
    ------
    UncertaintyError
        If shapes do not match, a number is not finite, or the matrix is not symmetric positive semidefinite.
    """
    estimates, matrix = np.asarray(values, dtype=float), np.asarray(covariance, dtype=float)
    _require_matrix(estimates, matrix, len(labels), len(units))
    require_dof(dof, ", ".join(labels))
    scale = np.sqrt(np.where(np.diag(matrix) > 0, np.diag(matrix), 1.0))
    columns = factor(matrix / np.outer(scale, scale), names=list(labels), what="covariance matrix") * scale[:, None]
    settings = {
        "values": estimates.tolist(),
        "covariance": matrix.tolist(),
        "units": list(units),
        "dof": None if math.isinf(dof) else float(dof),
        "labels": list(labels),
    }
    head = history.step_id("uncertainty.correlated", settings=settings, inputs={})
    joint = hashlib.blake2b(f"correlated|{head}".encode(), digest_size=16).hexdigest()
    everyone, alone = ", ".join(labels), np.count_nonzero(columns, axis=0).max(initial=0) <= 1
    sources = tuple(
        Source(
            id=f"{joint}-{number}",
            label=labels[int(np.abs(column).argmax())] if alone else f"{everyone} (joint {number + 1})",
            units=units[0] if len(set(units)) == 1 else "1",
            kind="B" if math.isinf(dof) else "A",
            dof=dof,
            tags=(everyone,),
            ensemble="" if math.isinf(dof) else joint,
        )
        for number, column in enumerate(columns.T)
    )
    return sources, columns, settings


def correlate(
    inputs: Mapping[str, Quantity], correlation: Mapping[tuple[str, str], float]
) -> tuple[dict[str, Quantity], tuple[str, ...]]:
    """Replace the sources of correlated inputs by sources that they share.

    Parameters
    ----------
    inputs:
        Quantities by name.
    correlation:
        Coefficients `{(a, b): r}`; pairs not named are not correlated.

    Returns
    -------
    :
        All inputs, and plain sentences on what was assumed.

    Raises
    ------
    UncertaintyError
        If a name is unknown, a coefficient is out of range, the matrix is not positive semidefinite, or a pair
        shares sources already.
    """
    names = list(dict.fromkeys(name for pair in correlation for name in pair))
    for name in names:
        if name not in inputs:
            msg = (
                f"correlation names {name!r}, which is no input; there are {list(inputs)}.{did_you_mean(name, inputs)}"
            )
            raise UncertaintyError(msg)
    if not names:
        return dict(inputs), ()
    matrix = np.eye(len(names))
    for (a, b), r in correlation.items():
        _require_pair(inputs, correlation, a, b, r)
        i, j = names.index(a), names.index(b)
        matrix[i, j] = matrix[j, i] = r
    columns = factor(matrix, names=names, what="correlation matrix")
    dof = min(inputs[name].dof for name in names)
    sources = _sources(inputs, names, matrix, dof, columns.shape[1])
    replaced = {name: _rebuilt(inputs[name], sources, columns[i]) for i, name in enumerate(names)}
    return {name: replaced.get(name, each) for name, each in inputs.items()}, _notes(inputs, names, dof)


def _require_pair(
    inputs: Mapping[str, Quantity], correlation: Mapping[tuple[str, str], float], a: str, b: str, r: float
) -> None:
    if a == b or ((b, a) in correlation and correlation[b, a] != r):
        msg = f"correlation names the pair {(a, b)} with itself or twice with different r; give each pair once"
        raise UncertaintyError(msg)
    if not abs(r) <= 1:
        msg = f"a correlation coefficient must lie in [-1, 1], got r({a}, {b}) = {r:g}"
        raise UncertaintyError(msg)
    shared = set(inputs[a].parts()) & set(inputs[b].parts())
    if shared:
        labels = sorted(each.label or each.id for each in shared)
        msg = (
            f"{a!r} and {b!r} share sources already ({labels[:3]}), which correlates them exactly; "
            f"leave r({a}, {b}) out"
        )
        raise UncertaintyError(msg)


def _sources(inputs: Mapping[str, Quantity], names: list[str], matrix: Floats, dof: float, count: int) -> list[Source]:
    text = repr([[sorted((each.id, c) for each, c in inputs[name].parts().items()) for name in names], matrix.tolist()])
    joint = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    kinds = {each.kind for name in names for each in inputs[name].parts()}
    return [
        Source(
            id=f"{joint}-{number}",
            label=f"{' & '.join(names)} (joint {number + 1})",
            kind="A" if kinds == {"A"} else "B",
            dof=dof,
            origin="given correlation",
            tags=("correlated inputs",),
            ensemble=joint if math.isfinite(dof) else "",
        )
        for number in range(count)
    ]


def _rebuilt(quantity: Quantity, sources: list[Source], row: Floats) -> Quantity:
    return Quantity.from_components(
        quantity.value,
        {source: quantity.u * float(weight) for source, weight in zip(sources, row, strict=True)},
        units=quantity.units,
        label=quantity.label,
        source=quantity.source,
        history=quantity.history,
    )


def _notes(inputs: Mapping[str, Quantity], names: list[str], dof: float) -> tuple[str, ...]:
    said = []
    if any(str(each.distribution) != "normal" for name in names for each in inputs[name].parts()):
        said.append(
            f"a given r fixes no joint distribution: {', '.join(names)} are drawn as jointly "
            "normal in uncertainty.sample"
        )
    if len({inputs[name].dof for name in names}) > 1:
        said.append(
            f"the inputs {', '.join(names)} are correlated and have different degrees of freedom: "
            f"the smallest, {dof:g}, is taken"
        )
    return tuple(said)


def _require_matrix(
    estimates: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64], labels: int, units: int
) -> None:
    count = estimates.size
    if estimates.ndim != 1 or matrix.shape != (count, count) or labels != count or units != count:
        msg = (
            f"{count} values need {count} labels, {count} units and a covariance of shape {(count, count)}; "
            f"got {labels}, {units} and {matrix.shape}"
        )
        raise UncertaintyError(msg)
    if not (np.isfinite(estimates).all() and np.isfinite(matrix).all()):
        msg = "values and covariance must be finite; a fit that failed has NaN, look at its status"
        raise UncertaintyError(msg)
    scale = np.sqrt(np.outer(np.abs(np.diag(matrix)), np.abs(np.diag(matrix))))
    if np.any(np.abs(matrix - matrix.T) > 1e-9 * scale) or np.any(np.diag(matrix) < 0):
        msg = "a covariance matrix must be symmetric with variances not below zero; check what was passed"
        raise UncertaintyError(msg)
