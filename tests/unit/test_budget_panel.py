"""The panel of a budget, driven by the events that the browser sends."""

import asyncio
import base64

import numpy as np
import pytest

from analysis import uncertainty, widgets
from analysis.core import MetrospecError
from analysis.uncertainty import Quantity, distributions


@pytest.fixture(autouse=True)
def no_loop():
    """Take away the loop that the browser tests leave running in this thread: a kernel's panel would use it."""
    kept = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(kept)


@pytest.fixture(scope="module")
def stress():
    inputs = {
        "shift": Quantity(value=521.9, u=0.08, units="cm-1", label="shift"),
        "free": Quantity(value=520.45, u=0.14, units="cm-1", label="free"),
        "slope": Quantity(
            value=-1.93, u=0.1, units="cm-1/GPa", distribution=distributions.rectangular(), label="slope"
        ),
        "k": Quantity(value=1.0, u=0.0, units="1"),
    }
    return uncertainty.propagate("k * (shift - free) / slope", inputs, name="stress", units="GPa")


@pytest.fixture
def panel(stress):
    return widgets.budget(stress, name="stress")


def moved(panel, name, value, *, final=True):
    panel.rows._told(None, {"type": "u", "name": name, "value": value, "final": final}, None)


def same_as_its_code(panel, stress):
    made = eval(panel.code(), {"uncertainty": uncertainty, "stress": stress})
    assert (made.value, made.u, made.notes) == (panel.result.value, panel.result.u, panel.result.notes)
    assert dict(made.components) == dict(panel.result.components)


def test_as_it_is_the_result_is_the_budget_itself(panel, stress):
    assert panel.result is stress
    assert panel.code() == "stress"
    drawn = uncertainty.sample(stress, seed=1)
    assert panel.drawn.agreement.sentence == uncertainty.compare(stress, drawn).sentence
    np.testing.assert_array_equal(panel.drawn.sample.draws, drawn.draws)


def test_another_u_gives_the_budget_that_the_code_gives(panel, stress):
    moved(panel, "free", 0.05)
    same_as_its_code(panel, stress)
    # (0.08^2 + 0.05^2) / 1.93^2 + (1.45 / 1.93^2)^2 0.1^2
    assert panel.result.u == pytest.approx(
        np.sqrt((0.08**2 + 0.05**2) / 1.93**2 + (1.45 / 1.93**2 * 0.1) ** 2), rel=1e-9
    )
    moved(panel, "shift", 0.02)
    assert panel.settings.u == (("shift", 0.02), ("free", 0.05))
    same_as_its_code(panel, stress)
    assert "what if u(shift) = 0.020 cm-1" in panel.text()
    panel.undo()
    assert panel.settings.u == (("free", 0.05),)
    panel.redo()
    panel.reset()
    assert panel.result is stress


def test_a_drag_is_followed_and_is_one_step_to_undo(panel):
    first, drawn = panel.settings, panel.drawn
    for value in (0.12, 0.10, 0.08):
        moved(panel, "free", value, final=False)
        assert panel.drawn is drawn  # draws wait for the end of the drag
        assert [each["u"] for each in panel.rows.rows] == [0.08, value, 0.1, 0.0]
    moved(panel, "free", 0.07)
    assert panel.drawn.of == panel.settings.drawn_by
    panel.undo()
    assert panel.settings == first


def test_a_target_says_the_u_of_each_input_and_its_button_uses_it(panel):
    panel.target.value = "0.13"
    assert panel.settings.target == 0.13
    by_name = {row["name"]: row for row in panel.rows.rows}
    assert by_name["shift"]["required"] == "not by this input alone"
    assert by_name["slope"]["use"] == ""
    panel.target.value = "0.15"
    use = next(row["use"] for row in panel.rows.rows if row["name"] == "free")
    wanted = uncertainty.required_u(panel.result, "free", target=0.15)
    assert float(use) == pytest.approx(wanted, rel=1e-11)
    assert "the target U = 0.15 GPa is not met" in panel.text()
    moved(panel, "free", float(use))
    assert panel.result.U() <= 0.15 * (1 + 1e-9)
    panel.target.value = ""
    assert panel.settings.target is None


def test_what_cannot_be_supposed_is_refused_in_place(panel, stress):
    for name, value, words in (("free", -0.1, "not negative"), ("free", None, "must be a number"), ("k", 0.1, "exact")):
        before = panel.rows.number
        moved(panel, name, value)
        assert 'role="alert"' in panel.message.value
        assert words in panel.message.value
        assert panel.result is stress
        assert panel.rows.number > before  # the rows show again what holds
    panel.target.value = "small"
    assert "must be a number" in panel.message.value
    assert panel.target.value == ""
    assert "exact" in next(row["why"] for row in panel.rows.rows if row["name"] == "k")
    for wrong in ({"level": 1.0}, {"target": -1.0}, {"digits": 7}):
        with pytest.raises(MetrospecError, match="got"):
            widgets.budget(stress, **wrong)
    with pytest.raises(MetrospecError, match="got a dict; choose one of them"):
        widgets.budget({"stress": stress})


def test_the_verdict_warns_where_linear_propagation_is_not_valid():
    x = Quantity(value=0.0, u=1.0, units="V", label="x")
    curved = uncertainty.propagate("x**2 + x", {"x": x}, name="y", units="V2", check_units=False)
    panel = widgets.budget(curved)
    assert "state the interval of the draws" in panel.verdict.value
    assert "differ" in panel.text()


def test_level_and_digits_belong_to_the_verdict(panel, stress):
    panel.level.value = 0.99
    assert "The 99 % intervals" in panel.drawn.agreement.sentence
    assert f"U = {uncertainty.format_u(stress.U(0.99))} GPa at 99 %" in panel.text()
    panel.digits.value = 1
    assert "(1 digits of u)" in panel.drawn.agreement.sentence


def test_draws_come_beside_the_loop_and_only_the_last_are_taken(stress):
    async def work():
        panel = widgets.budget(stress, name="stress")
        assert "Drawing" in panel.verdict.value
        moved(panel, "free", 0.05)
        panel.undo()
        moved(panel, "free", 0.07)
        for _ in range(200):
            await asyncio.sleep(0.02)
            if panel.drawn is not None and panel.drawn.of == panel.settings.drawn_by:
                return panel
        return None

    panel = asyncio.run(work())
    changed = uncertainty.what_if(stress, {"free": 0.07})
    drawn = uncertainty.sample(changed, seed=1)
    assert panel.drawn.agreement.sentence == uncertainty.compare(changed, drawn).sentence
    assert "Drawing" not in panel.verdict.value


def test_settings_are_saved_and_the_notebook_keeps_the_words(panel, tmp_path):
    moved(panel, "slope", 0.03)
    panel.save(tmp_path / "what_if.json")
    kept = panel.settings
    panel.reset()
    panel.load(tmp_path / "what_if.json")
    assert panel.settings == kept
    bundle = panel._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"].startswith("budget of stress\nstress = -0.751 ±")
    assert "slope: u = 0.030 cm-1/GPa" in bundle["text/plain"]
