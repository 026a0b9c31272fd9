"""The panel to explore and fit, driven by the events that the browser sends; and what a plot of some pixels keeps."""

import base64
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from analysis import peaks, widgets
from analysis.core import MetrospecError
from analysis.peaks import Mark
from analysis.widgets.decimation import decimate


@pytest.fixture
def spectrum():
    x = np.linspace(400.0, 700.0, 601)
    y = (
        50
        + 400 * np.exp(-4 * np.log(2) * ((x - 520.5) / 9) ** 2)
        + 150 * np.exp(-4 * np.log(2) * ((x - 610) / 14) ** 2)
    )
    return xr.Dataset(
        {"signal": ("channel", np.random.default_rng(3).poisson(y).astype(float), {"units": "counts"})},
        coords={"shift": ("channel", x, {"units": "cm-1"})},
    )


@pytest.fixture
def panel(spectrum):
    return widgets.explore(spectrum, axis="shift", marks=(Mark(center=518, height=300, fwhm=8),))


def event(panel, **content):
    panel.plot._told(None, content, None)


def same_as_its_code(panel, spectrum):
    fit = eval(panel.code(), {"peaks": peaks, "spectrum": spectrum})
    np.testing.assert_array_equal(fit["value"], panel.result["value"])


def test_every_event_is_one_call_that_the_code_repeats(panel, spectrum):
    for each in (
        {"type": "range", "range": [640.0, 450.0], "final": True},
        {"type": "add", "x": 611.0, "y": None},
        {"type": "handle", "index": 1, "x": 608.0, "top": 180.0, "w": 10.0, "final": True},
        {"type": "select", "index": 0},
    ):
        event(panel, **each)
        assert panel.message.value == ""
        same_as_its_code(panel, spectrum)
    assert (panel.settings.low, panel.settings.high) == (450.0, 640.0)
    values = dict(zip(panel.result["parameter"].values, panel.result["value"].values, strict=True))
    assert (values["p1_center"], values["p2_center"]) == (pytest.approx(520.5, abs=0.3), pytest.approx(610, abs=1))
    event(panel, type="remove", index=1)
    assert len(panel.settings.marks) == 1


def test_a_drag_is_one_step_to_undo(panel):
    first = panel.settings
    for k, x in enumerate((519.0, 519.5, 520.0)):
        event(panel, type="handle", index=0, x=x, top=400.0, w=9.0, final=k == 2)
    moved = panel.settings
    panel.undo()
    assert panel.settings == first
    panel.redo()
    assert panel.settings == moved
    panel.reset()
    assert panel.settings == first
    panel.undo()
    assert panel.settings == moved


def test_controls_change_shape_and_background(panel, spectrum):
    panel.shape.value = "gaussian"
    panel.background.value = "quadratic"
    panel.loss.value = "poisson"
    assert (panel.settings.marks[0].shape, panel.settings.background) == ("gaussian", "quadratic")
    assert panel.result.attrs["loss"] == "poisson"
    same_as_its_code(panel, spectrum)
    panel.undo()
    assert (panel.background.value, panel.loss.value) == ("quadratic", "least_squares")


def test_peaks_are_found_within_the_range(panel):
    event(panel, type="range", range=[560.0, 680.0], final=False)
    assert panel.settings.marks == ()  # the mark at 518 lies outside
    event(panel, type="range", range=[500.0, 680.0], final=False)
    assert len(panel.settings.marks) == 1  # the drag came back
    event(panel, type="range", range=[560.0, 680.0], final=True)
    panel.find()
    assert [round(mark.center / 10) for mark in panel.settings.marks] == [61]


def test_what_the_fit_refuses_is_said_and_changes_nothing(panel):
    before = panel.settings
    event(panel, type="range", range=[517.9, 518.1], final=True)
    assert "<b>" in panel.message.value
    assert panel.settings == before
    event(panel, type="range", range=[450.0, 640.0], final=True)
    assert panel.message.value == ""
    panel.undo()
    assert panel.settings == before


