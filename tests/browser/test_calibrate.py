"""The panel to calibrate an axis in a real JupyterLab: by mouse and by keyboard, it shows what the same calls give."""

import ast

import numpy as np
import pytest

from analysis import calibration, io
from tests.browser.panels import CALIBRATE, ask, lay, pictures
from tests.browser.test_explore import settled


@pytest.fixture
def panel(desk, lab):
    page = lay(desk, lab, "calibrate", CALIBRATE)
    page.locator(".metrospec-view[data-drawn]").wait_for()
    page.locator(".metrospec-view canvas").scroll_into_view_if_needed()
    return page


def same_calls(page):
    """Run the code of the panel here, and compare the axis that it gives with the one shown there."""
    lamp = {"neon": io.sample("raman_neon"), "lines": calibration.lines("Ne", 530, 640, units="nm")}
    axis = eval(ask(page, "print(panel.code())"), {"calibration": calibration, **lamp})
    shown = ast.literal_eval(ask(page, "print([panel.result.coefficients.tolist(), panel.result.covariance.tolist()])"))
    np.testing.assert_allclose(shown[0], axis.coefficients, rtol=1e-9)
    np.testing.assert_allclose(shown[1], axis.covariance, rtol=1e-7)
    return axis


def mark(page, index):
    """Where the mark of a pair is on the screen."""
    box = page.locator(".metrospec-view canvas").bounding_box()
    window, ylim, one = ast.literal_eval(
        ask(page, f"print([panel.plot.plot['window'], panel.plot.plot['ylim'], panel.plot.handles[{index}]])")
    )
    inner = box["height"] - 52 - round((box["height"] - 52) * 0.24) - 8
    x = 68 + (one["x"] - window[0]) / (window[1] - window[0]) * (box["width"] - 82)
    y = 10 + inner * (1 - (one["top"] - ylim[0]) / (ylim[1] - ylim[0])) - 8
    return box["x"] + x, box["y"] + max(y, 17)


def left_out(page):
    return ast.literal_eval(ask(page, "print(panel.settings.left_out)"))


def test_a_line_is_left_out_by_mouse_and_by_keys_with_equal_numbers(panel):
    page = panel
    page.mouse.click(*mark(page, 3))
    settled(page)
    assert left_out(page) == ("Ne 588.18952",)
    by_mouse = same_calls(page)
    pictures(page, "panel_calibrate")
    page.mouse.click(*mark(page, 3))
    settled(page)
    assert left_out(page) == ()
    page.locator(".metrospec-view canvas").focus()
    for key in ("p", "n", "x"):
        page.keyboard.press(key)
        settled(page)
    assert left_out(page) == ("Ne 588.18952",)
    by_keys = same_calls(page)
    np.testing.assert_array_equal(by_keys.coefficients, by_mouse.coefficients)
    page.get_by_role("button", name="Undo").click()
    settled(page)
    assert left_out(page) == ()
    assert page.errors == []


def test_degree_and_the_row_of_the_line_by_mouse_and_keyboard(panel):
    page = panel
    page.get_by_label("degree").select_option("2")
    page.get_by_label("line", exact=True).select_option(label="Ne 585.24879")
    page.get_by_role("button", name="Leave out").focus()
    page.keyboard.press("Enter")
    settled(page)
    assert left_out(page) == ("Ne 585.24879",)
    assert same_calls(page).coefficients.size == 3
    assert page.get_by_role("button", name="Take back").count() == 1
    page.get_by_label("valid (days)").fill("-3")
    page.get_by_label("valid (days)").press("Enter")
    page.locator("[role=alert]").wait_for()
    assert "above 0" in page.locator("[role=alert]").inner_text()
    assert same_calls(page).coefficients.size == 3
    assert page.errors == []
