"""Results of our own classes in JupyterLab: typeset, legible in both themes, copied without a kernel."""

from tests.browser.panels import lay, pictures

CODE = """a = uncertainty.Quantity(value=2.0, u=0.01, units='m', label='path')
b = uncertainty.Quantity(value=4.0, u=0.05, units='s', label='time')
shift = uncertainty.Quantity(value=520.4537, u=0.1432, units='cm-1/GPa', dof=9.0, label='shift')
speed = uncertainty.propagate('a / b', {'a': a, 'b': b}, name='speed', units='m s-1')
line = calibration.fit_line(np.arange(5.0), [0.1, 1.0, 2.1, 2.9, 4.0], u_y=0.1)
for each in (shift, speed, uncertainty.sample(speed, trials=20000, seed=1), line):
    display(each)"""


def test_results_show_themselves_and_can_be_copied(desk, lab):
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = lay(desk, lab, "results", CODE)
    shown = page.locator(".jp-RenderedHTMLCommon").filter(has_text="Copy as LaTeX")
    shown.nth(3).wait_for()
    assert shown.first.locator("p").inner_html() == "shift = 520.45 ± 0.14 cm<sup>−1</sup>/GPa (k = 1)"
    assert shown.nth(1).locator("tbody tr").count() == 2
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    shown.first.locator("summary").first.click()
    shown.first.locator("button").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == r"shift = $520.45 \pm 0.14\ \mathrm{cm}^{-1}/\mathrm{GPa}$ (k = 1)"
    pictures(page, "results")
    assert page.errors == []