def test_settings_are_saved_and_loaded(panel, tmp_path):
    panel.shape.value = "voigt"
    panel.save(tmp_path / "settings.json")
    kept = panel.settings
    panel.reset()
    panel.load(tmp_path / "settings.json")
    assert panel.settings == kept
    (tmp_path / "other.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(MetrospecError, match="does not hold the settings"):
        panel.load(tmp_path / "other.json")


def test_the_saved_notebook_keeps_picture_and_results(panel):
    bundle = panel._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    said = bundle["text/plain"]
    assert "p1: center 520." in said
    assert "±" in said
    assert str(peaks.quantity(panel.result, "p1_center")).removesuffix(" (k = 1)") in said


def test_the_cursor_says_value_and_uncertainty(spectrum):
    spectrum["u_signal"] = ("channel", np.sqrt(spectrum["signal"].values))
    panel = widgets.explore(spectrum, axis="shift", marks=())
    event(panel, type="cursor", x=400.1)
    assert (
        panel.plot.said == f"400 cm-1: {spectrum['signal'].values[0]:.1f} ± {spectrum['u_signal'].values[0]:.1f} counts"
    )
    assert panel.text() == "no fit: mark a peak"


def test_zooming_sends_what_is_visible(panel):
    event(panel, type="window", window=[500.0, 550.0])
    assert panel.plot.plot["window"] == [500.0, 550.0]
    assert panel.plot.plot["series"][0]["n"] == 103  # 101 of 0.5 cm-1, and one more at each side
    event(panel, type="window", window=[])
    assert panel.plot.plot["window"] == [400.0, 700.0]


def test_a_map_is_refused(spectrum):
    with pytest.raises(MetrospecError, match="one spectrum"):
        widgets.explore(spectrum.expand_dims(row=2), axis="shift")


@pytest.mark.parametrize("pixels", [100, 977])
def test_decimation_loses_no_extreme(pixels):
    rng = np.random.default_rng(0)
    x, y = np.sort(rng.uniform(0, 1, 100_000)), rng.normal(size=100_000)
    y[rng.integers(0, y.size, 50)] = np.nan
    xs, ys = decimate(x, y, low=0.2, high=0.7, pixels=pixels)
    inside = (x >= 0.2) & (x <= 0.7)
    assert np.nanmax(ys) == np.nanmax(y[inside])
    assert np.nanmin(ys) == np.nanmin(y[inside])
    assert xs.size <= 2 * pixels
    edges = np.linspace(xs[0], xs[-1], 11)[1:-1]
    for low, high in pairwise(edges):  # coarse windows have the same extent
        seen, all_ = ys[(xs >= low) & (xs < high)], y[(x >= low) & (x < high)]
        assert np.nanmax(seen) == pytest.approx(np.nanmax(all_), abs=0.6)


@pytest.fixture
def two(spectrum):
    marks = (Mark(center=518, height=300, fwhm=8), Mark(center=610, height=100, fwhm=12))
    return widgets.explore(spectrum, axis="shift", marks=marks)


def test_the_row_of_the_chosen_peak_holds_ties_and_bounds_it(two, spectrum):
    panel = two
    panel.peak.number.value = 1
    panel.peak.shape.value = "gaussian"
    panel.peak.ties["distance_to"].value = 1
    panel.peak.limits["fwhm_range"].value = "10, 20"
    mark = panel.settings.marks[1]
    assert (mark.shape, mark.distance_to, mark.fwhm_range) == ("gaussian", 1, (10.0, 20.0))
    values = dict(zip(panel.result["parameter"].values, panel.result["value"].values, strict=True))
    assert values["p2_center"] - values["p1_center"] == pytest.approx(92.0)
    same_as_its_code(panel, spectrum)
    panel.peak.ties["distance_to"].value = 0
    panel.peak.held["center"].value = True
    assert panel.settings.marks[1].held == ("center",)
    assert float(panel.result["value"].sel(parameter="p2_center")) == 610.0
    same_as_its_code(panel, spectrum)


def test_a_peak_is_removed_by_its_button_and_a_wrong_axis_is_refused(two, spectrum):
    two.peak.number.value = 1
    two.peak.remove.click()
    assert [mark.center for mark in two.settings.marks] == [518]
    with pytest.raises(MetrospecError, match="shfit"):
        widgets.explore(spectrum, axis="shfit")


def test_limits_that_cannot_be_read_are_refused_in_place(two):
    shown = two.settings
    for text in ("20, 10", "wide", "1, 2, 3"):
        two.peak.limits["fwhm_range"].value = text
        assert "two rising numbers" in two.message.value
        assert two.settings == shown
        assert two.peak.limits["fwhm_range"].value == ""


def test_ties_follow_when_a_peak_is_removed(two):
    event(two, type="add", x=650.0, y=None)
    two.peak.number.value = 2
    two.peak.ties["width_of"].value = 2
    event(two, type="remove", index=0)
    assert [mark.width_of for mark in two.settings.marks] == [None, 1]
    event(two, type="remove", index=0)
    assert [mark.width_of for mark in two.settings.marks] == [None]


def test_the_drawer_shows_the_code_and_keeps_the_settings(two, tmp_path):
    two.drawer.toggle.value = True
    assert "fit_marked" in two.drawer._code.value
    two.drawer.path.value = str(tmp_path / "kept.json")
    two.drawer.save.click()
    assert 'role="status"' in two.message.value
    kept = two.settings
    two.peak.shape.value = "gaussian"
    two.drawer.load.click()
    assert two.settings == kept
