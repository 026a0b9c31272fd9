"""The panel with one control, driven without a browser."""

import base64

import pytest
from matplotlib.figure import Figure

from analysis import widgets
from analysis.core import MetrospecError


def draw(name):
    if name == "broken":
        msg = "no <data> for broken"
        raise ValueError(msg)
    figure = Figure(figsize=(2, 1))
    figure.suptitle(name)
    return figure


def test_choosing_gives_what_the_function_gives_and_the_code_says_so():
    panel = widgets.choose(draw, ["first", "second"], label="instrument")
    assert panel.choice == "first"
    before = panel.picture.value
    panel.control.value = "second"
    assert panel.choice == "second"
    assert panel.picture.value != before
    assert eval(panel.code()).get_suptitle() == panel.result.get_suptitle() == "second"


def test_a_refused_choice_is_shown_and_keeps_the_last_result():
    panel = widgets.choose(draw, ["first", "broken"], label="instrument")
    kept = panel.picture.value
    panel.control.value = "broken"
    assert "<b>ValueError</b>: no &lt;data&gt; for broken" in panel.message.value
    assert panel.choice == "first"
    assert panel.picture.value == kept
    panel.control.value = "first"
    assert panel.message.value == ""


def test_the_saved_notebook_keeps_a_picture_and_a_line_of_text():
    panel = widgets.choose(draw, ["first"], label="instrument")
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == "instrument: first"
    assert base64.b64decode(bundle["image/png"]) == panel.picture.value
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_options_that_are_missing_or_unknown_are_refused():
    with pytest.raises(MetrospecError, match="at least one option"):
        widgets.choose(draw, [], label="instrument")
    with pytest.raises(MetrospecError, match=r"must be one of \['first'\], got 'frist'. Did you mean 'first'"):
        widgets.choose(draw, ["first"], label="instrument").choose("frist")
