"""Panels in both themes and three widths, for screen readers; restarted, reopened, two on a page, beside a long fit."""

import pytest

from tests.browser.panels import EXPLORE, PANELS, VIEW, ask, command, idle, lay, show, theme
from tests.browser.test_notebooks import SCREENSHOTS

WIDTHS = (1100, 1300, 1600)
CUT_OFF = """() => {
    const area = document.querySelector('.jp-OutputArea-output:has(.jupyter-widgets)').getBoundingClientRect();
    const parts = document.querySelectorAll('.jupyter-widgets button, .jupyter-widgets input, .jupyter-widgets select,'
        + ' .jupyter-widgets canvas, .jupyter-widgets td, .jupyter-widgets img');
    return [...parts].filter(part => part.offsetParent && part.getBoundingClientRect().right > area.right + 2)
        .map(part => part.outerHTML.slice(0, 120));
}"""
LONG_FIT = """from lmfit.models import GaussianModel
x = np.linspace(-5, 5, 64)
y = np.exp(-(x**2)) + np.tile(np.random.default_rng(1).normal(0, 0.01, (100, 64)), (80, 1))
many = xr.Dataset({"signal": (("row", "channel"), y)}, coords={"x": ("channel", x, {"units": "nm"})})
model = GaussianModel()
start = model.make_params(amplitude=1, center=0.1, sigma=1)
work = widgets.run(
    lambda report: peaks.fit(many, model, start, axis="x", engine="lmfit", progress=report), label="fit of the map"
)
work"""


@pytest.mark.parametrize("name", list(PANELS))
def test_a_panel_is_whole_in_both_themes_and_accessible(desk, lab, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = lay(desk, lab, f"looks_{name}", PANELS[name])
    page.locator(".jupyter-widgets").first.wait_for()
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    SCREENSHOTS.mkdir(exist_ok=True)
    for dark in (False, True):
        theme(page, dark)
        for width in WIDTHS[-1:] if dark else WIDTHS:
            page.set_viewport_size({"width": width, "height": 1200})
            page.wait_for_timeout(200)
            assert page.evaluate(CUT_OFF) == [], (dark, width)
        page.screenshot(path=SCREENSHOTS / f"panel_{name}_{'dark' if dark else 'light'}.png")
        found = axe.Axe().run(page, context=".jp-OutputArea-output:has(.jupyter-widgets)").response["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert not serious, [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in serious]
    theme(page, dark=False)
    assert page.errors == []


def test_two_panels_on_a_page_do_not_touch_each_other(desk, lab):
    second = EXPLORE.replace("panel", "other").replace("center=520", "center=610")
    page = lay(desk, lab, "two", EXPLORE, second)
    page.locator(VIEW).nth(1).wait_for()
    before = ask(page, "print(other.settings, other.text())")
    page.locator(VIEW).first.locator("canvas").focus()
    for key in (".", ".", "w"):
        page.keyboard.press(key)
    page.wait_for_function("true")
    idle(page)
    page.wait_for_timeout(500)
    assert "center=520," not in ask(page, "print(panel.settings)")
    assert ask(page, "print(other.settings, other.text())") == before
    assert page.errors == []


def test_a_restarted_kernel_leaves_the_panel_quiet_and_a_new_run_revives_it(page, lab):
    show(page, lab, "restarted", EXPLORE)
    page.locator(VIEW).wait_for()
    page.evaluate(
        "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"
        ".then(() => { window.restarted = true; }) && undefined"
    )
    page.wait_for_function("window.restarted === true", timeout=30_000)
    idle(page)
    assert ask(page, "print('panel' in globals())") == "False"
    canvas = page.locator(".metrospec-view canvas")
    if canvas.count():
        canvas.first.focus()
        page.keyboard.press("a")
    page.evaluate(
        "window.done = false; window.jupyterapp.commands.execute('notebook:run-all-cells')"
        ".then(() => { window.done = true; }) && undefined"
    )
    page.wait_for_function("window.done === true", timeout=60_000)
    page.locator(VIEW).first.wait_for()
    page.locator(".metrospec-view canvas").first.focus()
    page.keyboard.press(".")
    idle(page)
    page.wait_for_timeout(500)
    assert "center=520," not in ask(page, "print(panel.settings)")


def test_a_notebook_that_is_reopened_shows_picture_and_numbers_without_a_kernel(page, lab):
    url, _ = lab
    show(page, lab, "reopened", EXPLORE)
    page.locator(VIEW).wait_for()
    command(page, "docmanager:save")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    page.goto("about:blank")
    page.goto(f"{url}/lab/tree/reopened.ipynb?reset")
    page.wait_for_function("window.jupyterapp && window.jupyterapp.shell.currentWidget?.content?.widgets?.length > 1")
    outputs = page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.outputs.toJSON()[0].data"
    )
    assert "p1: center 520." in outputs["text/plain"]
    assert len(outputs["image/png"]) > 1000


def test_a_long_fit_is_cancelled_while_another_panel_stays_alive(desk, lab):
    page = lay(desk, lab, "busy", EXPLORE, LONG_FIT)
    page.locator(VIEW).wait_for()
    assert ask(page, "print(work.state)") == "running"
    page.locator(VIEW).locator("canvas").focus()
    page.keyboard.press(".")
    page.wait_for_timeout(1000)
    assert "center=520," not in ask(page, "print(panel.settings)")
    assert ask(page, "print(work.state)") == "running"
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("cancelled", exact=True).wait_for(timeout=20_000)
    kept = ask(page, "print(int((work.wait()['status'] == peaks.Status.CANCELLED).sum()))")
    assert int(kept) > 0
    assert page.errors == []
