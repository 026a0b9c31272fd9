"""Quantities known by joint draws: the output of a bootstrap, of a Markov chain, of another Monte Carlo calculation.

Not here: one quantity known by draws (`distributions.samples`), draws that are made here
(`analysis.uncertainty.joint`). References: JCGM 102:2011, 5.3.2.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError, history
from analysis.uncertainty import distributions
from analysis.uncertainty.correlation import factor
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source


def from_draws(draws: Mapping[str, npt.ArrayLike], *, units: Mapping[str, str]) -> dict[str, Quantity]:
    """Return quantities that are jointly distributed as given draws.

    Linear propagation uses their means and covariance; `sample` and `sample_jointly` draw whole rows of them, so that
    any dependence between the quantities stays, not only the correlation.

    Parameters
    ----------
    draws:
        By name, each of shape `(n,)`, row by row from the joint distribution.
    units:
        UDUNITS string by name.

    Returns
    -------
    :
        The quantities by name; they share sources.

    Raises
    ------
    UncertaintyError
        If numbers of draws differ or are fewer than 100, one is not finite, units are missing, or a quantity is
        constant.
    """
    names = list(draws)
    if not names or set(units) != set(names):
        msg = f"units must name the same quantities as draws: got {sorted(units)}, wanted {sorted(names)}"
        raise UncertaintyError(msg)
    arrays = [np.asarray(draws[name], dtype=float) for name in names]
    shapes = {name: each.shape for name, each in zip(names, arrays, strict=True)}
    if any(each.ndim != 1 for each in arrays) or len(set(shapes.values())) != 1 or arrays[0].size < 100:  # noqa: PLR2004
        msg = f"draws must be one-dimensional, of one length of at least 100, got shapes {shapes}"
        raise UncertaintyError(msg)
    table = np.stack(arrays)
    if not np.isfinite(table).all() or (table.std(axis=1) == 0).any():
        msg = f"draws of {names} must be finite and differ; leave out what is constant, and say what failed"
        raise UncertaintyError(msg)
    centre, scale = table.mean(axis=1), table.std(axis=1)
    standard = (table - centre[:, None]) / scale[:, None]
    columns = factor(np.atleast_2d(np.corrcoef(table)), names=names, what="correlation matrix")
    white = np.linalg.lstsq(columns, standard, rcond=None)[0]
    settings = {"draws": {name: each.tolist() for name, each in zip(names, arrays, strict=True)}, "units": dict(units)}
    head = history.step_id("uncertainty.from_draws", settings=settings, inputs={})
    joint = hashlib.blake2b(f"draws|{head}".encode(), digest_size=16).hexdigest()
    sources = [
        Source(
            id=f"{joint}-{number}",
            label=f"{', '.join(names)} (joint {number + 1})",
            distribution=distributions.samples(row),
            tags=(", ".join(names),),
            ensemble=joint,
        )
        for number, row in enumerate(white)
    ]
    return {
        name: Quantity.from_components(
            float(centre[i]),
            dict(zip(sources, (scale[i] * columns[i]).tolist(), strict=True)),
            units=units[name],
            label=name,
            history=history.extend("uncertainty.from_draws", settings=settings | {"output": name}, inputs={}),
        )
        for i, name in enumerate(names)
    }
