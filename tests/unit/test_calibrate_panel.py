"""The panel to calibrate an axis, driven by the events that the browser sends."""

import base64

import numpy as np
import pytest

from analysis import calibration, io, widgets
from analysis.calibration import PeakFate
from analysis.core import MetrospecError

NAMES = ("Ne 585.24879", "Ne 588.18952")


@pytest.fixture(scope="module")
def lamp():
    return io.sample("raman_neon"), calibration.lines("Ne", 530, 640, units="nm")


@pytest.fixture
def panel(lamp):
    return widgets.calibrate(*lamp)


def event(panel, **content):
    panel.plot._told(None, content, None)


def same_as_its_code(panel, lamp):
    axis = eval(panel.code(), {"calibration": calibration, "spectrum": lamp[0], "lines": lamp[1]})
    np.testing.assert_array_equal(axis.coefficients, panel.result.coefficients)
    np.testing.assert_array_equal(axis.covariance, panel.result.covariance)
    assert axis.history == panel.result.history


def test_the_result_is_the_axis_of_the_calls_that_the_code_writes_down(panel, lamp):
    same_as_its_code(panel, lamp)
    direct = calibration.fit_axis(calibration.match(*lamp), axis="wavelength", degree=3)
    np.testing.assert_array_equal(panel.result.coefficients, direct.coefficients)
    assert len(panel.pairs) == panel.result.knots.size == 14


def test_a_click_leaves_a_pair_out_and_another_takes_it_back(panel, lamp):
    event(panel, type="pick", index=2)
    event(panel, type="pick", index=3)
    assert panel.settings.left_out == NAMES
    assert panel.result.knots.size == 12
    assert [each["mark"] for each in panel.plot.handles].count("out") == 2
    same_as_its_code(panel, lamp)
    event(panel, type="pick", index=2)
    assert panel.settings.left_out == NAMES[1:]
    same_as_its_code(panel, lamp)
    assert "left out by hand" in panel.words.value
    panel.undo()
    assert panel.settings.left_out == NAMES
    panel.reset()
    assert panel.settings.left_out == ()
    panel.undo()
    panel.redo()
    assert panel.settings.left_out == ()


def test_the_row_of_the_chosen_line_does_what_the_plot_does(panel):
    event(panel, type="select", index=3)
    assert panel.line.value == 3
    assert panel.toggle.description == "Leave out"
    panel.toggle.click()
    assert panel.settings.left_out == NAMES[1:]
    assert panel.toggle.description == "Take back"
    panel.line.value = 2
    assert panel.plot.plot["selected"] == 2
    panel.toggle.click()
    assert panel.settings.left_out == (NAMES[1], NAMES[0])


def test_degree_and_limits_are_settings(panel, lamp):
    panel.controls["degree"].value = 2
    panel.controls["valid_days"].value = 30.0
    panel.controls["min_snr"].value = 20.0
    assert (panel.settings.degree, panel.settings.valid_days, panel.settings.min_snr) == (2, 30.0, 20.0)
    assert panel.result.coefficients.size == 3
    assert "valid: 2025-12-16 to 2026-02-14" in panel.text()
    same_as_its_code(panel, lamp)


def test_what_is_refused_is_said_and_the_last_axis_stays(panel):
    axis = panel.result
    for control, value, words in (
        (panel.controls["min_snr"], 1e9, "lower min_snr"),
        (panel.controls["max_shift"], 2.0, "in (0, 1)"),
        (panel.controls["valid_days"], -1.0, "above 0"),
    ):
        before = control.value
        control.value = value
        assert 'role="alert"' in panel.message.value
        assert words in panel.message.value
        assert control.value == before
        assert panel.result is axis


def test_lines_that_do_not_match_leave_an_open_panel_that_says_why(lamp):
    panel = widgets.calibrate(lamp[0], calibration.lines("Ar", 690, 980, units="nm"))
    assert panel.result is None
    assert "do not agree" in panel.message.value
    assert panel.text().startswith("no axis")
    assert panel.toggle.disabled
    assert base64.b64decode(panel._repr_mimebundle_()["image/png"]).startswith(b"\x89PNG")


def test_rejects_are_listed_with_the_reason(lamp):
    spectrum = lamp[0].copy(deep=True)
    clipped = spectrum["signal"].values > 0.8 * spectrum["signal"].values.max()
    spectrum["saturated"] = ("channel", clipped.astype(np.int8))
    panel = widgets.calibrate(spectrum, lamp[1])
    assert (panel.found["fate"].values == PeakFate.SATURATED).any()
    assert "its window holds a saturated channel" in panel.words.value


def test_settings_are_saved_and_loaded_and_the_notebook_keeps_the_words(panel, tmp_path):
    panel.pick(2)
    panel.save(tmp_path / "axis.json")
    kept = panel.settings
    panel.reset()
    panel.load(tmp_path / "axis.json")
    assert panel.settings == kept
    bundle = panel._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == f"calibration of wavelength\n{panel.text()}"
    assert "Ne 585.24879: " in panel.text()
    assert "left out by hand" in panel.text()


def test_a_map_is_refused(lamp):
    with pytest.raises(MetrospecError, match="one spectrum"):
        widgets.calibrate(lamp[0].expand_dims(row=2), lamp[1])
