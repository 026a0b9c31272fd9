"""The live panel in a real JupyterLab: started, steered by keys, and stopped at once while the kernel is busy."""

import time

import pytest

from tests.browser.panels import FURNACE, VIEW, ask, command, idle, lay

RUNNING = FURNACE + (
    "bench, loop = closed(RealClock())\n"
    "panel = live_widgets.live(acquire.stream(loop, period=0.05), limits={'furnace': (0, 150)})\npanel"
)
SHOTS = "() => Number(/(\\d+) shots/.exec(document.querySelector('.jp-Notebook').innerText)?.[1] ?? 0)"
BUSY = """() => {
    const session = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
    session.kernel.requestExecute({ code: "import time; time.sleep(20)", store_history: false });
    return undefined;
}"""


@pytest.fixture
def panel(desk, lab):
    page = lay(desk, lab, "live", RUNNING)
    page.get_by_role("button", name="Start", exact=True).wait_for()
    return page


def test_it_runs_is_steered_and_stops_and_runs_again(panel):
    page = panel
    for _ in range(2):
        page.get_by_role("button", name="Start", exact=True).click()
        page.locator(VIEW).wait_for()
        before = page.evaluate(SHOTS)
        page.wait_for_function(f"before => ({SHOTS})() > before + 20", arg=before)
        page.get_by_label("set point (degC)").fill("80")
        page.get_by_role("button", name="Set", exact=True).click()
        page.get_by_text("set point: 80 degC").wait_for()
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_text("stopped by the user; all devices were made safe").wait_for()
        assert ask(page, "print(bench.furnace.values['output'], panel.running.state)") == "0.0 stopped"
    idle(page)
    assert ask(page, "print(float(panel.result['furnace_setpoint'][-1]))") == "80.0"
    assert page.errors == []


def test_stop_acts_at_once_while_the_kernel_is_busy_with_another_cell(panel):
    page = panel
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function(f"() => ({SHOTS})() > 10")
    page.evaluate(BUSY)
    before = page.evaluate(SHOTS)
    page.wait_for_function(f"before => ({SHOTS})() > before + 10", arg=before)  # still measuring, still shown
    begun = time.monotonic()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("stopped by the user; all devices were made safe").wait_for(timeout=5000)
    assert time.monotonic() - begun < 2.0
    command(page, "notebook:interrupt-kernel")
    idle(page)
    assert ask(page, "print(bench.furnace.values['output'])") == "0.0"
    assert page.errors == []
