"""The results of a digital calibration certificate as numbers of the D-SI 2.2.1, and the elements they are made of.

Not here: the certificate around them (`analysis.report.dcc`), units in D-SI notation (`analysis.core.dsi`).
"""

import re
import xml.etree.ElementTree as ET  # only writes, reads nothing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.core import MetrospecError, UnitsError, dsi, units
from analysis.report.statements import NOT_STATED
from analysis.uncertainty import Budget, Quantity, Source, coverage_factor
from analysis.uncertainty.formatting import format_value

DCC = "https://ptb.de/dcc"
SI = "https://ptb.de/si"
OWN = "|"  # before a unit that the D-SI has no word for
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True)
class Stated:
    """One number of the certificate."""

    name: str
    """Its name."""
    value: float
    """Estimate."""
    u: float
    """Standard uncertainty."""
    dof: float
    """Effective degrees of freedom."""
    units: str
    """Units of both."""
    components: Mapping[Source, float]
    """For each source its signed contribution."""
    formula: str = ""
    """Measurement model; empty for a parameter of a calibration."""
    history: str = ""
    """How it was made."""

    @classmethod
    def of(cls, name: str, thing: Budget | Quantity) -> "Stated":
        """Take a result.

        Parameters
        ----------
        name:
            What it is called on the certificate.
        thing:
            A budget or a quantity.

        Returns
        -------
        :
            Its numbers.
        """
        parts = thing.components if isinstance(thing, Budget) else thing.parts()
        return cls(
            name=name,
            value=thing.value,
            u=thing.u,
            dof=thing.dof,
            units=thing.units,
            components=parts,
            formula=thing.formula if isinstance(thing, Budget) else "",
            history=thing.history,
        )


def region_factor(rows: Sequence[Stated], level: float) -> float:
    """Return the coverage factor of the ellipsoid of several results.

    Parameters
    ----------
    rows:
        The results.
    level:
        Coverage probability, in (0, 1).

    Returns
    -------
    :
        From chi-square (JCGM 102, 7.7.2), or from F where the smallest degrees of freedom are finite.
    """
    count, dof = len(rows), min(row.dof for row in rows)
    if np.isinf(dof):
        return float(np.sqrt(stats.chi2.ppf(level, count)))
    return float(np.sqrt(count * stats.f.ppf(level, count, dof)))


def covariance(rows: Sequence[Stated]) -> npt.NDArray[np.float64]:
    """Return the covariance matrix of several results.

    Parameters
    ----------
    rows:
        The results; sources that they share correlate them.

    Returns
    -------
    :
        Dims `(result, result)`, in products of their units.
    """
    sources = list(dict.fromkeys(source for row in rows for source in row.components))
    parts = np.array([[row.components.get(source, 0.0) for source in sources] for row in rows])
    return np.asarray(parts.reshape(len(rows), -1) @ parts.reshape(len(rows), -1).T)


def write_results(parent: ET.Element, rows: Sequence[Stated], level: float) -> None:
    """Append all results, and the covariance matrix of several."""
    for row in rows:
        result = add(parent, "result")
        add_name(result, row.name)
        k = coverage_factor(row.dof, level)
        said = f"{format_value(row.value, k * row.u)} {'' if row.units == '1' else row.units}".strip()
        add_content(add(result, "description"), f"{row.name} = {said}, k = {k:.2f}, {100 * level:g} %")
        _real(add(add(result, "data"), "quantity"), row, level)
    if len(rows) > 1:
        result = add(parent, "result")
        add_name(result, "Covariance matrix of the results")
        _matrix(add(add(result, "data"), "quantity"), rows, level)


def _real(parent: ET.Element, row: Stated, level: float) -> None:
    k = coverage_factor(row.dof, level)
    real = add_si(parent, "real")
    add_si(real, "label", row.name)
    add_si(real, "value", _number(row.value))
    add_si(real, "unit", unit_word(row.units))
    expanded = add_si(add_si(real, "measurementUncertaintyUnivariate"), "expandedMU")
    add_si(expanded, "valueExpandedMU", _number(k * row.u))
    add_si(expanded, "coverageFactor", _factor(k, level))
    add_si(expanded, "coverageProbability", _plain(level))
    add_si(expanded, "distribution", _distribution(row.dof))


