"""The panel of a budget in a real JupyterLab: by mouse and by keyboard, it shows what the same call gives."""

import ast

import pytest

from analysis import uncertainty
from tests.browser.panels import ask, lay, pictures
from tests.browser.test_explore import settled

DATA = """
inputs = {
    "shift": uncertainty.Quantity(value=521.9, u=0.08, units="cm-1", label="shift"),
    "free": uncertainty.Quantity(value=520.45, u=0.14, units="cm-1", label="free"),
    "slope": uncertainty.Quantity(
        value=-1.93, u=0.1, units="cm-1/GPa", distribution=uncertainty.distributions.rectangular(), label="slope"
    ),
}
stress = uncertainty.propagate("(shift - free) / slope", inputs, name="stress", units="GPa")
"""
PANEL = "panel = widgets.budget(stress, name='stress')\npanel"


@pytest.fixture
def panel(desk, lab):
    page = lay(desk, lab, "budget", DATA, PANEL)
    page.locator(".metrospec-view[data-drawn]").wait_for()
    page.locator(".metrospec-inputs").scroll_into_view_if_needed()
    return page


def same_call(page):
    """Run the code of the panel here, and compare the result with the one shown there."""
    names = {"uncertainty": uncertainty}
    exec(DATA, names)  # noqa: S102 - as the notebook runs it
    made = eval(ask(page, "print(panel.code())"), names)
    shown = ast.literal_eval(
        ask(page, "print((panel.result.value, panel.result.u, panel.result.dof == panel.result.dof))")
    )
    assert shown[:2] == (pytest.approx(made.value, rel=1e-12), pytest.approx(made.u, rel=1e-12))
    return made


def supposed(page):
    return dict(ast.literal_eval(ask(page, "print(panel.settings.u)")))


def verdict(page):
    page.get_by_text("by Monte Carlo").first.wait_for()
    return page.locator("[aria-live=polite]").filter(has_text="intervals of stress").inner_text()


def test_a_slider_and_a_number_and_keys_give_the_same_budget(panel):
    page = panel
    made = same_call(page)
    assert uncertainty.compare(made, uncertainty.sample(made, seed=1)).sentence in verdict(page)
    slider = page.get_by_label("u of free, slider")
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2, steps=10)
    page.mouse.up()
    settled(page)
    by_mouse = supposed(page)["free"]
    assert 0.02 < by_mouse < 0.09
    made = same_call(page)
    verdict(page)
    pictures(page, "panel_budget")
    page.get_by_role("button", name="Undo").click()
    settled(page)
    assert supposed(page) == {}
    number = page.get_by_label("u of free in cm-1")
    number.fill(repr(by_mouse))
    number.press("Enter")
    settled(page)
    assert supposed(page) == {"free": by_mouse}
    assert same_call(page).u == made.u
    slider.focus()
    page.keyboard.press("ArrowLeft")
    settled(page)
    assert supposed(page)["free"] == pytest.approx(by_mouse - 0.0014, rel=1e-6)  # a two-hundredth of twice its u
    same_call(page)
    assert page.errors == []


def test_a_target_and_a_refusal(panel):
    page = panel
    page.get_by_label("target U (GPa)").fill("0.15")
    page.get_by_label("target U (GPa)").press("Enter")
    page.get_by_role("button", name="Use for free").click()
    settled(page)
    assert same_call(page).U() == pytest.approx(0.15, rel=1e-9)
    assert "The target U = 0.15 GPa is met" in verdict(page)
    number = page.get_by_label("u of shift in cm-1")
    number.fill("-1")
    number.press("Enter")
    page.locator("[role=alert]").wait_for()
    assert "not negative" in page.locator("[role=alert]").inner_text()
    settled(page)
    assert number.input_value() == "0.08"
    assert page.errors == []
