"""Numbers of the D-SI as quantities: single ones, lists, and lists with their covariance matrix.

D-SI 2.2.1 and the older names of its uncertainties. Not here: the certificate around them (`analysis.io.dcc`).
"""

import math
import xml.etree.ElementTree as ET  # only the type of what was parsed
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from analysis.core import FormatError, dsi
from analysis.core import units as unit_rules
from analysis.uncertainty import Distribution, Quantity, Source, correlated, distributions

SI = "{https://ptb.de/si}"
Floats = npt.NDArray[np.float64]
_SHAPES = {
    "uniform": distributions.rectangular,
    "rectangular": distributions.rectangular,
    "rectangle": distributions.rectangular,
    "triangular": distributions.triangular,
    "arcsine": distributions.arcsine,
    "u-shaped": distributions.arcsine,
}
_UNCERTAINTIES = {  # where a standard uncertainty stands, and the coverage factor it is to be divided by
    "measurementUncertaintyUnivariate/standardMU/valueStandardMU": "",
    "measurementUncertaintyUnivariate/expandedMU/valueExpandedMU": "coverageFactor",
    "measurementUncertaintyUnivariate/coverageIntervalMU/valueStandardMU": "",
    "expandedUnc/uncertainty": "coverageFactor",
    "coverageInterval/standardUnc": "",
    "valueStandardMU": "",
    "uncertainty": "",
}
_MATRICES = (
    "measurementUncertaintyMultivariateXMLList/ellipsoidalRegionMUXMLList/covarianceMatrixXMLList",
    "measurementUncertaintyMultivariateXMLList/rectangularRegionMUXMLList/covarianceMatrixXMLList",
)
_LIST = "XMLList"
_SAME_U = 2e-2  # of u: rounding of a printed uncertainty to two digits
_SAME_K = 1e-2
_LARGE_DOF = 1e5


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What one `si:real` or `si:realListXMLList` says."""

    labels: tuple[str, ...]
    """One for each number, perhaps empty."""
    values: Floats
    """Estimates."""
    units: tuple[str, ...]
    """UDUNITS string of each."""
    u: Floats | None
    """Standard uncertainties; None where none is stated."""
    dof: Floats
    """Degrees of freedom that the stated coverage factors imply."""
    distribution: str
    """As stated; empty where not."""
    covariance: Floats | None
    """Covariance matrix in products of the units, where there is one."""

    def quantities(self, names: Sequence[str], origin: str) -> tuple[Quantity, ...]:
        """Return the numbers with their uncertainties.

        Parameters
        ----------
        names:
            One for each number.
        origin:
            The certificate; with the names it makes the ids of the sources, so that reading twice gives the same.

        Returns
        -------
        :
            Correlated where there is a covariance matrix.
        """
        if self.covariance is not None:
            labels = [f"{name} ({origin})" for name in names]
            return correlated(self.values.tolist(), self.covariance, units=self.units, labels=labels)
        assert self.u is not None  # noqa: S101 - those without are not asked
        made = _SHAPES.get(self.distribution.lower())
        shape = distributions.normal() if made is None else made()
        return tuple(
            _quantity(name, origin, (float(value), float(u), units, float(dof)), shape)
            for name, value, u, units, dof in zip(names, self.values, self.u, self.units, self.dof, strict=True)
        )


def numbers_of(element: ET.Element) -> Numbers:
    """Read a `si:real`, `si:constant` or `si:realListXMLList`.

    Parameters
    ----------
    element:
        The element.

    Returns
    -------
    :
        Its numbers.

    Raises
    ------
    FormatError
        If a number does not read, lists differ in length, u is negative, or the covariance matrix contradicts u or is
        not positive semidefinite.
    UnitsError
        If a unit is not known.
    """
    end = _LIST if element.tag.endswith(_LIST) else ""
    values = _floats(element, f"value{end}", required=True)
    units = tuple(dsi.from_dsi(each) for each in _spread(_words(element, f"unit{end}"), values.size, "units"))
    labels = _words(element, f"label{end}") if end else [(element.findtext(f"{SI}label") or "").strip()]
    u, dof, distribution = _uncertainty(element, end, values.size)
    matrix = _covariance(element, units) if end else None
    if matrix is not None and u is not None:
        _require_same_u(matrix, u)
    return Numbers(
        labels=tuple(labels) if len(labels) == values.size else ("",) * values.size, values=values, units=units,
        u=np.sqrt(np.diag(matrix)) if u is None and matrix is not None else u, dof=dof, distribution=distribution,
        covariance=matrix,
    )  # fmt: skip


def _quantity(name: str, origin: str, numbers: tuple[float, float, str, float], shape: Distribution) -> Quantity:
    value, u, units, dof = numbers
    own = Source(
        id=f"{origin}:{name}", label=name, units=units, kind="B" if math.isinf(dof) else "A", distribution=shape,
        dof=dof, origin=origin,
    )  # fmt: skip
    return Quantity(
        value=value, u=u, units=units, dof=dof, distribution=shape, label=name, source=origin, components={own: u}
    )


def _uncertainty(element: ET.Element, end: str, size: int) -> tuple[Floats | None, Floats, str]:
    unknown = np.full(size, math.inf)
    for path, divisor in _UNCERTAINTIES.items():
        *parents, name = path.split("/")
        where = element.find("/".join(f"{SI}{each}{end}" for each in parents)) if parents else element
        if where is None or where.find(f"{SI}{name}{end}") is None:
            continue
        u = _fitting(_floats(where, f"{name}{end}", required=True), size, "uncertainties")
        if not (u >= 0.0).all():
            msg = f"an uncertainty is negative: {u.min():g}; the certificate is wrong. Ask the issuer"
            raise FormatError(msg)
        said = _words(where, f"distribution{end}")
        distribution = said[0] if said else ""
        if not divisor:
            return u, unknown, distribution
        k = _fitting(_floats(where, f"{divisor}{end}", required=True), size, "coverage factors")
        level = _fitting(_floats(where, f"coverageProbability{end}", required=True), size, "coverage probabilities")
        if not ((k > 0.0) & (level > 0.0) & (level < 1.0)).all():
            msg = f"wanted coverage factors above 0 and probabilities in (0, 1), got {k.min():g}, {level.tolist()[:3]}"
            raise FormatError(msg)
        plain = distribution.lower() in _SHAPES
        dof = unknown if plain else np.array([_dof(*each) for each in zip(k, level, strict=True)])
        return u / k, dof, distribution
    return None, unknown, ""


def _dof(k: float, level: float) -> float:
    """Return the degrees of freedom for which Student's t gives this factor; k = 2 stands for the normal one."""
    normal = float(special.ndtri(0.5 * (1 + level)))
    if k <= normal * (1 + _SAME_K) or abs(k - round(normal)) < 1e-9:  # noqa: PLR2004 - k = 2 for 95 %, as printed
        return math.inf
    one = float(special.stdtrit(1.0, 0.5 * (1 + level)))
    if k >= one:
        return 1.0
    found = optimize.brentq(lambda dof: float(special.stdtrit(dof, 0.5 * (1 + level))) - k, 1.0, _LARGE_DOF)
    return float(found)