def _matrix(parent: ET.Element, rows: Sequence[Stated], level: float) -> None:
    units = [unit_word(row.units) for row in rows]
    block = add_si(parent, "realListXMLList")
    add_si(block, "labelXMLList", " ".join("_".join(row.name.split()) for row in rows))
    add_si(block, "valueXMLList", " ".join(_number(row.value) for row in rows))
    add_si(block, "unitXMLList", _once(units))
    univariate = add_si(add_si(block, "measurementUncertaintyUnivariateXMLList"), "standardMUXMLList")
    add_si(univariate, "valueStandardMUXMLList", " ".join(_number(row.u) for row in rows))
    add_si(univariate, "distributionXMLList", " ".join(_distribution(row.dof) for row in rows))
    region = add_si(add_si(block, "measurementUncertaintyMultivariateXMLList"), "ellipsoidalRegionMUXMLList")
    matrix = add_si(region, "covarianceMatrixXMLList")
    for j, column in enumerate(covariance(rows).T):
        entry = add_si(add_si(matrix, "columnXMLList"), "covarianceXMLList")
        add_si(entry, "valueXMLList", " ".join(_number(each) for each in column))
        add_si(entry, "unitXMLList", _once([_product(row.units, rows[j].units) for row in rows]))
    add_si(region, "coverageFactorXMLList", _factor(region_factor(rows, level), level))
    add_si(region, "coverageProbabilityXMLList", _plain(level))
    add_si(region, "distributionXMLList", _distribution(min(row.dof for row in rows)))


def add(parent: ET.Element | None, name: str, text: str | None = None) -> ET.Element:
    """Append an element of the DCC."""
    return _sub(parent, DCC, name, text)


def add_si(parent: ET.Element | None, name: str, text: str | None = None) -> ET.Element:
    """Append an element of the D-SI."""
    return _sub(parent, SI, name, text)


def _sub(parent: ET.Element | None, space: str, name: str, text: str | None) -> ET.Element:
    element = ET.Element(f"{{{space}}}{name}") if parent is None else ET.SubElement(parent, f"{{{space}}}{name}")
    if text is not None:
        element.text = " ".join(_FORBIDDEN.sub("�", text).split()) or NOT_STATED
    return element


def add_content(parent: ET.Element, text: str) -> None:
    """Append a text as content."""
    add(parent, "content", text)


def add_name(parent: ET.Element, text: str) -> None:
    """Append a name."""
    add_content(add(parent, "name"), text)


def _number(number: float) -> str:
    if not np.isfinite(number):
        msg = f"a digital certificate holds finite numbers, got {number}; see the budget for where it came from"
        raise MetrospecError(msg)
    return repr(float(number))


def _factor(k: float, level: float) -> str:
    if k < 1.0:
        msg = f"the D-SI takes coverage factors from 1, got k = {k:.3g} for level={level:g}; ask for a higher level"
        raise MetrospecError(msg)
    return _plain(k)


def _plain(number: float) -> str:
    return np.format_float_positional(number, trim="0")


def _distribution(dof: float) -> str:
    return "normal" if np.isinf(dof) else "t"


def unit_word(text: str) -> str:
    """Return units as words of the D-SI, or where it has none after a bar, to be defined in a statement."""
    try:
        return dsi.to_dsi(text)
    except UnitsError:
        return OWN + ".".join(text.split())


def _product(first: str, second: str) -> str:
    pair = [unit_word(each) for each in (first, second)]
    if any(word.startswith(OWN) for word in pair):
        return OWN + ".".join(units.multiply(first, second).split())
    return "".join(word for word in pair if word != r"\one") or r"\one"


def _once(units: Sequence[str]) -> str:
    return units[0] if len(set(units)) == 1 else " ".join(units)
