"""Digital calibration certificates: DCC 3.3.0 XML with the numbers in D-SI 2.2.1.

Not here: the HTML certificate (`analysis.report.certificate`), units in D-SI notation (`analysis.core.dsi`).
"""

import base64
import datetime as dt
import json
import re
import xml.etree.ElementTree as ET  # only writes, reads nothing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.core import MetrospecError, dsi, history
from analysis.report import steps
from analysis.report.statements import NOT_STATED, Statements
from analysis.uncertainty import Budget, Quantity, Source, coverage_factor
from analysis.uncertainty.formatting import format_value

DCC = "https://ptb.de/dcc"
SI = "https://ptb.de/si"
VERSION = "3.3.0"
_RELEASE = re.compile(r"(?:[0-9]{1,3}\.){0,3}[0-9]{1,3}")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPE_A_OR_B = "GUM uncertainty framework: linear propagation of every independent source"


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


def write_dcc(
    rows: Sequence[Stated],
    *,
    title: str,
    statements: Statements,
    declarations: Sequence[str],
    issued: str | None,
    level: float,
) -> str:
    """Write a DCC.

    Parameters
    ----------
    rows:
        The results; several get their covariance matrix.
    title:
        Name of the measurement.
    statements:
        What the laboratory states.
    declarations:
        Sentences that stand under the statements.
    issued:
        Day of issue (ISO 8601); None leaves it out.
    level:
        Coverage probability, in (0, 1).

    Returns
    -------
    :
        The XML document.

    Raises
    ------
    MetrospecError
        If the date of issue is not a day.
    UnitsError
        If the D-SI has no word for a unit.
    UncertaintyError
        If `level` is out of range.
    """
    if issued is not None:
        try:
            dt.date.fromisoformat(issued)
        except ValueError as error:
            msg = f"a digital certificate needs the day of issue as 2026-11-23, got {issued!r}"
            raise MetrospecError(msg) from error
    ET.register_namespace("dcc", DCC)
    ET.register_namespace("si", SI)
    texts = list(dict.fromkeys(row.history for row in rows if row.history))
    root = ET.Element(f"{{{DCC}}}digitalCalibrationCertificate", schemaVersion=VERSION)
    root.append(_administration(statements, texts, declarations, issued))
    results = _dcc(root, "measurementResults")
    result = _dcc(results, "measurementResult")
    _named(result, title)
    _methods(result, rows)
    _software(_dcc(result, "usedSoftware"), texts)
    _equipment(result, statements)
    _conditions(result, statements)
    _results(_dcc(result, "results"), rows, level)
    _data(result, texts)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


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


def _administration(
    statements: Statements, texts: Sequence[str], declarations: Sequence[str], issued: str | None
) -> ET.Element:
    admin = ET.Element(f"{{{DCC}}}administrativeData")
    _software(_dcc(admin, "dccSoftware"), texts)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    begin = statements.begin or issued or today
    heads = "+".join(dict.fromkeys(history.parse(text)["head"] for text in texts))
    core = _dcc(admin, "coreData")
    for name, text in {
        "countryCodeISO3166_1": statements.country,
        "usedLangCodeISO639_1": "en",
        "mandatoryLangCodeISO639_1": "en",
        "uniqueIdentifier": statements.identifier or heads or "no record",
        "beginPerformanceDate": begin,
        "endPerformanceDate": statements.end or begin,
        "performanceLocation": "laboratory" if statements.laboratory != NOT_STATED else "other",
    }.items():
        _dcc(core, name, text)
    if issued is not None:
        _dcc(core, "issueDate", issued)
    item = _dcc(_dcc(admin, "items"), "item")
    _named(item, statements.item)
    _identified(item, statements.item_id)
    _contact(_dcc(_dcc(admin, "calibrationLaboratory"), "contact"), statements.laboratory, statements.country)
    persons = _dcc(admin, "respPersons")
    for name in statements.signatories or (NOT_STATED,):
        _named(_dcc(_dcc(persons, "respPerson"), "person"), name)
    _contact(_dcc(admin, "customer"), statements.customer, "")
    undated = () if statements.begin else ("The days of the measurements were not stated; the date given is formal.",)
    listed = _dcc(admin, "statements")
    for sentence in [*declarations, *undated]:
        _content(_dcc(_dcc(listed, "statement"), "declaration"), sentence)
    return admin


def _methods(parent: ET.Element, rows: Sequence[Stated]) -> None:
    methods = _dcc(parent, "usedMethods")
    method = _dcc(methods, "usedMethod")
    _named(method, _TYPE_A_OR_B)
    _dcc(method, "norm", "JCGM 100:2008")
    for row in rows:
        if row.formula:
            model = _dcc(methods, "usedMethod")
            _named(model, f"Measurement model of {row.name}")
            _content(_dcc(model, "description"), f"{row.name} = {row.formula}")


def _software(parent: ET.Element, texts: Sequence[str]) -> None:
    versions = steps.software(texts) if texts else {}
    listed = {name: text for name, text in versions.items() if _RELEASE.fullmatch(text)}
    every = "; ".join(f"{name} {text}" for name, text in versions.items())
    for name, text in (listed or {"metrospec": "0"}).items():
        entry = _dcc(parent, "software")
        _named(entry, name)
        _dcc(entry, "release", f"v{text}")
        if every:
            _content(_dcc(entry, "description"), f"Exact versions of all software: {every}")


def _equipment(parent: ET.Element, statements: Statements) -> None:
    listed = _dcc(parent, "measuringEquipments") if statements.equipment else None
    for name, text in statements.equipment.items() if listed is not None else ():
        entry = _dcc(listed, "measuringEquipment")
        _named(entry, name)
        _identified(entry, text)


