"""Panels in a real JupyterLab: moved by the keyboard, they show what the same call gives here."""

from analysis import uncertainty
from analysis.uncertainty import Quantity
from tests.browser.test_notebooks import SCREENSHOTS, errors_in, open_and_run


def viscosity(u_of_time):
    # NIST TN 1900, E3, as notebook 09 has it
    inputs = {
        "mu_C": Quantity(value=4.63, u=0.0463, units="mPa s"),
        "t_M": Quantity(value=61, u=6.1, units="s"),
        "t_C": Quantity(value=36.6, u=u_of_time, units="s"),
        "rho_B": Quantity(value=2217, u=0.5, units="kg m-3"),
        "rho_M": Quantity(value=1180, u=0.5, units="kg m-3"),
        "rho_C": Quantity(value=810, u=0.5, units="kg m-3"),
    }
    formula = "mu_C*(t_M/t_C)*(rho_B - rho_M)/(rho_B - rho_C)"
    return str(uncertainty.propagate(formula, inputs, name="viscosity", units="mPa s"))


def test_arrow_keys_move_a_slider(page, lab):
    url, _ = lab
    assert errors_in(open_and_run(page, url, "notebooks/09_uncertainty_budget.ipynb")) == []
    said = page.locator("pre[aria-live=polite]").first
    said.scroll_into_view_if_needed()
    before = said.inner_text()
    slider = page.locator(".metrospec-slider input").first
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("text => document.querySelector('pre[aria-live=polite]').innerText !== text", arg=before)
    page.wait_for_timeout(1500)
    shown = float(page.locator(".metrospec-slider-row > input").first.input_value())
    assert said.inner_text().splitlines()[0] == viscosity(shown)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "panel_viscosity.png")
    assert page.errors == []
