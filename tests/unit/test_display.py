"""How results show themselves: units typeset, digits by their uncertainty, escaped, the same every time."""

import csv
import io
import re

import numpy as np
import pytest

from analysis import calibration, report
from analysis.core import Number
from analysis.uncertainty import Quantity, array, compare, conformity, distributions, propagate, sample
from tests.unit.test_report import HOSTILE, Reader


def length(label="length"):
    return Quantity(value=520.4537, u=0.1432, units="cm-1/GPa", dof=9.0, label=label)


def budget(label="a"):
    a = Quantity(value=2.0, u=0.01, units="m", label=label)
    b = Quantity(value=4.0, u=0.05, units="s", label="b", distribution=distributions.rectangular())
    return propagate("a / b", {"a": a, "b": b}, name="speed", units="m s-1")


def results():
    made = budget()
    drawn = sample(made, trials=20_000, seed=1)
    curve = calibration.fit_line(np.arange(5.0), [0.1, 1.0, 2.1, 2.9, 4.0], u_y=0.1)
    return {
        "quantity": length(),
        "budget": made,
        "sample": drawn,
        "agreement": compare(made, drawn),
        "array": array([1.0, 2.0], u=[0.1, 0.2], label="pair"),
        "conformity": conformity(made, upper=0.6),
        "curve": curve,
        "statements": report.Statements(laboratory="Mass & Force"),
    }


@pytest.mark.parametrize("name", list(results()))
def test_every_result_shows_itself_in_html_latex_and_text(name):
    thing, again = results()[name], results()[name]
    bundle = thing._repr_mimebundle_()
    assert list(bundle) == ["text/plain", "text/html", "text/latex"]
    if name not in ("budget", "sample", "curve"):  # their sources have fresh ids, never shown
        assert bundle == again._repr_mimebundle_()
    reader = Reader()
    reader.feed(bundle["text/html"].replace("<br>", "\n"))
    assert not reader.open
    assert "script" not in reader.tags
    assert bundle["text/plain"] == repr(thing)
    rows = list(csv.reader(io.StringIO(thing.to_csv())))
    assert len({len(row) for row in rows}) == 1
    assert len(rows) > 1


def test_units_are_typeset_and_digits_follow_the_uncertainty():
    html, latex = length()._repr_html_(), length().to_latex()
    assert "length = 520.45 ± 0.14 cm<sup>−1</sup>/GPa (k = 1)" in html
    assert latex == r"length = $520.45 \pm 0.14\ \mathrm{cm}^{-1}/\mathrm{GPa}$ (k = 1)"
    small = Quantity(value=1.234e-9, u=2.1e-11, units="kg m2 s-2")
    assert "(1.234 ± 0.021) × 10<sup>−9</sup> kg m<sup>2</sup> s<sup>−2</sup>" in small._repr_html_()
    assert r"$(1.234 \pm 0.021) \times 10^{-9}\ \mathrm{kg}\,\mathrm{m}^{2}\,\mathrm{s}^{-2}$" in small.to_latex()


def test_hostile_labels_are_escaped_everywhere():
    for thing in (length(HOSTILE), budget(HOSTILE), array([1.0], u=0.1, label=HOSTILE)):
        html = thing._repr_html_()
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
    latex = length(r"50 % of $x_1 \& #2").to_latex()
    assert latex.startswith(r"50 \% of \$x\_1 \textbackslash{}\& \#2 = $")
    assert "'=cmd()" in length("=cmd()").to_csv()


def test_csv_holds_the_numbers_in_full():
    (row,) = csv.DictReader(io.StringIO(length().to_csv()))
    assert (float(row["value"]), float(row["u"]), row["units"], float(row["dof"])) == (520.4537, 0.1432, "cm-1/GPa", 9)
    rows = list(csv.DictReader(io.StringIO(budget().to_csv())))
    assert sum(float(each["share"]) for each in rows) == pytest.approx(1.0)


def test_a_budget_shows_its_table_as_html_and_as_a_tabular():
    made = budget()
    assert made._repr_html_().count("<tr>") == 3
    assert re.search(r"\\begin\{tabular\}\{l{5}\}.*\\end\{tabular\}", made.to_latex(), flags=re.DOTALL)


def test_a_large_array_leaves_the_copies_to_its_methods():
    many = array(np.ones(1000), u=0.1, label="many")
    assert "<details>" not in many._repr_html_()
    assert len(many.to_csv().splitlines()) == 1001


def test_numbers_without_units_stand_alone():
    assert Number(text="∞").latex() == r"$\infty$"
    assert Number(text="1.5").html() == "1.5"
    assert str(Number(text="1.5", units="nm")) == "1.5 nm"
