"""The panel of baselines: its sliders and lists are one call, which its code repeats."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from analysis import baseline, figures, widgets
from analysis.core import MetrospecError


@pytest.fixture
def spectrum():
    x = np.linspace(400.0, 700.0, 601)[::-1]
    y = 200 - 0.2 * x + 400 * np.exp(-4 * np.log(2) * ((x - 520.5) / 9) ** 2)
    noisy = y + np.random.default_rng(3).normal(0, 1, x.size)
    return xr.Dataset(
        {"signal": ("channel", noisy, {"units": "counts"}), "u_signal": ("channel", np.ones(x.size))},
        coords={"shift": ("channel", x, {"units": "cm-1"})},
    )


@pytest.fixture
def panel(spectrum):
    return widgets.baseline(spectrum, axis="shift")


def same_as_its_code(panel, spectrum):
    again = eval(panel.code(), {"baseline": baseline, "spectrum": spectrum})
    np.testing.assert_array_equal(again["signal"], panel.result["signal"])


def test_what_is_left_is_flat_beside_the_line(panel, spectrum):
    left = panel.result["signal"].values
    away = np.abs(spectrum["shift"].values - 520.5) > 30
    assert abs(left[away].mean()) < 2
    same_as_its_code(panel, spectrum)
    assert panel.plot.plot["strip"][0] > -100, "what is left lies above zero, so the strip does too"


@pytest.mark.parametrize("method", ["arpls", "airpls", "asls", "modpoly", "snip"])
def test_every_family_shows_its_own_sliders(panel, spectrum, method):
    panel.method.value = method
    assert panel.message.value == ""
    shown = {key for key, slider in panel.sliders.items() if slider.layout.display == "flex"}
    assert shown == {"arpls": {"lam"}, "airpls": {"lam"}, "asls": {"lam", "p"}, "modpoly": {"degree"},
                     "snip": {"half_window"}}[method]  # fmt: skip
    same_as_its_code(panel, spectrum)
    for key in shown:
        panel.sliders[key].value = {"lam": 4.0, "p": -1.5, "degree": 2, "half_window": 60}[key]
    same_as_its_code(panel, spectrum)
    wanted = {"lam": 1e4, "p": 0.0316, "degree": 2, "half_window": 60}
    assert {key: getattr(panel.settings, key) for key in shown} == {key: wanted[key] for key in shown}


def test_a_drag_of_a_slider_is_one_step_to_undo(panel, tmp_path):
    first = panel.settings
    slider = panel.sliders["lam"]
    with slider.hold_trait_notifications():
        slider.dragging, slider.value = True, 6.0
    for value in (6.1, 6.2, 6.3):
        slider.value = value
    slider.dragging = False
    assert panel.settings.lam == 2e6
    moved = panel.settings
    panel.undo()
    assert (panel.settings, slider.value) == (first, 5.0)
    panel.redo()
    assert panel.settings == moved
    panel.save(tmp_path / "kept.json")
    panel.reset()
    panel.load(tmp_path / "kept.json")
    assert panel.settings == moved


def test_what_is_refused_stays_as_it_was(panel, spectrum):
    shown = panel.settings
    panel._change(method="magic")
    assert "no baseline family" in panel.message.value
    assert panel.settings == shown
    panel._change(lam=-1.0)
    assert panel.message.value != ""
    assert panel.settings == shown
    with pytest.raises(MetrospecError, match="shows one spectrum"):
        widgets.baseline(spectrum.expand_dims("row"), axis="shift")
    with pytest.raises(MetrospecError, match=r"no axis named 'shft'.*Did you mean 'shift'"):
        widgets.baseline(spectrum, axis="shft")
    panel.set(replace(panel.settings, lam=1e4))
    with pytest.raises(MetrospecError, match=r"draws the axis 'shift', these settings are for 'pixel'"):
        panel.set(replace(panel.settings, axis="pixel"))
    assert panel.settings.lam == 1e4


def test_the_saved_notebook_keeps_picture_and_words(panel):
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"].startswith("spectrum\narpls: baseline from")
    assert "image/png" in bundle


def test_units_from_a_file_are_text_in_the_panel_and_in_its_picture(spectrum):
    spectrum["signal"].attrs["units"] = "<img src=x>"
    panel = widgets.baseline(spectrum, axis="shift")
    assert "<img" not in panel.words.value + panel.message.value
    figure = figures.draw_baseline(spectrum.assign(signal=("channel", np.ones(601), {"units": "$x"})),
                                   xr.DataArray(np.zeros(601), dims="channel"), axis="shift")  # fmt: skip
    assert figures.png(figure).startswith(b"\x89PNG")
    with pytest.raises(MetrospecError, match="601"):
        figures.draw_baseline(spectrum, xr.DataArray(np.zeros(7), dims="channel"), axis="shift")


def test_a_drag_that_is_refused_at_its_end_can_be_undone_to_where_it_began(panel):
    first = panel.settings
    panel._guarded(lambda: panel._step(replace(first, lam=1e6), final=False))
    panel._guarded(lambda: panel._step(replace(first, lam=-1.0), final=False))
    panel._guarded(lambda: panel._step(replace(first, lam=1e7), final=False))
    panel._guarded(lambda: panel._step(replace(first, lam=-1.0), final=True))
    assert "lam" in panel.message.value
    assert panel.settings.lam == 1e7
    assert panel.sliders["lam"].value == 7.0
    panel.undo()
    assert panel.settings == first
    assert panel.buttons["Undo"].disabled


def test_a_slider_is_not_moved_back_to_the_rounded_setting_while_keys_move_it(panel):
    panel.sliders["lam"].value = 5.1
    assert panel.settings.lam == 1.26e5
    assert panel.sliders["lam"].value == 5.1
