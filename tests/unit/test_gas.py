"""Gas bands: lines, transmittance against brute force, global fits with budgets, positions, what is refused."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import voigt_profile

from analysis import gas, peaks
from analysis.core import CHANNEL, CalibrationError, SpectrumError
from analysis.gas.profiles import Profiles
from analysis.gas.transmittance import Conditions, grid_of
from analysis.uncertainty import Quantity

BAND = gas.band("CO 1-0")
FTIR = gas.Interferometer(path_difference=10.0, apodisation="happ-genzel")
X = np.arange(2155.0, 2175.0, 0.04)
CELL = Quantity(value=10.0, u=0.01, units="cm", label="cell")
STATE = {"temperature": 310.0, "pressure": 300.0, "fraction": 2e-3}


@pytest.fixture(scope="module")
def recorded():
    return gas.simulate(
        BAND, X, pressures=[200.0, 800.0], interferometer=FTIR, seed=5, temperature=310.0, fraction=2e-3
    )


@pytest.fixture(scope="module")
def fitted(recorded):
    return gas.fit(recorded, BAND, path=CELL, interferometer=FTIR)


def brute(x, path=10.0):
    """Beer and Lambert by scipy's Voigt profile, straight from the table of lines at that temperature."""
    table = BAND.lines(x[0] - 25.0, x[-1] + 25.0, temperature=STATE["temperature"])
    density = STATE["pressure"] * 100.0 * STATE["fraction"] / (1.380649e-23 * STATE["temperature"]) * 1e-6
    depth = np.zeros_like(x)
    for centre, s, air, own, n in zip(
        *(table[name].values for name in ("wavenumber", "strength", "air", "self", "exponent")), strict=True
    ):
        gamma = ((1 - STATE["fraction"]) * air + STATE["fraction"] * own) * STATE["pressure"] / 1013.25
        sigma = centre * np.sqrt(1.380649e-23 * STATE["temperature"] / (27.99491461960 * 1.66053906892e-27)) / 299792458
        depth += s * density * voigt_profile(x - centre, sigma, gamma * (296.0 / STATE["temperature"]) ** n)
    return np.exp(-depth * path)


def test_transmittance_is_that_of_a_sum_of_voigt_lines_at_each_point():
    x = np.arange(2160.0, 2166.0, 0.002)
    seen = gas.transmittance(x, BAND, path=10.0, **STATE)
    np.testing.assert_allclose(seen.values, brute(x), atol=3e-6)


@pytest.mark.parametrize(
    ("apodisation", "shape"),
    [
        ("boxcar", lambda s, d: 2 * d * np.sinc(2 * d * s)),
        ("triangular", lambda s, d: d * np.sinc(d * s) ** 2),
        ("happ-genzel", lambda s, d: 2 * d * (0.54 * np.sinc(2 * d * s)
         + 0.23 * (np.sinc(2 * d * s - 1) + np.sinc(2 * d * s + 1)))),
    ],
)  # fmt: skip
def test_the_interferometer_convolves_with_the_line_shape_in_closed_form(apodisation, shape):
    device = gas.Interferometer(path_difference=5.0, apodisation=apodisation)
    fine = np.arange(2130.0, 2200.0, 0.004)
    monochromatic = brute(fine)
    x = np.arange(2163.0, 2167.0, 0.04)
    kernel = shape(x[:, None] - fine, 5.0) * 0.004
    expected = 1.0 - kernel @ (1.0 - monochromatic)
    seen = gas.transmittance(x, BAND, path=10.0, interferometer=device, **STATE)
    np.testing.assert_allclose(device.line_shape(x - 2165.0), shape(x - 2165.0, 5.0), atol=1e-12)
    np.testing.assert_allclose(seen.values, expected, atol=3e-4 if apodisation == "boxcar" else 3e-5)


@pytest.mark.parametrize("name", ["temperature", "pressure", "fraction", "shift", "strength", "width", "own", "trend"])
def test_imaginary_parts_carry_the_derivative(name):
    grid = grid_of(X, BAND, FTIR)
    state = STATE | {"shift": 1e-3}
    at = state.get(name, 0.0 if name == "trend" else 1.0)
    step = 1e-4 * (abs(at) or 1.0)
    exact = grid.transmitted(Conditions(**state | {name: at + 1e-20j}), 10.0).imag / 1e-20
    up, down = (grid.transmitted(Conditions(**state | {name: at + d}), 10.0) for d in (step, -step))
    np.testing.assert_allclose(exact, (up - down) / (2 * step), rtol=1e-4, atol=1e-5 * np.abs(exact).max())


