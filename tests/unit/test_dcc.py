"""Digital certificates: numbers, covariances and units as they stand in the XML, and the schema's verdict."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from analysis import report
from analysis.calibration import fit_line
from analysis.core.dsi import to_dsi
from analysis.report.dcc_results import Stated, region_factor
from analysis.uncertainty import Quantity, propagate
from tests.schematron import violations

NAMES = {"dcc": "https://ptb.de/dcc", "si": "https://ptb.de/si"}
STATED = report.Statements(
    laboratory="Optics <&> lab",
    country="DE",
    customer="A customer",
    item="Resistor",
    begin="2026-11-20",
    end="2026-11-21",
    conditions={"Temperature": "23.0 °C ± 0.5 °C"},
    equipment={"Voltmeter": "17"},
    signatories=("A. Person",),
)


@pytest.fixture
def budgets():
    inputs = {
        "V": Quantity(value=5.0, u=0.02, units="V", label="V"),
        "I": Quantity(value=0.02, u=0.0001, units="A", dof=9, label="I"),
    }
    return {
        "R": propagate("V/I", inputs, name="R", units="ohm"),
        "P": propagate("V*I", inputs, name="P", units="W"),
    }


def numbers(root, path):
    return [float(each) for each in root.find(f".//si:{path}", NAMES).text.split()]


def test_one_result_has_its_value_expanded_uncertainty_and_units(budgets):
    root = etree.fromstring(report.certificate(budgets["R"], format="dcc", statements=STATED).encode())
    u = 250 * np.hypot(0.02 / 5, 0.0001 / 0.02)  # GUM 5.1.6, relative variances of a quotient
    assert numbers(root, "value") == [pytest.approx(250)]
    k = numbers(root, "coverageFactor")[0]
    assert numbers(root, "valueExpandedMU") == [pytest.approx(k * u)]
    dof = (u / 250) ** 4 / ((0.0001 / 0.02) ** 4 / 9)  # Welch-Satterthwaite
    assert k == pytest.approx(budgets["R"].k, abs=1e-9)
    assert budgets["R"].dof == pytest.approx(dof)
    assert root.find(".//si:unit", NAMES).text == r"\ohm"
    assert numbers(root, "coverageProbability") == [0.95]


def test_several_results_have_their_full_covariance_matrix(budgets):
    root = etree.fromstring(report.certificate(budgets, format="dcc", statements=STATED).encode())
    columns = root.findall(".//si:covarianceXMLList/si:valueXMLList", NAMES)
    found = np.array([[float(each) for each in column.text.split()] for column in columns])
    slopes = np.array([[1 / 0.02, -5 / 0.02**2], [0.02, 5.0]])
    expected = slopes @ np.diag([0.02**2, 0.0001**2]) @ slopes.T
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert root.find(".//si:covarianceXMLList/si:unitXMLList", NAMES).text == r"\ohm\ohm \watt\ohm"


def test_a_certificate_carries_method_conditions_software_and_the_lack_of_accreditation(budgets):
    text = report.certificate(budgets, format="dcc", statements=STATED, issued="2026-11-23")
    for said in ("JCGM 100:2008", "R = V/I", "23.0 °C ± 0.5 °C", "Optics &lt;&amp;&gt; lab", "history.json"):
        assert said in text, said
    assert "not issued by an accredited laboratory" in text


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("1", r"\one"),
        ("cm-1", r"\centi\metre\tothe{-1}"),
        ("nm", r"\nano\metre"),
        ("cm-1/GPa", r"\centi\metre\tothe{-1}\giga\pascal\tothe{-1}"),
        ("W m-2", r"\watt\metre\tothe{-2}"),
        ("kg", r"\kilo\gram"),
        ("degC", r"\degreecelsius"),
        ("mmol/L", r"\milli\mole\litre\tothe{-1}"),
    ],
)
def test_units_become_words_of_the_d_si(units, expected):
    assert to_dsi(units) == expected


def test_units_without_a_word_are_refused_by_name():
    with pytest.raises(ValueError, match="no word for 'counts' in units 'counts s-1'"):
        to_dsi("counts s-1")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"country": "Germany"}, "two capital letters"),
        ({"begin": "yesterday"}, "got 'yesterday'"),
        ({"begin": "2026-11-20", "end": "2026-11-19"}, "begin before they end"),
    ],
)
def test_statements_that_cannot_be_true_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        report.Statements(**given)


def test_a_level_below_k_1_and_an_unreadable_day_are_refused(budgets):
    with pytest.raises(ValueError, match="coverage factors from 1"):
        report.certificate(budgets["R"], format="dcc", level=0.5)
    with pytest.raises(ValueError, match="day of issue"):
        report.certificate(budgets["R"], format="dcc", issued="today")


@pytest.fixture
def checker(tmp_path):
    folder = os.environ.get("METROSPEC_REFERENCE")
    if not folder:
        pytest.skip("METROSPEC_REFERENCE names no folder with the schemas of the DCC")
    for kept, wanted in {
        "dcc/v3.3.0/dcc.xsd": "dcc/v3.3.0.xsd",
        "dsi/v2.2.1/SI_Format.xsd": "dsi/v2.2.1.xsd",
        "qudt/qudt.xsd": "qudt/v2.2.1.xsd",
        "xmldsig/xmldsig-core-schema.xsd": "xmldsig-core-schema.xsd",
    }.items():
        (tmp_path / wanted).parent.mkdir(exist_ok=True)
        shutil.copy(Path(folder) / "dcc" / kept, tmp_path / wanted)
    return etree.XMLSchema(etree.parse(tmp_path / "dcc/v3.3.0.xsd", etree.XMLParser(no_network=True)))


@pytest.fixture
def rules():
    folder = os.environ.get("METROSPEC_REFERENCE")
    if not folder:
        pytest.skip("METROSPEC_REFERENCE names no folder with the rules of the DCC")
    return Path(folder) / "dcc/schematron/dcc.sch"


@pytest.mark.parametrize("which", ["one", "several", "bare", "curve", "counts"])
def test_the_schema_and_the_rules_of_the_dcc_accept_what_was_written(which, budgets, checker, rules):
    readings = [Quantity(value=y, u=0.1, units="K") for y in (1.1, 1.9, 3.2, 3.9)]
    line = fit_line([1.0, 2.0, 3.0, 4.0], readings)
    text = {
        "one": lambda: report.certificate(budgets["R"], format="dcc", statements=STATED, issued="2026-11-23"),
        "several": lambda: report.certificate(budgets, format="dcc", statements=STATED),
        "bare": lambda: report.certificate(budgets["R"], format="dcc"),
        "curve": lambda: report.certificate(line, format="dcc", statements=STATED),
        "counts": lambda: report.certificate(
            fit_line([1.0, 2.0, 3.0], [Quantity(value=y, u=0.1, units="counts s-1") for y in (1.1, 1.9, 3.2)]),
            format="dcc", statements=STATED,
        ),
    }[which]()  # fmt: skip
    root = etree.fromstring(text.encode())
    assert checker.validate(root), checker.error_log
    broken = violations(rules, root.getroottree())
    country = ["Invalid ISO 3166-1 country code"] if which == "bare" else []  # nobody stated it
    assert [each.split(":")[0] for each in broken] == country


def test_the_rules_refuse_what_the_schema_does_not_see(budgets, checker, rules):
    root = etree.fromstring(report.certificate(budgets["R"], format="dcc", statements=STATED).encode())
    root.find(".//dcc:endPerformanceDate", NAMES).text = "2026-11-01"
    assert checker.validate(root)
    assert len(violations(rules, root.getroottree())) == 1


def test_the_schema_refuses_a_certificate_that_lost_a_part(budgets, checker):
    root = etree.fromstring(report.certificate(budgets["R"], format="dcc").encode())
    item = root.find(".//dcc:items", NAMES)
    item.getparent().remove(item)
    assert not checker.validate(root)


def test_what_the_schematron_demands_is_there(budgets):
    root = etree.fromstring(report.certificate(budgets, format="dcc", statements=STATED).encode())
    result = root.find(".//dcc:measurementResult", NAMES)
    assert result.find("dcc:usedMethods", NAMES) is not None
    assert result.find("dcc:influenceConditions", NAMES) is not None
    assert result.find("dcc:usedSoftware", NAMES) is not None
    for release in root.iterfind(".//dcc:release", NAMES):
        assert re.fullmatch(r"[a-zA-Z]( )?([0-9]{1,3}\.){0,3}[0-9]{1,3}", release.text), release.text
    assert root.get("schemaVersion") == "3.3.0"
    assert not root.xpath("//@refId | //@id | //@lang")
    assert all(len(each.text.split()) in (1, 2) for each in root.iterfind(".//si:unitXMLList", NAMES))


@pytest.mark.parametrize(("dof", "squared"), [(np.inf, -2 * np.log(0.05)), (9.0, 9 * (0.05 ** (-2 / 9) - 1))])
def test_the_ellipsoid_of_two_results_has_the_factor_of_its_closed_form(dof, squared):
    """chi-square and F with two degrees of freedom have closed quantiles."""
    source = Quantity(value=1.0, u=1.0, units="V", dof=dof)
    rows = [Stated.of("a", source), Stated.of("b", Quantity(value=1.0, u=1.0, units="V"))]
    assert region_factor(rows, 0.95) ** 2 == pytest.approx(squared, rel=1e-12)
