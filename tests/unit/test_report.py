"""Reports: what they say, that they escape, load nothing and come out the same every time."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xarray as xr

from analysis import report
from analysis.core import MetrospecError
from analysis.uncertainty import Quantity, Source, compare, distributions, propagate, sample, type_a_jointly

HOSTILE = "<script>alert(1)</script> & \"'"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


class Reader(HTMLParser):
    """Collects tags and text, and fails on tags that do not close."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.words, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture
def budget():
    lamp = {
        Source(id=f"ne{i}", label=f"Ne {i}", tags=("neon lamp",), origin="table 1"): 0.01 * (i + 1) for i in range(30)
    }
    inputs = {
        "shift": Quantity.from_components(522.0, lamp, units="cm-1", label=HOSTILE),
        "free": Quantity(value=520.45, u=0.14, units="cm-1", label="silicon", source="CRM 5606-a, U/2"),
        "slope": Quantity(
            value=-1.93,
            u=0.1,
            units="cm-1/GPa",
            distribution=distributions.rectangular(),
            source=HOSTILE,
            label=HOSTILE,
        ),
    }
    return propagate("(shift - free) / slope", inputs, name="stress", units="GPa")


@pytest.fixture
def impedance():
    readings = type_a_jointly(
        {"V": [5.007, 4.994, 5.005, 4.990, 4.999], "I": [19.663, 19.639, 19.640, 19.685, 19.678]},
        units={"V": "V", "I": "mA"},
    )
    return propagate({"Z": "V/I", "Y": "I/V"}, readings, name="impedance", units={"Z": "ohm", "Y": "mS"})


@pytest.fixture
def fit():
    source = Source(id="laser", label="laser")
    return xr.Dataset(
        {
            "value": (("row", "parameter"), [[520.5, 3.0], [np.nan, np.nan]]),
            "stderr": (("row", "parameter"), [[0.03, 0.1], [np.nan, np.nan]]),
            "status": (
                "row",
                np.array([0, 2], dtype=np.int8),
                {"flag_values": [0, 2], "flag_meanings": "converged singular"},
            ),
            "value_sensitivity": (("row", "parameter", "mode"), np.array([[[1.0], [0.0]], [[1.0], [0.0]]])),
            "mode_sources": (("source", "mode"), [[0.04]]),
        },
        coords={
            "parameter": ["si_center", "si_sigma"],
            "parameter_units": ("parameter", ["cm-1", "cm-1"]),
            "source": [source.id],
            "source_info": ("source", [source.to_json()]),
        },
        attrs={"advice": '["Mind <b>this</b>."]'},
    )


class Verdict:
    """Anything with a sentence and rows can be shown."""

    def __str__(self):
        return "The calibration is valid."

    def table(self):
        return [{"band": "1001.4", "E_n": "+0.32"}]


def test_thirty_lamp_lines_are_one_row_and_the_shares_are_complete(budget):
    short = report.budget_table(budget)
    assert "neon lamp (30 sources)" in short
    assert len(short.splitlines()) == 5
    shares = [float(found) for found in re.findall(r"([\d.]+) %", short)]
    assert sum(shares[:-1]) == pytest.approx(100, abs=0.2)
    assert shares[-1] == 100
    assert len(report.budget_table(budget, full=True).splitlines()) == 34


def test_a_budget_table_is_written_in_four_formats(budget):
    assert report.budget_table(budget, format="markdown").splitlines()[1] == "| --- | --- | --- | --- | --- | --- |"
    assert "\\<script\\>" in report.budget_table(budget, format="markdown")
    assert "<script" not in report.budget_table(budget, format="html")
    frame = pd.read_csv(io.StringIO(report.budget_table(budget, format="csv")))
    assert list(frame.columns) == ["source", "type", "distribution", "dof", "u (GPa)", "share"]
    with pytest.raises(MetrospecError, match="got 'pdf'"):
        report.budget_table(budget, format="pdf")


def test_a_certificate_states_u_k_level_and_degrees_of_freedom(impedance):
    page = report.certificate(impedance["Z"], issued="2026-11-22")
    words = " ".join(read(page).words)
    assert "Z = 254.26 ± 0.60 ohm" not in words  # that is R.Z of H.2; here the readings of phi are not used
    value = f"Z = {impedance['Z'].value:.2f} ± {impedance['Z'].U():.2f} ohm"
    assert value in words
    for said in ("k = 2.78", "95 %", "4 effective degrees of freedom", "2026-11-22", "V/I", "JCGM 100:2008"):
        assert said in words, said


def test_a_certificate_is_escaped_well_formed_and_loads_nothing(budget):
    page = report.certificate(
        budget,
        title=HOSTILE,
        issued=HOSTILE,
        particulars={HOSTILE: HOSTILE},
        statements=[HOSTILE],
        checks=[HOSTILE, Verdict()],
        figures={HOSTILE: PNG},
    )
    reader = read(page)
    assert "script" not in reader.tags
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    links = [value for name, value in reader.attributes if name in ("src", "href")]
    assert all(link.startswith("data:image/png;base64,") for link in links)
    assert not re.search(r"https?://|@import|url\(", page)
    assert ("lang", "en") in reader.attributes
    assert ("scope", "col") in reader.attributes
    assert ("scope", "row") in reader.attributes
    assert "@media print" in page


def test_a_certificate_is_the_same_every_time(budget):
    assert report.certificate(budget) == report.certificate(budget)


def test_a_certificate_without_statements_says_that_it_is_not_accredited(budget):
    assert "not issued by an accredited laboratory" in report.certificate(budget)
    assert "not issued by an accredited" not in report.certificate(budget, statements=["Ours."])


