"""Certificates of calibrations as pages: parameters, points, covariance and a figure; shares drawn as bars."""

import re

from analysis import calibration, io, report
from analysis.uncertainty import Quantity, propagate


def test_a_certificate_of_a_curve_has_its_points_covariance_and_figure():
    readings = [Quantity(value=y, u=0.1, units="V", label="reading") for y in (1.1, 1.9, 3.2, 3.9)]
    line = calibration.fit_line([1.0, 2.0, 3.0, 4.0], readings).valid_between("2026-11-01", "2027-11-01")
    page = report.certificate(line, issued="2026-11-23")
    assert page == report.certificate(line, issued="2026-11-23")
    for said in ("slope", "0.970", "0.088", "3.20 ± 0.10", "2027-11-01", "Gauss-Newton", "data:image/png;base64"):
        assert said in page, said
    # the covariance of unweighted sums: u² (Σx²/n, -Σx/n, 1) · n / (n Σx² - (Σx)²), here 0.1² · (30, -10, 4) / 20
    assert re.findall(r"-?\d\.\d{5}e-\d\d", page) == ["1.50000e-02", "-5.00000e-03", "-5.00000e-03", "2.00000e-03"]


def test_a_certificate_of_an_axis_states_its_parameters():
    found = calibration.match(io.sample("raman_neon"), calibration.lines("Ne", 530, 640, units="nm"))
    axis = calibration.fit_axis(found, axis="wavelength", degree=3)
    page = report.certificate(axis)
    for each in axis.parameters:
        assert f">{each.label}<" in page
    assert "doi:10.1063/1.1797771" in page


def test_shares_are_drawn_as_bars():
    inputs = {name: Quantity(value=1.0, u=u, units="1", label=name) for name, u in {"a": 0.4, "b": 0.3}.items()}
    page = report.certificate(propagate("a + b", inputs, name="y", units="1"))
    assert 'style="background-size: 64.0% 72%">64.0 %<' in page
    assert 'style="background-size: 36.0% 72%">36.0 %<' in page
