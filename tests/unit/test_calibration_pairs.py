"""Pairs left out by hand, and the distances of lines from an axis: their u is held against repeated measurements."""

import numpy as np
import pytest
import xarray as xr

from analysis import calibration, io
from analysis.calibration import PeakFate
from analysis.core import CalibrationError
from analysis.replay import replay
from analysis.uncertainty import Source, sources

LINES = 9
U_LINE, U_POSITION, SLOPE, SPREAD = 0.004, 0.05, 0.1, 0.02


def pairs(rng, *, spread=0.0):
    """Lines on a straight axis, with noise of both kinds; the first as if it were a pair, like all others."""
    position = np.linspace(0.0, 800.0, LINES)
    noise = rng.normal(0, U_LINE, LINES) + SLOPE * rng.normal(0, U_POSITION, LINES) + rng.normal(0, spread, LINES)
    names = [f"X {500 + SLOPE * each:.0f}" for each in position]
    found = xr.Dataset(
        {
            "value": ("line", 500 + SLOPE * position + noise, {"units": "nm"}),
            "u": ("line", np.full(LINES, U_LINE), {"units": "nm"}),
            "position": ("peak", position, {"units": "1"}),
            "u_position": ("peak", np.full(LINES, U_POSITION), {"units": "1"}),
            "dof": ("peak", np.full(LINES, np.inf)),
            "fate": ("peak", np.full(LINES, int(PeakFate.MATCHED), dtype=np.int8)),
            "line_index": ("peak", np.arange(LINES)),
            "found": ("line", np.ones(LINES, dtype=bool)),
        },
        coords={"line": names},
        attrs={"of": "pixel", "of_units": "1", "medium": "air", "instrument": "", "acquired": "", "summary": "9 of 9"},
    )
    parts = {Source(id=f"line:{k}", label=name, units="nm"): U_LINE * np.eye(LINES)[k] for k, name in enumerate(names)}
    return sources.attach(found, "value", parts, ("line",))


def trial(rng, out=(), **how):
    found = pairs(rng, **how)
    if out:
        found = calibration.leave_out(found, out)
    axis = calibration.fit_axis(found, axis="wavelength", degree=1)
    return calibration.residuals(axis, found)


def test_the_scatter_of_the_residuals_is_their_uncertainty():
    # 500 repetitions leave 3.2 % in a standard deviation
    rng = np.random.default_rng(5)
    made = [trial(rng, out=("X 540",)) for _ in range(500)]
    all_of = np.std([each["residual"].values for each in made], axis=0)
    first = calibration.residuals(*straight(("X 540",)))["u_residual"].values
    np.testing.assert_allclose(all_of, first, rtol=0.1)


def straight(out):
    """Lines exactly on the axis: there is no excess, and u is what the stated uncertainties make it."""
    found = pairs(np.random.default_rng(0))
    found["value"] = found["value"].copy(data=500 + SLOPE * found["position"].values)
    found = calibration.leave_out(found, out)
    return calibration.fit_axis(found, axis="wavelength", degree=1), found


def test_a_line_that_was_used_pulls_the_axis_and_one_left_out_does_not():
    axis, found = straight(("X 540",))
    made = calibration.residuals(axis, found)
    left = int(np.flatnonzero(~made["used"].values)[0])
    known = np.hypot(U_LINE, SLOPE * U_POSITION)
    # in the middle of n others on a straight axis: the leverage is 1/n (Draper and Smith, 8.1)
    assert float(made["u_residual"][left]) == pytest.approx(known * np.sqrt(1 + 1 / (LINES - 1)), rel=1e-6)
    ends = made["u_residual"].values[[0, -1]]
    x = np.delete(np.linspace(-1, 1, LINES), LINES // 2)
    leverage = 1 / x.size + x[0] ** 2 / np.sum(x**2)
    np.testing.assert_allclose(ends, known * np.sqrt(1 - leverage), rtol=1e-6)


def test_scatter_beyond_the_stated_uncertainties_is_said_and_carried():
    made = [trial(np.random.default_rng(seed), spread=SPREAD) for seed in range(200)]
    excess = np.array([each.attrs["excess"] for each in made])
    assert np.sqrt(np.mean(excess**2)) == pytest.approx(SPREAD, rel=0.1)
    shares = np.array([(each["residual"] / each["u_residual"]).values for each in made])
    assert np.sqrt(np.mean(shares**2)) == pytest.approx(1.0, rel=0.02)  # chi-squared equals its degrees of freedom


def test_a_pair_left_out_is_said_and_outside_the_others_it_is_no_check():
    found = pairs(np.random.default_rng(1))
    before = found.copy(deep=True)
    fewer = calibration.leave_out(found, ("X 500", "X 540"))
    xr.testing.assert_identical(found, before)
    assert (fewer["fate"].values == PeakFate.LEFT_OUT).sum() == 2
    assert "by hand: 2 left out" in fewer.attrs["summary"]
    assert fewer["found"].values.sum() == LINES - 2
    axis = calibration.fit_axis(fewer, axis="wavelength", degree=1)
    made = calibration.residuals(axis, fewer)
    assert np.isnan(made["residual"].values).tolist() == [True] + [False] * (LINES - 1)


def test_what_is_no_pair_is_refused():
    found = pairs(np.random.default_rng(1))
    with pytest.raises(CalibrationError, match=r"no pair of a line named 'X 501' to leave out.*Did you mean 'X 5"):
        calibration.leave_out(found, ("X 501",))
    with pytest.raises(CalibrationError, match=r"leave_out needs the pairs that calibration.match.* got a dict"):
        calibration.leave_out({}, ())
    axis = calibration.fit_axis(found, axis="wavelength", degree=1)
    with pytest.raises(CalibrationError, match="it has 9 lines on 'wavelength', these are 8 pairs"):
        calibration.residuals(axis, calibration.leave_out(found, ("X 540",)))


def test_an_axis_without_some_lines_is_redone_from_its_history():
    lamp = io.sample("raman_neon")
    found = calibration.match(lamp, calibration.lines("Ne", 530, 640, units="nm"))
    name = str(found["line"].values[int(found["line_index"][3])])
    axis = calibration.fit_axis(calibration.leave_out(found, [name]), axis="wavelength", degree=3)
    assert axis.knots.size == 13
    np.testing.assert_allclose(replay(axis)["parameters"].values[:4], axis.coefficients, rtol=1e-12)
