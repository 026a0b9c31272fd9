"""Digital certificates read: our own give back what was certified, those of others their numbers, bad ones a reason."""

import base64
import json
import math

import numpy as np
import pytest
from scipy import stats

from analysis import calibration, io, report
from analysis.core import FormatError, UnitsError
from analysis.core.dsi import from_dsi, to_dsi
from analysis.uncertainty import Quantity, distributions, propagate

STATED = report.Statements(
    laboratory="Optics", country="DE", item="Resistor", begin="2026-11-20", location="laboratory"
)
HEAD = (
    '<dcc:digitalCalibrationCertificate xmlns:dcc="https://ptb.de/dcc" xmlns:si="https://ptb.de/si" '
    'schemaVersion="3.3.0">'
    "<dcc:administrativeData><dcc:coreData><dcc:uniqueIdentifier>K 17</dcc:uniqueIdentifier></dcc:coreData>"
    "</dcc:administrativeData><dcc:measurementResults><dcc:measurementResult><dcc:results>"
)
TAIL = "</dcc:results></dcc:measurementResult></dcc:measurementResults></dcc:digitalCalibrationCertificate>"


def result(name, numbers):
    return (
        f"<dcc:result><dcc:name><dcc:content>{name}</dcc:content></dcc:name><dcc:data><dcc:quantity>{numbers}"
        "</dcc:quantity></dcc:data></dcc:result>"
    )


def real(value, unit, uncertainty):
    return f"<si:real><si:value>{value}</si:value><si:unit>{unit}</si:unit>{uncertainty}</si:real>"


def expanded(u, k, level=0.95, distribution=""):
    said = f"<si:distribution>{distribution}</si:distribution>" if distribution else ""
    return (
        f"<si:measurementUncertaintyUnivariate><si:expandedMU><si:valueExpandedMU>{u}</si:valueExpandedMU>"
        f"<si:coverageFactor>{k}</si:coverageFactor><si:coverageProbability>{level}</si:coverageProbability>{said}"
        "</si:expandedMU></si:measurementUncertaintyUnivariate>"
    )


def columns(matrix, unit):
    rows = "".join(
        f"<si:columnXMLList><si:covarianceXMLList><si:valueXMLList>{' '.join(map(str, column))}</si:valueXMLList>"
        f"<si:unitXMLList>{unit}</si:unitXMLList></si:covarianceXMLList></si:columnXMLList>"
        for column in np.transpose(matrix).tolist()
    )
    return (
        "<si:measurementUncertaintyMultivariateXMLList><si:ellipsoidalRegionMUXMLList><si:covarianceMatrixXMLList>"
        f"{rows}</si:covarianceMatrixXMLList></si:ellipsoidalRegionMUXMLList>"
        "</si:measurementUncertaintyMultivariateXMLList>"
    )


def listed(values, unit, uncertainty):
    return (
        f"<si:realListXMLList><si:valueXMLList>{values}</si:valueXMLList><si:unitXMLList>{unit}</si:unitXMLList>"
        f"{uncertainty}</si:realListXMLList>"
    )


@pytest.fixture
def read(tmp_path):
    def reading(*results):
        path = tmp_path / "certificate.xml"
        path.write_text(HEAD + "".join(results) + TAIL, encoding="utf-8")
        return io.read_certificate(path)

    return reading


@pytest.fixture
def budgets():
    inputs = {
        "V": Quantity(value=5.0, u=0.02, units="V", label="V"),
        "I": Quantity(value=0.02, u=0.0001, units="A", dof=9, label="I"),
    }
    return {"R": propagate("V/I", inputs, name="R", units="ohm"), "P": propagate("V*I", inputs, name="P", units="W")}


def written(tmp_path, thing):
    path = tmp_path / "own.xml"
    path.write_text(report.certificate(thing, format="dcc", statements=STATED), encoding="utf-8")
    return path


def test_results_of_our_certificate_keep_their_sources(tmp_path, budgets):
    found = io.read_certificate(written(tmp_path, budgets))
    assert list(found.results) == ["R", "P"]
    for name, budget in budgets.items():
        assert found[name] == budget.to_quantity()
    again = propagate("R*P", {"R": found["R"], "P": found["P"]}, name="V2", units="V2")  # = V², I cancels
    assert again.u == pytest.approx(2 * 5.0 * 0.02, rel=1e-9)
    assert (found.laboratory, found.item, found.begin) == ("Optics", "Resistor", "2026-11-20")


def test_a_curve_comes_back_whole_from_its_certificate(tmp_path):
    readings = [Quantity(value=y, u=0.1, units="counts", label=f"y{k}") for k, y in enumerate((1.1, 1.9, 3.2, 3.9))]
    line = calibration.fit_line([1.0, 2.0, 3.0, 4.0], readings)
    found = io.read_calibration(written(tmp_path, line))
    assert found == line
    assert found.inverse(2.5) == line.inverse(2.5)
    assert found.predict(2.5).covariance(readings[0]) == line.predict(2.5).covariance(readings[0]) != 0


