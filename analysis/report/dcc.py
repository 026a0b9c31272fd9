"""Digital calibration certificates: DCC 3.3.0 XML, with files attached from which the results can be used again.

Not here: the HTML certificate (`analysis.report.certificate`), the numbers (`analysis.report.dcc_results`), reading
(`analysis.io.dcc`).
"""

import base64
import datetime as dt
import json
import re
import xml.etree.ElementTree as ET  # only writes, reads nothing
from collections.abc import Mapping, Sequence

import xarray as xr

from analysis.core import MetrospecError, history
from analysis.io import dataset_json
from analysis.report import steps
from analysis.report.dcc_results import DCC, OWN, SI, Stated, add, add_content, add_name, unit_word, write_results
from analysis.report.statements import NOT_STATED, Statements

VERSION = "3.3.0"
_RELEASE = re.compile(r"(?:[0-9]{1,3}\.){0,3}[0-9]{1,3}")
_TYPE_A_OR_B = "GUM uncertainty framework: linear propagation of every independent source"


def write_dcc(
    rows: Sequence[Stated],
    *,
    title: str,
    statements: Statements,
    declarations: Sequence[str],
    issued: str | None,
    level: float,
    calibration: xr.Dataset | None = None,
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
    calibration:
        The Dataset of a calibration, which is carried whole so that it can be used again.

    Returns
    -------
    :
        The XML document.

    Raises
    ------
    MetrospecError
        If the date of issue is not a day.
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
    _own_units(root, rows)
    results = add(root, "measurementResults")
    result = add(results, "measurementResult")
    add_name(result, title)
    _methods(result, rows)
    _software(add(result, "usedSoftware"), texts)
    _equipment(result, statements)
    _conditions(result, statements)
    write_results(add(result, "results"), rows, level)
    _data(result, texts, _attached(rows, calibration))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _administration(
    statements: Statements, texts: Sequence[str], declarations: Sequence[str], issued: str | None
) -> ET.Element:
    admin = ET.Element(f"{{{DCC}}}administrativeData")
    _software(add(admin, "dccSoftware"), texts)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    begin = statements.begin or issued or today
    heads = "+".join(dict.fromkeys(history.parse(text)["head"] for text in texts))
    core = add(admin, "coreData")
    for name, text in {
        "countryCodeISO3166_1": statements.country,
        "usedLangCodeISO639_1": "en",
        "mandatoryLangCodeISO639_1": "en",
        "uniqueIdentifier": statements.identifier or heads or "no record",
        "beginPerformanceDate": begin,
        "endPerformanceDate": statements.end or begin,
        "performanceLocation": statements.location,
    }.items():
        add(core, name, text)
    if issued is not None:
        add(core, "issueDate", issued)
    item = add(add(admin, "items"), "item")
    add_name(item, statements.item)
    _identified(item, statements.item_id)
    _contact(add(add(admin, "calibrationLaboratory"), "contact"), statements.laboratory, statements.country)
    persons = add(admin, "respPersons")
    for name in statements.signatories or (NOT_STATED,):
        add_name(add(add(persons, "respPerson"), "person"), name)
    _contact(add(admin, "customer"), statements.customer, "")
    undated = () if statements.begin else ("The days of the measurements were not stated; the date given is formal.",)
    listed = add(admin, "statements")
    for sentence in [*declarations, *undated]:
        add_content(add(add(listed, "statement"), "declaration"), sentence)
    return admin


def _methods(parent: ET.Element, rows: Sequence[Stated]) -> None:
    methods = add(parent, "usedMethods")
    method = add(methods, "usedMethod")
    add_name(method, _TYPE_A_OR_B)
    add(method, "norm", "JCGM 100:2008")
    for row in rows:
        if row.formula:
            model = add(methods, "usedMethod")
            add_name(model, f"Measurement model of {row.name}")
            add_content(add(model, "description"), f"{row.name} = {row.formula}")


def _software(parent: ET.Element, texts: Sequence[str]) -> None:
    versions = steps.software(texts) if texts else {}
    listed = {name: text for name, text in versions.items() if _RELEASE.fullmatch(text)}
    every = "; ".join(f"{name} {text}" for name, text in versions.items())
    for name, text in (listed or {"metrospec": "0"}).items():
        entry = add(parent, "software")
        add_name(entry, name)
        add(entry, "release", f"v{text}")
        if every:
            add_content(add(entry, "description"), f"Exact versions of all software: {every}")


def _equipment(parent: ET.Element, statements: Statements) -> None:
    listed = add(parent, "measuringEquipments") if statements.equipment else None
    for name, text in statements.equipment.items() if listed is not None else ():
        entry = add(listed, "measuringEquipment")
        add_name(entry, name)
        _identified(entry, text)


def _conditions(parent: ET.Element, statements: Statements) -> None:
    listed = add(parent, "influenceConditions")
    for name, text in (statements.conditions or {"Conditions of the measurement": NOT_STATED}).items():
        entry = add(listed, "influenceCondition")
        add_name(entry, name)
        add_content(add(add(entry, "data"), "text"), text)


def _own_units(root: ET.Element, rows: Sequence[Stated]) -> None:
    """Define the units that the D-SI has no word for."""
    listed = root.find(f"{{{DCC}}}administrativeData/{{{DCC}}}statements")
    for word in dict.fromkeys(unit_word(row.units) for row in rows):
        if word.startswith(OWN):
            entry = add(listed, "statement")
            add(entry, "nonSIDefinition", f"{word.removeprefix(OWN)}, in the notation of UDUNITS")
            add(entry, "nonSIUnit", word)


def _attached(rows: Sequence[Stated], calibration: xr.Dataset | None) -> dict[str, tuple[str, str]]:
    """Return name, caption and text of the files that carry the results with all their sources."""
    whole = {
        row.name: {
            "value": row.value,
            "units": row.units,
            "components": [[source.to_json(), c] for source, c in row.components.items()],
            "history": row.history,
        }
        for row in rows
    }
    found = {"results.json": ("Results with all their sources", json.dumps(whole, sort_keys=True, ensure_ascii=False))}
    if calibration is not None:
        found["calibration.json"] = ("The calibration, to be used again", dataset_json.to_json(calibration))
    return found


def _data(parent: ET.Element, texts: Sequence[str], attached: Mapping[str, tuple[str, str]]) -> None:
    listed = add(parent, "measurementMetaData")
    for row in steps.data_rows(texts):
        entry = add(listed, "metaData")
        add_name(entry, "Data")
        add_content(add(entry, "description"), "; ".join(f"{name}: {text}" for name, text in row.items() if text))
    for text in texts:
        plain = json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
        _attach(listed, "history.json", "History from which the result is computed again", plain)
    for name, (caption, text) in attached.items():
        _attach(listed, name, caption, text)


def _attach(parent: ET.Element, name: str, caption: str, text: str) -> None:
    entry = add(parent, "metaData")
    add_name(entry, caption)
    file = add(add(entry, "description"), "file")
    add(file, "fileName", name)
    add(file, "mimeType", "application/json")
    add(file, "dataBase64", base64.b64encode(text.encode()).decode())


def _identified(parent: ET.Element, text: str) -> None:
    entry = add(add(parent, "identifications"), "identification")
    add(entry, "issuer", "other")
    add(entry, "value", text)


def _contact(parent: ET.Element, name: str, country: str) -> None:
    add_name(parent, name)
    place = add(parent, "location")
    if country and country != "ZZ":
        add(place, "countryCode", country)
    else:
        add_content(add(place, "further"), NOT_STATED)