def test_a_certificate_of_several_results_has_their_correlation(impedance):
    words = " ".join(read(report.certificate(impedance)).words)
    assert "Correlation coefficients" in words
    assert f"{impedance['Z'].correlation(impedance['Y']):+.3f}" in words


def test_a_certificate_shows_origins_hashes_versions_and_doubt(budget):
    page = report.certificate(budget, checks=[compare(budget, sample(budget, trials=100_000, seed=1), digits=3)])
    words = " ".join(read(page).words)
    for said in ("CRM 5606-a, U/2", "table 1", "uncertainty.propagate", "numpy", "linear propagation is not valid"):
        assert said in words, said


def a_function(a):
    return a * 2


def test_a_certificate_says_by_itself_where_linear_propagation_is_not_valid():
    wide = propagate("x**2", {"x": Quantity(value=0.5, u=0.5, units="1")}, name="y", units="1")
    narrow = propagate("2*x", {"x": Quantity(value=0.5, u=0.5, units="1")}, name="z", units="1")
    assert "linear propagation is not valid for this result" in report.certificate(wide)
    assert "linear propagation is not valid for this result" in report.certificate(wide, format="dcc")
    assert "linear propagation is not valid" not in report.certificate(narrow)


def test_a_certificate_refuses_what_nobody_could_run_again():
    inputs = {"a": Quantity(value=1, u=0.1, units="1")}
    assert "a_function" in report.certificate(propagate(a_function, inputs, name="y", units="1"))
    with pytest.raises(MetrospecError, match="nobody could run again"):
        report.certificate(propagate(lambda a: 2 * a, inputs, name="y", units="1"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: report.certificate(b, format="dcc", checks=["a"]), "takes no particulars"),
        (lambda b: report.certificate(b, format="pdf"), "got 'pdf'"),
        (lambda _: report.certificate({}), "empty dict"),
        (lambda _: report.certificate({"a": 1}), "got int"),
        (lambda b: report.certificate(b, level=95), r"must lie in \(0, 1\)"),
        (lambda b: report.certificate(b, figures={"a": b"GIF"}), "PNG"),
        (lambda _: report.table(3), "no table of a int"),
        (lambda _: report.xlsx({}), "results is empty"),
    ],
)
def test_what_cannot_be_reported_is_refused(call, message, budget):
    with pytest.raises(ValueError, match=message):
        call(budget)


def test_the_table_of_a_fit_has_noise_and_all_sources(fit):
    frame = report.table(fit)
    assert list(frame["parameter"]) == ["si_center", "si_sigma"] * 2
    assert frame["u"][0] == pytest.approx(np.hypot(0.03, 0.04))
    assert frame["u"][1] == pytest.approx(0.1)
    assert list(frame["status"]) == ["converged"] * 2 + ["singular"] * 2
    assert list(frame["row"]) == [0, 0, 1, 1]


def test_csv_comes_back_with_full_precision(fit, budget):
    frame = pd.read_csv(io.StringIO(report.csv(fit)))
    pd.testing.assert_frame_equal(frame, report.table(fit), check_dtype=False)
    back = pd.read_csv(io.StringIO(report.csv(budget)))
    assert np.sqrt((back["contribution"] ** 2).sum()) == pytest.approx(budget.u)


def test_spreadsheets_run_nothing_that_came_from_a_file():
    frame = pd.DataFrame({"label": ["=1+1", "@x", "-2", "+cmd", "fine"]})
    assert report.csv(frame) == "label\n'=1+1\n'@x\n-2\n'+cmd\nfine\n"
    book = openpyxl.load_workbook(io.BytesIO(report.xlsx({"a": frame})))
    assert [cell.value for cell in book["a"]["A"]] == ["label", "'=1+1", "'@x", "-2", "'+cmd", "fine"]


def test_a_workbook_has_a_sheet_for_each_result(fit, budget, impedance):
    names = {"fit": fit, "a/b": budget, "a:b": impedance, "x" * 40: Verdict()}
    book = openpyxl.load_workbook(io.BytesIO(report.xlsx(names)))
    assert book.sheetnames == ["fit", "a-b", "a-b 2", "x" * 31]
    assert book["fit"]["C2"].value == 520.5
    assert book["fit"]["C4"].value is None


def test_a_page_shows_fits_budgets_verdicts_and_advice(fit, budget, impedance):
    results = {
        "Fit": fit,
        "Budget": budget,
        "Z": impedance,
        "Check": Verdict(),
        "Note": HOSTILE,
        "Frame": report.table(fit),
    }
    page = report.html(results, particulars={"File": HOSTILE}, figures={"spectrum": PNG}, advice=[HOSTILE])
    reader = read(page)
    words = " ".join(reader.words)
    assert "script" not in reader.tags
    for said in ("520.500 ± 0.050", "neon lamp (30 sources)", "The calibration is valid.", "Mind <b>this</b>."):
        assert said in words, said
    assert page == report.html(results, particulars={"File": HOSTILE}, figures={"spectrum": PNG}, advice=[HOSTILE])


def test_what_is_shown_in_a_notebook_is_deterministic_text_and_escaped_html(fit, budget, impedance):
    quantity = Quantity(value=1, u=0.1, units="nm", label="x")
    for thing in (fit, budget, impedance, quantity, Verdict(), sample(budget, trials=500, seed=1), "words"):
        shown = report.show(thing)
        assert repr(shown) == report.text(thing) == repr(report.show(thing))
        assert "<script" not in shown._repr_html_()
        read(shown._repr_html_())
        assert shown._repr_markdown_()
    assert report.text(quantity) == "x = 1.00 ± 0.10 nm (k = 1)"
    assert report.text(impedance).splitlines()[0].split() == [
        "result",
        "value",
        "±",
        "u",
        "(k",
        "=",
        "1)",
        "U",
        "(95",
        "%)",
        "units",
    ]