def _conditions(parent: ET.Element, statements: Statements) -> None:
    listed = _dcc(parent, "influenceConditions")
    for name, text in (statements.conditions or {"Conditions of the measurement": NOT_STATED}).items():
        entry = _dcc(listed, "influenceCondition")
        _named(entry, name)
        _content(_dcc(_dcc(entry, "data"), "text"), text)


def _results(parent: ET.Element, rows: Sequence[Stated], level: float) -> None:
    for row in rows:
        result = _dcc(parent, "result")
        _named(result, row.name)
        k = coverage_factor(row.dof, level)
        said = f"{format_value(row.value, k * row.u)} {'' if row.units == '1' else row.units}".strip()
        _content(_dcc(result, "description"), f"{row.name} = {said}, k = {k:.2f}, {100 * level:g} %")
        _real(_dcc(_dcc(result, "data"), "quantity"), row, level)
    if len(rows) > 1:
        result = _dcc(parent, "result")
        _named(result, "Covariance matrix of the results")
        _matrix(_dcc(_dcc(result, "data"), "quantity"), rows, level)


def _real(parent: ET.Element, row: Stated, level: float) -> None:
    k = coverage_factor(row.dof, level)
    real = _si(parent, "real")
    _si(real, "label", row.name)
    _si(real, "value", _number(row.value))
    _si(real, "unit", dsi.to_dsi(row.units))
    expanded = _si(_si(real, "measurementUncertaintyUnivariate"), "expandedMU")
    _si(expanded, "valueExpandedMU", _number(k * row.u))
    _si(expanded, "coverageFactor", _factor(k, level))
    _si(expanded, "coverageProbability", _plain(level))
    _si(expanded, "distribution", _distribution(row.dof))


def _matrix(parent: ET.Element, rows: Sequence[Stated], level: float) -> None:
    units = [dsi.to_dsi(row.units) for row in rows]
    block = _si(parent, "realListXMLList")
    _si(block, "labelXMLList", " ".join("_".join(row.name.split()) for row in rows))
    _si(block, "valueXMLList", " ".join(_number(row.value) for row in rows))
    _si(block, "unitXMLList", _once(units))
    univariate = _si(_si(block, "measurementUncertaintyUnivariateXMLList"), "standardMUXMLList")
    _si(univariate, "valueStandardMUXMLList", " ".join(_number(row.u) for row in rows))
    _si(univariate, "distributionXMLList", " ".join(_distribution(row.dof) for row in rows))
    region = _si(_si(block, "measurementUncertaintyMultivariateXMLList"), "ellipsoidalRegionMUXMLList")
    matrix = _si(region, "covarianceMatrixXMLList")
    for j, column in enumerate(covariance(rows).T):
        entry = _si(_si(matrix, "columnXMLList"), "covarianceXMLList")
        _si(entry, "valueXMLList", " ".join(_number(each) for each in column))
        _si(entry, "unitXMLList", _once([_product(row.units, rows[j].units) for row in rows]))
    _si(region, "coverageFactorXMLList", _factor(region_factor(rows, level), level))
    _si(region, "coverageProbabilityXMLList", _plain(level))
    _si(region, "distributionXMLList", _distribution(min(row.dof for row in rows)))


def _data(parent: ET.Element, texts: Sequence[str]) -> None:
    listed = _dcc(parent, "measurementMetaData") if texts else None
    for row in steps.data_rows(texts) if listed is not None else ():
        entry = _dcc(listed, "metaData")
        _named(entry, "Data")
        _content(_dcc(entry, "description"), "; ".join(f"{name}: {text}" for name, text in row.items() if text))
    for text in texts if listed is not None else ():
        entry = _dcc(listed, "metaData")
        _named(entry, "History from which the result is computed again")
        file = _dcc(_dcc(entry, "description"), "file")
        _dcc(file, "fileName", "history.json")
        _dcc(file, "mimeType", "application/json")
        plain = json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
        _dcc(file, "dataBase64", base64.b64encode(plain.encode()).decode())


def _dcc(parent: ET.Element | None, name: str, text: str | None = None) -> ET.Element:
    return _sub(parent, DCC, name, text)


def _si(parent: ET.Element | None, name: str, text: str | None = None) -> ET.Element:
    return _sub(parent, SI, name, text)


def _sub(parent: ET.Element | None, space: str, name: str, text: str | None) -> ET.Element:
    element = ET.Element(f"{{{space}}}{name}") if parent is None else ET.SubElement(parent, f"{{{space}}}{name}")
    if text is not None:
        element.text = " ".join(_FORBIDDEN.sub("�", text).split()) or NOT_STATED
    return element


def _content(parent: ET.Element, text: str) -> None:
    _dcc(parent, "content", text)


def _named(parent: ET.Element, text: str) -> None:
    _content(_dcc(parent, "name"), text)


def _identified(parent: ET.Element, text: str) -> None:
    entry = _dcc(_dcc(parent, "identifications"), "identification")
    _dcc(entry, "issuer", "other")
    _dcc(entry, "value", text)


def _contact(parent: ET.Element, name: str, country: str) -> None:
    _named(parent, name)
    place = _dcc(parent, "location")
    if country and country != "ZZ":
        _dcc(place, "countryCode", country)
    else:
        _content(_dcc(place, "further"), NOT_STATED)


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


def _product(first: str, second: str) -> str:
    words = [word for word in (dsi.to_dsi(first), dsi.to_dsi(second)) if word != r"\one"]
    return "".join(words) or r"\one"


def _once(units: Sequence[str]) -> str:
    return units[0] if len(set(units)) == 1 else " ".join(units)