def test_an_axis_comes_back_whole_from_its_certificate(tmp_path, neon_axis):
    found = io.read_calibration(written(tmp_path, neon_axis))
    assert type(found) is type(neon_axis)
    assert found.predict(500.0) == neon_axis.predict(500.0)
    np.testing.assert_array_equal(found.covariance, neon_axis.covariance)


@pytest.fixture
def neon_axis():
    lamp = io.sample("raman_neon")
    found = calibration.match(lamp, calibration.lines("Ne", 530, 640, units="nm"))
    return calibration.fit_axis(found, axis="wavelength", degree=3)


def test_expanded_uncertainties_are_divided_by_their_factors(read):
    k = float(stats.t.ppf(0.975, 7))
    found = read(
        result("two", real(10, r"\volt", expanded(0.4, 2))),
        result("t", real(10, r"\milli\volt", expanded(0.4, k, distribution="t"))),
        result("flat", real(1, r"\one", expanded(0.95 * 3**0.5, 0.95 * 3**0.5, distribution="uniform"))),
        result("old", real(3, r"\metre\per\second", "<si:expandedUnc><si:uncertainty>0.2</si:uncertainty>"
               "<si:coverageFactor>2</si:coverageFactor><si:coverageProbability>0.95</si:coverageProbability>"
               "</si:expandedUnc>")),
        result("standard", real(3, r"\second", "<si:measurementUncertaintyUnivariate><si:standardMU>"
               "<si:valueStandardMU>0.3</si:valueStandardMU></si:standardMU></si:measurementUncertaintyUnivariate>")),
    )  # fmt: skip
    assert found["two"].u == pytest.approx(0.2)
    assert math.isinf(found["two"].dof)
    assert found["t"].u == pytest.approx(0.4 / k)
    assert found["t"].dof == pytest.approx(7.0, rel=1e-6)
    assert found["t"].units == "mV"
    assert (found["flat"].u, found["flat"].distribution) == (pytest.approx(1.0), distributions.rectangular())
    assert (found["old"].u, found["old"].units) == (pytest.approx(0.1), "m s-1")
    assert found["standard"].u == 0.3


def test_reading_twice_gives_the_same_sources(read):
    one, two = (read(result("R", real(10, r"\ohm", expanded(0.4, 2))))["R"] for _ in range(2))
    assert (one - two).u == 0.0
    other = read(result("R", real(10, r"\ohm", expanded(0.4, 2))), result("S", real(1, r"\one", expanded(0.4, 2))))["R"]
    assert (one - other).u > 0.0  # another file


def test_lists_with_a_covariance_matrix_are_correlated(read):
    matrix = [[4e-6, 1e-6], [1e-6, 9e-6]]
    found = read(result("both", listed("1.0 2.0", r"\volt", columns(matrix, r"\volt\tothe{2}"))))
    one, two = found.results["both"]
    assert (one.u, two.u) == (pytest.approx(2e-3), pytest.approx(3e-3))
    assert one.covariance(two) == pytest.approx(1e-6)


def test_names_of_several_languages_are_english_and_of_two_scales_the_first_counts(read):
    both = {"de": "Bezugswert", "en": "Reference"}
    contents = (f'<dcc:content lang="{each}">{text}</dcc:content>' for each, text in both.items())
    names = f"<dcc:name>{''.join(contents)}</dcc:name>"
    scales = listed("306.248 373.121", r"\kelvin", "") + listed("33.098 99.971", r"\degreecelsius", "")
    inner = f"<dcc:data><dcc:quantity>{real(1, chr(92) + 'kelvin', '')}</dcc:quantity></dcc:data>"
    limits = f"<dcc:measurementMetaData><dcc:metaData>{inner}</dcc:metaData></dcc:measurementMetaData>"
    table = f"<dcc:list><dcc:quantity>{names}<si:hybrid>{scales}</si:hybrid>{limits}</dcc:quantity></dcc:list>"
    found = read(
        f"<dcc:result><dcc:name><dcc:content>Table</dcc:content></dcc:name><dcc:data>{table}</dcc:data></dcc:result>"
    )
    assert found.without_u["Reference"].values.tolist() == [306.248, 373.121]
    assert found.without_u["Reference"].attrs["units"] == "K"
    assert list(found.without_u) == ["Reference"]  # limits are no results


def test_numbers_without_uncertainty_and_unknown_kinds_are_kept_apart(read):
    found = read(
        result("nominal", listed("1 2 3", r"\volt", "")),
        result("phase", "<si:complex><si:valueReal>1</si:valueReal><si:valueImag>2</si:valueImag></si:complex>"),
        result("odd", real(1, r"\smoot", expanded(0.4, 2))),
    )
    assert found.without_u["nominal"].values.tolist() == [1.0, 2.0, 3.0]
    assert not found.results
    assert [each.split(":")[0] for each in found.unread] == ["phase", "odd"]
    assert "no uncertainty stated" in str(found)


