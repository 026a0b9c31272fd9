"""The panel of baselines in a real JupyterLab: by mouse and by keys, it shows what the same call gives."""

import ast

import numpy as np
import pytest

from analysis import baseline
from tests.browser.panels import BASELINE, VIEW, ask, lay, raman


@pytest.fixture
def panel(desk, lab):
    page = lay(desk, lab, "baseline", BASELINE)
    page.locator(VIEW).wait_for()
    page.locator(".metrospec-slider input:visible").first.scroll_into_view_if_needed()
    return page


def same_call(page):
    page.wait_for_timeout(600)
    left = eval(ask(page, "print(panel.code())"), {"baseline": baseline, "spectrum": raman(2000)})
    shown = ast.literal_eval(ask(page, "print(panel.result['signal'].values.tolist())"))
    np.testing.assert_allclose(shown, left["signal"].values, rtol=1e-9, atol=1e-9)
    return float(ask(page, "print(panel.settings.lam)"))


def test_the_slider_by_mouse_and_by_keys(panel):
    page = panel
    slider = page.locator(".metrospec-slider input:visible").first
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    at = box["x"] + box["width"] * (5 - 1) / 9
    page.mouse.move(at, middle)
    page.mouse.down()
    page.mouse.move(at + 30, middle, steps=6)
    page.mouse.up()
    dragged = same_call(page)
    assert dragged > 1e5
    assert ask(page, "print(len(panel._past))") == "1"
    page.get_by_role("button", name="Undo").click()
    assert same_call(page) == 1e5
    slider.focus()
    for _ in range(round((np.log10(dragged) - 5) / 0.1)):
        page.keyboard.press("ArrowRight")
    assert same_call(page) == pytest.approx(dragged, rel=1e-9)
    page.get_by_label("family").select_option("snip")
    same_call(page)
    assert page.errors == []