def _covariance(element: ET.Element, units: Sequence[str]) -> Floats | None:
    found = next((each for path in _MATRICES if (each := element.find(_path(path))) is not None), None)
    if found is None:
        return None
    columns = []
    for j, column in enumerate(found.findall(f"{SI}columnXMLList")):
        entry = column.find(f"{SI}covarianceXMLList")
        if entry is None or j >= len(units):
            msg = f"the covariance matrix has more columns than there are results ({len(units)}), or an empty one"
            raise FormatError(msg)
        values = _fitting(_floats(entry, "valueXMLList", required=True), len(units), "covariances", alone=False)
        stated = _spread(_words(entry, "unitXMLList"), len(units), "units of a column")
        factors = [
            unit_rules.factor(dsi.from_dsi(word), unit_rules.multiply(own, units[j]))
            for word, own in zip(stated, units, strict=True)
        ]
        columns.append(values * factors)
    if len(columns) != len(units):
        msg = f"the covariance matrix has {len(columns)} columns for {len(units)} results; wanted one for each"
        raise FormatError(msg)
    return np.array(columns).T


def _require_same_u(matrix: Floats, u: Floats) -> None:
    diagonal = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    if not np.allclose(diagonal, u, rtol=_SAME_U, atol=0.0):
        worst = int(np.argmax(np.abs(diagonal - u)))
        msg = (
            f"the covariance matrix says u = {diagonal[worst]:g} where the result itself says {u[worst]:g}; the "
            "certificate contradicts itself. Ask the issuer"
        )
        raise FormatError(msg)


def _path(path: str) -> str:
    return "/".join(f"{SI}{each}" for each in path.split("/"))


def _words(element: ET.Element, name: str) -> list[str]:
    return (element.findtext(f"{SI}{name}") or "").split()


def _floats(element: ET.Element, name: str, *, required: bool) -> Floats:
    words = _words(element, name)
    try:
        found = np.array([float(word) for word in words])
    except ValueError as error:
        msg = f"{name} holds something that is no number ({error})"
        raise FormatError(msg) from error
    if (required and not words) or not np.isfinite(found).all():
        msg = f"{name} must hold finite numbers, got {words[:3] or 'nothing'}"
        raise FormatError(msg)
    return found


def _fitting(found: Floats, size: int, what: str, *, alone: bool = True) -> Floats:
    if found.size == size:
        return found
    if found.size == 1 and alone:
        return np.full(size, found[0])
    msg = f"{found.size} {what} for {size} values; wanted one for each{', or one for all' if alone else ''}"
    raise FormatError(msg)


def _spread(words: Sequence[str], size: int, what: str) -> list[str]:
    if len(words) not in (1, size):
        msg = f"{len(words)} {what} for {size} values; wanted one for each, or one for all"
        raise FormatError(msg)
    return list(words) * size if len(words) == 1 else list(words)
