"""The panel with one control, driven without a browser."""

from dataclasses import FrozenInstanceError, asdict

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
    panel = widgets.choose(draw, ["first", "broken", "last"], label="instrument")
    kept = panel.picture.value
    panel.control.value = "broken"
    assert "<b>ValueError</b>: no &lt;data&gt; for broken" in panel.message.value
    assert panel.choice == "first"
    assert panel.picture.value == kept
    assert panel.control.value == "first"
    panel.control.value = "last"
    assert panel.message.value == ""


def test_the_saved_notebook_keeps_a_picture_and_a_line_of_text():
    panel = widgets.choose(draw, ["first"], label="instrument")
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == "instrument: first"
    assert bundle["image/png"] in panel.picture.value
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_options_that_are_missing_or_unknown_are_refused():
    with pytest.raises(MetrospecError, match="at least one option"):
        widgets.choose(draw, [], label="instrument")
    with pytest.raises(MetrospecError, match=r"must be one of \['first'\], got 'frist'. Did you mean 'first'"):
        widgets.choose(draw, ["first"], label="instrument").choose("frist")


def scaled(factor, words, double):
    if factor > 4:
        msg = "too much"
        raise ValueError(msg)
    figure = Figure(figsize=(factor, 1))
    return figure, f"{words}: {factor * (2 if double else 1):g}"


CONTROLS = {
    "factor": widgets.Range(low=1, high=5, start=2, step=0.5, units="mm"),
    "words": widgets.Choice(options=("one", "two"), start="one"),
    "double": widgets.Switch(start=False),
}


def test_a_panel_shows_what_its_code_returns():
    panel = widgets.adjust(scaled, CONTROLS, label="size")
    panel.controls["factor"].value = 3
    panel.move("words", "two")
    panel.move("double", value=True)
    assert asdict(panel.settings) == {"factor": 3, "words": "two", "double": True}
    again = eval(panel.code())
    assert again[1] == panel.text() == panel.result[1] == "two: 6"
    assert panel._repr_mimebundle_()["text/plain"] == "size: factor = 3.0, words = two, double = True\ntwo: 6"


def test_undo_redo_and_reset_move_the_controls_and_the_result():
    panel = widgets.adjust(scaled, CONTROLS, label="size")
    assert panel.buttons["Undo"].disabled
    panel.move("factor", 3)
    panel.move("factor", 4)
    panel.buttons["Undo"].click()
    assert (panel.controls["factor"].value, panel.text()) == (3, "one: 3")
    panel.buttons["Redo"].click()
    assert (panel.controls["factor"].value, panel.text()) == (4, "one: 4")
    panel.buttons["Reset"].click()
    assert (panel.controls["factor"].value, panel.text()) == (2, "one: 2")
    panel.undo()
    assert panel.text() == "one: 4"
    panel.move("words", "two")
    assert panel.buttons["Redo"].disabled


def test_settings_that_the_function_refuses_are_said_and_change_nothing():
    panel = widgets.adjust(scaled, CONTROLS, label="size")
    panel.controls["factor"].value = 5
    assert "<b>ValueError</b>: too much" in panel.message.value
    assert (panel.settings.factor, panel.text()) == (2, "one: 2")
    panel.controls["factor"].value = 3
    assert panel.message.value == ""


def test_controls_refuse_what_they_cannot_have():
    panel = widgets.adjust(scaled, CONTROLS, label="size")
    with pytest.raises(MetrospecError, match=r"no control named 'fator'.*Did you mean 'factor'"):
        panel.move("fator", 3)
    with pytest.raises(MetrospecError, match=r"factor must be a number in \[1, 5\]"):
        panel.move("factor", 7)
    with pytest.raises(MetrospecError, match=r"words must be one of \['one', 'two'\]"):
        panel.move("words", "three")
    with pytest.raises(MetrospecError, match="double must be True or False"):
        panel.move("double", 1)
    with pytest.raises(MetrospecError, match="at least one control"):
        widgets.adjust(scaled, {}, label="size")


def test_settings_are_kept_in_a_file_and_what_does_not_fit_is_refused_in_place(tmp_path):
    panel = widgets.adjust(scaled, CONTROLS, label="size")
    panel.move("factor", 3)
    panel.drawer.path.value = str(tmp_path / "kept.json")
    panel.drawer.save.click()
    panel.reset()
    panel.drawer.load.click()
    assert (panel.settings.factor, panel.text(), panel.message.value) == (3, "one: 3", "")
    panel.undo()
    assert panel.settings.factor == 2
    for text, said in (
        ('{"factor": 3}', "in one only"),
        ("[]", "in one only"),
        ("<b>", "does not hold"),
        (None, "hold"),
    ):
        path = tmp_path / "other.json"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text, encoding="utf-8")
        panel.drawer.path.value = str(path)
        panel.drawer.load.click()
        assert said in panel.message.value
        assert panel.settings.factor == 2
    (tmp_path / "far.json").write_text('{"factor": 9, "words": "one", "double": false}', encoding="utf-8")
    with pytest.raises(MetrospecError, match="factor must be a number"):
        panel.load(tmp_path / "far.json")


def test_settings_are_frozen_and_a_choice_is_undone_kept_and_read_again(tmp_path):
    adjusted = widgets.adjust(scaled, CONTROLS, label="size")
    with pytest.raises(FrozenInstanceError):
        adjusted.settings.factor = 3
    panel = widgets.choose(draw, ["first", "second"], label="instrument")
    panel.choose("second")
    panel.save(tmp_path / "choice.json")
    panel.undo()
    assert panel.choice == panel.control.value == "first"
    panel.load(tmp_path / "choice.json")
    assert panel.choice == "second"
    assert panel.result.get_suptitle() == "second"
    (tmp_path / "choice.json").write_text('{"choice": "third"}', encoding="utf-8")
    with pytest.raises(MetrospecError, match="must be one of"):
        panel.load(tmp_path / "choice.json")
    with pytest.raises(MetrospecError, match="named as an argument"):
        widgets.adjust(scaled, {"a b": CONTROLS["double"]}, label="size")
