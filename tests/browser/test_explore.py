"""The panel to explore and fit in a real JupyterLab: by mouse and by keyboard, it shows what the same call gives."""

import ast
import re

import numpy as np
import pytest

from analysis import peaks
from tests.browser.panels import EXPLORE, VIEW, ask, lay, raman
from tests.browser.test_notebooks import SCREENSHOTS


@pytest.fixture
def panel(desk, lab, request):
    points = getattr(request, "param", 2000)
    page = lay(desk, lab, f"explore_{points}", f"spectrum = raman({points})", EXPLORE)
    page.locator(VIEW).wait_for(timeout=20_000)
    page.locator(".metrospec-view canvas").scroll_into_view_if_needed()
    return page


def settings_of(page):
    return ask(page, "print(repr(panel.settings))")


def same_call(page):
    """Run the code of the panel here, on the same data, and compare all parameters."""
    fit = eval(ask(page, "print(panel.code())"), {"peaks": peaks, "spectrum": raman(2000)})
    shown = ast.literal_eval(ask(page, "print(panel.result['value'].values.tolist())"))
    np.testing.assert_allclose(shown, fit["value"].values, rtol=1e-9)
    return fit


def spot(page, x):
    """Where a place of the axis is on the screen."""
    box = page.locator(".metrospec-view canvas").bounding_box()
    low, high = ast.literal_eval(ask(page, "print(panel.plot.plot['window'])"))
    return box["x"] + 68 + (x - low) / (high - low) * (box["width"] - 68 - 14), box["y"] + 150


def settled(page):
    page.wait_for_timeout(500)


def test_a_dragged_range_and_its_keys_give_the_same_fit(panel):
    page = panel
    left, y = spot(page, 480.0)
    right, _ = spot(page, 560.0)
    page.mouse.move(left, y)
    page.mouse.down()
    page.mouse.move((left + right) / 2, y, steps=8)
    page.mouse.move(right, y, steps=8)
    page.mouse.up()
    settled(page)
    fit = same_call(page)
    low, high = (float(each) for each in re.findall(r"(?:low|high)=([\d.]+)", settings_of(page)))
    assert (low, high) == (pytest.approx(480, abs=1), pytest.approx(560, abs=1))
    assert abs(float(fit["value"].sel(parameter="p1_center")) - 520.5) < 0.5
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "panel_explore.png")
    # the same by keyboard, from the start
    ask(page, "panel.reset()")
    page.locator(".metrospec-view canvas").focus()
    for edge, key in ((low, "["), (high, "]")):
        page.mouse.move(*spot(page, edge))
        page.keyboard.press(key)
        settled(page)
    again = same_call(page)
    np.testing.assert_allclose(again["value"].values, fit["value"].values, rtol=1e-6)
    assert page.errors == []


def test_a_peak_is_added_dragged_and_undone(panel):
    page = panel
    page.get_by_role("button", name="Add peak").click()
    page.mouse.click(*spot(page, 610.0))
    settled(page)
    fit = same_call(page)
    assert abs(float(fit["value"].sel(parameter="p2_center")) - 610) < 1.0
    page.locator(".metrospec-view canvas").focus()
    page.keyboard.press("Delete")
    settled(page)
    assert "center=520" not in settings_of(page) or settings_of(page).count("Mark(") == 1
    page.get_by_role("button", name="Undo").click()
    settled(page)
    assert settings_of(page).count("Mark(") == 2
    np.testing.assert_allclose(same_call(page)["value"].values, fit["value"].values, rtol=1e-9)
    assert page.errors == []


def test_an_error_appears_in_the_panel(panel):
    page = panel
    ask(page, "panel._guarded(lambda: panel._heard({'type': 'range', 'range': [519.95, 520.1], 'final': True}))")
    assert page.locator("[role=alert]").inner_text() != ""
    assert page.errors == []