def test_the_derivatives_of_profiles_are_those_of_scipys_voigt_profile():
    x = np.linspace(-0.5, 0.5, 41)
    made = Profiles(offsets=x[None], near=(slice(0, 41),), sigma=np.array([0.05]), gamma=np.array([0.08]))
    h = 1e-6
    for slope, (dx, ds, dg) in ((made.by_offset, (h, 0, 0)), (made.by_sigma, (0, h, 0)), (made.by_gamma, (0, 0, h))):
        up, down = (voigt_profile(x + k * dx, 0.05 + k * ds, 0.08 + k * dg) for k in (1, -1))
        np.testing.assert_allclose(slope[0], (up - down) / (2 * h), rtol=1e-6, atol=1e-5)


def test_a_global_fit_recovers_the_state_within_its_u(fitted):
    assert fitted.fit.attrs["derivatives"] == "complex step"
    assert int(fitted.fit["status"]) == peaks.Status.CONVERGED
    assert abs(fitted.temperature.value - 310.0) < 3 * fitted.temperature.u
    assert abs(fitted.fraction.value / 2e-3 - 1) < 3 * fitted.fraction.u / 2e-3
    for pressure, true in zip(fitted.pressures, (200.0, 800.0), strict=True):
        assert abs(pressure.value - true) < 3 * pressure.u
    assert 0.8 < float((fitted.curves["residual"] ** 2).mean()) < 1.2


def test_errors_of_what_is_known_move_the_results_as_the_budget_says(fitted, recorded):
    longer = gas.fit(recorded, BAND, path=Quantity(value=10.05, u=0.01, units="cm"), interferometer=FTIR)
    part = {each.source.label: each for each in fitted.fraction.contributions}["cell"]
    assert part.u / fitted.fraction.value == pytest.approx(1e-3, rel=1e-3)  # amount times path is what is seen
    assert longer.fraction.value / fitted.fraction.value == pytest.approx(10.0 / 10.05, rel=1e-5)
    width = {each.source.label: each for each in fitted.pressures[0].contributions}["widths of CO in air"]
    assert width.u / fitted.pressures[0].value == pytest.approx(0.02 / np.sqrt(3.0), rel=0.02)


def test_amount_and_pressure_share_the_widths(fitted):
    assert fitted.fraction.correlation(fitted.pressures[0]) < -0.3
    assert fitted.pressures[0].correlation(fitted.pressures[1]) > 0.9


def test_a_measured_temperature_is_held_and_carried(recorded):
    warm = Quantity(value=310.0, u=2.0, units="K", label="thermometer")
    held = gas.fit(recorded, BAND, path=CELL, interferometer=FTIR, temperature=warm)
    assert held.temperature.value == 310.0
    assert "thermometer" in [each.source.label for each in held.fraction.contributions]


def test_masked_channels_and_falling_axes_give_the_same(recorded, fitted):
    masked = recorded.isel({CHANNEL: slice(None, None, -1)}).copy(deep=True)
    masked["signal"][0, 100:110] = np.nan
    again = gas.fit(masked, BAND, path=CELL.to("mm"), interferometer=FTIR)
    assert abs(again.fraction.value - fitted.fraction.value) < fitted.fraction.u
    np.testing.assert_array_less(again.curves["wavenumber"].values[:-1], again.curves["wavenumber"].values[1:])


def test_line_positions_recover_the_table_within_their_u():
    x = np.arange(2120.0, 2170.0, 0.02)
    sharp = gas.Interferometer(path_difference=25.0, apodisation="happ-genzel")
    seen = gas.simulate(BAND, x, pressures=[30.0], interferometer=sharp, seed=3, fraction=0.02, path=5.0)
    scale = Quantity(value=0.0, u=1e-7, units="1", label="laser")
    found = gas.line_positions(seen, BAND, interferometer=sharp, scale=scale)
    true = BAND.lines()["wavenumber"]
    z = [(each.value - float(true.sel(line=name))) / each.u for name, each in found.items()]
    assert len(z) == 12
    assert np.sqrt(np.mean(np.square(z))) < 1.5
    assert found["R0"].u > 1e-7 * 2147


def test_combination_differences_need_both_branches():
    one = {f"R{j}": Quantity(value=2150.0 + j, u=1e-4, units="cm-1") for j in range(9)}
    with pytest.raises(CalibrationError, match=r"upper state needs 3 differences of lines, got 0 .*both branches"):
        gas.combination_differences(one, BAND)
    with pytest.raises(CalibrationError, match="must be in cm-1 and named as 'R5'"):
        gas.combination_differences({"Q1": one["R1"]}, BAND)
    with pytest.raises(CalibrationError, match="got nothing"):
        gas.combination_differences({}, BAND)