@pytest.mark.parametrize("units", ["cm-1", "nm", "W m-2", "kg", "degC", "mmol L-1", "1", "ohm", "%", "s", "m2 s-2"])
def test_words_of_the_d_si_become_units_again(units):
    assert to_dsi(from_dsi(to_dsi(units))) == to_dsi(units)


@pytest.mark.parametrize("text", ["metre", r"\metre\smoot", r"\milli", "", r"\metre metre"])
def test_other_words_are_refused(text):
    with pytest.raises(UnitsError, match="D-SI"):
        from_dsi(text)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
HOSTILE = {
    "entity expansion": (BOMB + HEAD + TAIL, "document type or entities"),
    "an external entity": (OUTSIDE + HEAD + "&a;" + TAIL, "document type or entities"),
    "an outside document type": ('<!DOCTYPE x SYSTEM "https://example.org/x.dtd">' + HEAD + TAIL, "document type"),
    "deep nesting": ("<a>" * 10_000 + "</a>" * 10_000, "deep"),
    "a file that was cut off": ((HEAD + TAIL)[:-40], "cut off"),
    "another document": ("<html/>", "wanted a digital calibration certificate"),
    "another version": (HEAD.replace("3.3.0", "9.0.0") + TAIL, "version '9.0.0'"),
    "no results": (HEAD.split("<dcc:measurementResults>", maxsplit=1)[0] + TAIL[-39:], "without measurement"),
    "not a number": (HEAD + result("R", real("ten", r"\ohm", "")) + TAIL, "no number"),
    "NaN": (HEAD + result("R", real("NaN", r"\ohm", "")) + TAIL, "finite"),
    "a negative u": (HEAD + result("R", real(1, r"\ohm", expanded(-0.1, 2))) + TAIL, "negative"),
    "k = 0": (HEAD + result("R", real(1, r"\ohm", expanded(0.1, 0))) + TAIL, "coverage factors above 0"),
    "a level above 1": (HEAD + result("R", real(1, r"\ohm", expanded(0.1, 2, 95))) + TAIL, "probabilities in"),
    "lists of two lengths": (HEAD + result("R", listed("1 2 3", r"\volt \volt", "")) + TAIL, "2 units for 3 values"),
    "a matrix that is no covariance": (
        HEAD + result("R", listed("1 2", r"\volt", columns([[1, 3], [3, 1]], r"\volt\volt"))) + TAIL,
        "positive semidefinite",
    ),
    "a matrix that is too small": (
        HEAD + result("R", listed("1 2", r"\volt", columns([[1.0]], r"\volt\volt"))) + TAIL, "covariances for 2 values",
    ),
    "a matrix that contradicts u": (
        HEAD + result("R", listed("1 2", r"\volt", "<si:measurementUncertaintyUnivariateXMLList><si:standardMUXMLList>"
        "<si:valueStandardMUXMLList>1 1</si:valueStandardMUXMLList></si:standardMUXMLList>"
        "</si:measurementUncertaintyUnivariateXMLList>" + columns([[4, 0], [0, 4]], r"\volt\volt"))) + TAIL,
        "contradicts itself",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_a_bad_certificate_is_refused_with_the_reason(tmp_path, what):
    text, words = HOSTILE[what]
    path = tmp_path / "bad.xml"
    path.write_text('<?xml version="1.0"?>\n' + text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        io.read_certificate(path)


def test_an_altered_certificate_of_ours_is_refused(tmp_path, budgets):
    path = written(tmp_path, budgets["R"])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<si:value>250.0<", "<si:value>251.0<"), encoding="utf-8")
    with pytest.raises(FormatError, match="was altered"):
        io.read_certificate(path)
    carried = base64.b64encode(json.dumps({"R": {"value": 1}}).encode()).decode()
    start = text.index("results.json")
    begin, end = text.index("<dcc:dataBase64>", start) + 16, text.index("</dcc:dataBase64>", start)
    path.write_text(text[:begin] + carried + text[end:], encoding="utf-8")
    with pytest.raises(FormatError, match="was altered"):
        io.read_certificate(path)


def test_an_altered_calibration_is_refused(tmp_path):
    line = calibration.fit_line([1.0, 2.0, 3.0], [1.1, 2.0, 3.1], u_y=0.1)
    path = written(tmp_path, line)
    text = path.read_text(encoding="utf-8")
    slope = repr(line.parameters[1].value)
    assert slope in text
    path.write_text(text.replace(f"<si:value>{slope}<", "<si:value>1.5<"), encoding="utf-8")
    with pytest.raises(FormatError, match="altered"):
        io.read_calibration(path)


def test_a_certificate_without_a_calibration_says_what_it_has(tmp_path, budgets):
    with pytest.raises(FormatError, match=r"states \['R'\].*fit_line"):
        io.read_calibration(written(tmp_path, budgets["R"]))
    with pytest.raises(FormatError, match="read_certificate"):
        io.read(written(tmp_path, budgets["R"]))


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "large.xml"
    with path.open("wb") as file:
        file.write(b"<?xml?>")
        file.truncate(70_000_000)
    with pytest.raises(FormatError, match="70000000 bytes"):
        io.read_certificate(path)
