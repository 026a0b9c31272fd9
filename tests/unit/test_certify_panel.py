"""The panel of certificates: each field is a statement, and the code makes the same page."""

import pytest

from analysis import report, uncertainty, widgets
from analysis.core import MetrospecError
from analysis.report import Statements
from analysis.uncertainty import Quantity


@pytest.fixture
def budget():
    inputs = {
        "m": Quantity(value=10.0, u=0.01, units="g", label="mass"),
        "V": Quantity(value=5.0, u=0.02, units="mL", label="volume"),
    }
    return uncertainty.propagate("m / V", inputs, name="density", units="g mL-1")


@pytest.fixture
def panel(budget):
    return widgets.certify(budget, issued="2026-11-23", name="budget")


def same_as_its_code(panel, budget):
    assert eval(panel.code(), {"report": report, "budget": budget}) == panel.result


def test_every_field_is_a_statement_and_the_code_makes_the_same_page(panel, budget):
    typed = {
        "laboratory": "Blue Lab", "country": "DE", "location": "laboratory", "customer": "A & B <i>Ltd</i>",
        "item": "pycnometer", "item_id": "17", "begin": "2026-11-20", "end": "2026-11-21",
        "conditions": "temperature: (20.0 ± 0.5) °C\nhumidity: 45 %", "equipment": "balance: 4711",
        "signatories": "A. One, B. Two", "title": "Density",
    }  # fmt: skip
    for name, text in typed.items():
        panel.fields[name].value = text
        assert panel.message.value == "", name
    stated = panel.settings.statements
    assert stated.conditions == {"temperature": "(20.0 ± 0.5) °C", "humidity": "45 %"}
    assert stated.signatories == ("A. One", "B. Two")
    assert "A &amp; B &lt;i&gt;Ltd" in panel.result
    assert list(stated.missing()) == ["accreditation"]
    same_as_its_code(panel, budget)
    panel.undo()
    assert panel.fields["title"].value == "Certificate of measurement"
    panel.reset()
    assert panel.settings.statements == Statements()
    assert panel.fields["laboratory"].value == ""


def test_the_preview_runs_no_script_and_says_what_is_missing(panel):
    assert 'sandbox=""' in panel.preview.value
    assert "<script" not in panel.preview.value
    assert "nobody signs" in panel.missing.value
    assert "not stated: laboratory" in panel.text()
    assert panel._repr_mimebundle_()["text/plain"].startswith("certificate of budget")


def test_both_certificates_are_kept_and_nothing_is_overwritten(panel, tmp_path, budget):
    panel.path.value = str(tmp_path / "density.html")
    panel.keep.click()
    assert (tmp_path / "density.html").read_text(encoding="utf-8") == panel.result
    panel.keep.click()
    assert 'role="status"' in panel.message.value
    panel.fields["title"].value = "Another"
    panel.keep.click()
    assert "is there already" in panel.message.value
    assert "Another" not in (tmp_path / "density.html").read_text(encoding="utf-8")
    xml = panel.write(tmp_path / "density.xml").read_text(encoding="utf-8")
    assert xml.startswith("<?xml")
    assert "digitalCalibrationCertificate" in xml
    panel.save(tmp_path / "kept.json")
    again = widgets.certify(budget, name="budget")
    again.load(tmp_path / "kept.json")
    assert again.settings == panel.settings


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("country", "Germany", "two capital letters"),
        ("begin", "yesterday", "must be a day"),
        ("end", "2026-11-20", "begin before they end"),
        ("issued", "soon", "date of issue must be a day"),
        ("conditions", "warm", "name: text"),
    ],
)
def test_what_cannot_be_stated_is_refused_in_place(panel, name, text, said):
    shown = panel.settings
    panel.fields[name].value = text
    assert said in panel.message.value
    assert panel.settings == shown


def test_what_is_no_result_is_refused_in_place():
    panel = widgets.certify(17)
    assert panel.result is None
    assert 'role="alert"' in panel.message.value
    with pytest.raises(MetrospecError):
        panel.load("nowhere.json")