def test_a_common_error_of_the_axis_is_carried_into_the_bond_length():
    scale = Quantity(value=0.0, u=1e-6, units="1", label="laser")
    place = BAND.lines()["wavenumber"].to_series()
    lines = {name: float(v) * (1.0 + scale) for name, v in place.items()}
    exact = {name: Quantity.from_components(q.value, q.components, units="cm-1") for name, q in lines.items()}
    length = gas.bond_length(gas.combination_differences(exact, BAND), BAND)
    share = {each.source.label: each.u for each in length.contributions}["laser"]
    assert share / length.value == pytest.approx(0.5e-6, rel=1e-5)  # r goes with the root of 1/B


def flat(**changes):
    given = {"value": 1.0, "units": "1", "axis": "wavenumber", "axis_units": "cm-1"} | changes
    signal = given["value"] + np.random.default_rng(1).normal(0.0, 1e-3, X.size)
    return xr.Dataset(
        {"signal": (CHANNEL, signal, {"units": given["units"]})},
        coords={given["axis"]: (CHANNEL, X, {"units": given["axis_units"]})},
    )


@pytest.mark.parametrize(
    ("spectrum", "message"),
    [
        (flat(), "which noise may do alone"),
        (flat(axis="binding_energy", axis_units="eV"), "a gas band needs the axis 'wavenumber'"),
        (flat(axis_units="nm"), "must be in cm-1, got units 'nm'"),
        (flat(value=98.0, units="%"), "Divide per cent by 100"),
        (flat(value=0.0), "Is this absorbance"),
        (flat().isel({CHANNEL: slice(0, 20)}), "needs 50 channels"),
    ],
)
def test_what_is_no_transmittance_of_the_gas_is_refused(spectrum, message):
    with pytest.raises(SpectrumError, match=message):
        gas.fit(spectrum, BAND, path=CELL, interferometer=FTIR)


def test_a_spectrum_without_a_line_of_the_band_is_refused():
    away = flat().assign_coords(wavenumber=(CHANNEL, X - 700.0, {"units": "cm-1"}))
    with pytest.raises(CalibrationError, match=r"no line of CO 1-0 lies in 1455 to 1474"):
        gas.fit(away, BAND, path=CELL, interferometer=FTIR)


def test_black_lines_are_refused():
    deep = gas.simulate(BAND, X, pressures=[900.0], interferometer=FTIR, seed=1, fraction=0.5, path=100.0)
    level = deep.assign(signal=deep["signal"].clip(min=1e-3))
    with pytest.raises(SpectrumError, match=r"wanted transmittance near 1|half of the lines let through less"):
        gas.fit(level, BAND, path=CELL, interferometer=FTIR)


def test_an_uneven_axis_is_refused(recorded):
    bent = recorded.assign_coords(wavenumber=(CHANNEL, X + 1e-5 * (X - X[0]) ** 2, {"units": "cm-1"}))
    with pytest.raises(SpectrumError, match="must rise evenly"):
        gas.fit(bent, BAND, path=CELL, interferometer=FTIR)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": Quantity(value=1.0, u=0.1, units="K")}, "path must be a Quantity of length"),
        ({"temperature": Quantity(value=22.0, u=0.1, units="degC")}, "temperature must be in K"),
    ],
)
def test_conditions_in_wrong_units_are_refused(recorded, change, message):
    with pytest.raises(CalibrationError, match=message):
        gas.fit(recorded, BAND, **{"path": CELL, "interferometer": FTIR} | change)


def test_nominal_pressures_must_be_above_zero(recorded):
    with pytest.raises(SpectrumError, match="coordinate pressure must be above 0"):
        gas.fit(recorded.assign_coords(pressure=("record", [-1.0, 2.0])), BAND, path=CELL, interferometer=FTIR)


@pytest.mark.parametrize("given", [{"path_difference": 0.0}, {"path_difference": 1.0, "apodisation": "hann"}])
def test_an_interferometer_is_checked(given):
    with pytest.raises(CalibrationError, match="must be"):
        gas.Interferometer(**given)


@pytest.mark.parametrize("change", [{"temperature": -1.0}, {"fraction": 1.2}, {"pressure": np.nan}])
def test_conditions_out_of_range_are_refused(change):
    with pytest.raises(CalibrationError, match=r"must be above 0 and fraction in \(0, 1\]"):
        gas.transmittance(X, BAND, path=10.0, **STATE | change)


def test_an_unknown_band_is_named_with_those_that_are_there():
    with pytest.raises(CalibrationError, match="no packaged band 'CO 2-0'; there are"):
        gas.band("CO 2-0")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ({}, "no lines given"),
        ({2: (656.28, "nm")}, r"must lie in \[3, 30\]"),
        ({4: (656.28, "nm")}, "stands near 486.3"),
        ({3: (6562.8, "nm")}, "stands near 656.5"),
    ],
)
def test_lines_that_are_none_of_balmer_are_refused(lines, message):
    given = {n: Quantity(value=value, u=0.001, units=units) for n, (value, units) in lines.items()}
    with pytest.raises(CalibrationError, match=message):
        gas.rydberg(given)
