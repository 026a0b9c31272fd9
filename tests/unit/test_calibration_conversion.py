"""Conversions of axes with their sources: closed forms, there and back, and Monte Carlo through the chain."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import constants

from analysis import io, replay
from analysis.calibration import AirConditions, convert_axis
from analysis.calibration.air_conditions import refractivity
from analysis.core import CalibrationError, UnitsError
from analysis.uncertainty import Quantity, Source, sources

KINDS = ["wavenumber", "frequency", "energy"]


def q(value, u, units):
    return Quantity(value=value, u=u, units=units)


def spectrum(wavelength=None, medium="air", units="nm"):
    x = np.linspace(400.0, 900.0, 11) if wavelength is None else np.asarray(wavelength)
    lamp = Source(id="lamp", label="lamp line")
    tilt = Source(id="tilt", label="tilt")
    found = xr.Dataset(
        {
            "signal": ("channel", np.linspace(10.0, 20.0, x.size), {"units": "counts"}),
            "u_signal": ("channel", np.full(x.size, 0.5), {"units": "counts"}),
        },
        coords={"wavelength": ("channel", x, {"units": units, "medium": medium})},
    )
    parts = {lamp: np.full(x.size, 2e-5 * x.mean()), tilt: 1e-5 * (x - x.mean())}
    return sources.attach(found, "wavelength", parts, ("channel",))


def weather():
    return AirConditions(
        temperature=q(22.0, 0.5, "degC"),
        pressure=q(98.0, 0.2, "kPa"),
        humidity=q(45.0, 5.0, "%"),
        co2=q(600.0, 100.0, "ppm"),
    )


def u_of(dataset, name):
    return np.sqrt(sum(part**2 for part in sources.detach(dataset, name).values()))


def test_vacuum_wavelengths_become_energies_by_the_constants_of_scipy():
    found = convert_axis(spectrum(medium="vacuum"), axis="wavelength", to="energy")
    wavelength = found["wavelength"].values
    expected = constants.h * constants.c / constants.e / (wavelength * 1e-9)
    np.testing.assert_allclose(found["energy"].values, expected, rtol=1e-13)
    np.testing.assert_allclose(u_of(found, "energy"), expected / wavelength * u_of(found, "wavelength"), rtol=1e-12)
    assert found["energy"].attrs["units"] == "eV"
    mev = convert_axis(found, axis="wavelength", to="energy", units="meV", name="in_meV")
    np.testing.assert_allclose(mev["in_meV"].values, 1e3 * expected, rtol=1e-13)
    thz = convert_axis(found, axis="energy", to="frequency")
    np.testing.assert_allclose(thz["frequency"].values, 1e-3 * constants.c / wavelength, rtol=1e-13)


def test_angstrom_and_micrometre_are_nanometres_in_other_units():
    found = convert_axis(spectrum(), axis="wavelength", to="wavelength", units="angstrom", name="fine")
    np.testing.assert_allclose(found["fine"].values, 10 * found["wavelength"].values, rtol=1e-14)
    np.testing.assert_allclose(u_of(found, "fine"), 10 * u_of(found, "wavelength"), rtol=1e-12)
    coarse = convert_axis(found, axis="fine", to="wavelength", units="um", name="coarse")
    np.testing.assert_allclose(coarse["coarse"].values, 1e-3 * found["wavelength"].values, rtol=1e-14)


@settings(max_examples=25, deadline=None)
@given(
    path=st.lists(st.sampled_from([*KINDS, "wavelength", "raman_shift"]), min_size=1, max_size=4),
    conditions=st.booleans(),
    medium=st.sampled_from(["air", "vacuum"]),
)
def test_there_and_back_gives_the_same_sources(path, conditions, medium):
    start = spectrum()
    how = {"air": weather()} if conditions else {}
    how |= {"laser": q(350.0, 0.01, "nm"), "laser_medium": "air"}
    found, at = start, "wavelength"
    for number, kind in enumerate([*path, "wavelength"]):
        last = number == len(path)
        given_medium = {"medium": "air" if last else medium} if kind == "wavelength" else {}
        found = convert_axis(found, axis=at, to=kind, name=f"step{number}", **given_medium, **how)
        at = f"step{number}"
    np.testing.assert_allclose(found[at].values, start["wavelength"].values, rtol=1e-12)
    ours, theirs = sources.detach(found, at), sources.detach(start, "wavelength")
    assert ours.keys() == theirs.keys()
    for source, part in theirs.items():
        np.testing.assert_allclose(ours[source], part, rtol=1e-8, atol=1e-14)


def test_air_to_vacuum_agrees_with_monte_carlo_over_axis_and_weather():
    rng, trials = np.random.default_rng(4), 20_000
    start, air = spectrum(np.array([450.0, 633.0, 880.0])), weather()
    # a line known to 1e-7, so that the air matters
    start = sources.attach(start, "wavelength", {Source(id="l", label="l"): np.full(3, 3e-5)}, ("channel",))
    found = convert_axis(start, axis="wavelength", to="wavelength", medium="vacuum", air=air, name="vacuum")
    line, t, p, h, c, eq = rng.standard_normal((6, trials))
    kelvin = 295.15 + 0.5 * t
    # Giacomo's saturation pressure, as in Ciddor 1996
    full = np.exp(1.2378847e-5 * kelvin**2 - 1.9121316e-2 * kelvin + 33.93711047 - 6343.1645 / kelvin)
    values = np.array([22.0 + 0.5 * t, 98e3 + 200 * p, (0.45 + 0.05 * h) * full, 600 + 100 * c])[:, None]
    moved = start["wavelength"].values[:, None] + 3e-5 * line
    u_equation = next(part[4] for source, part in air.modes().items() if source.id == "ciddor-1996")
    drawn = moved * (1.0 + refractivity(moved * 1.00027, values) + u_equation * eq)
    u = u_of(found, "vacuum")
    np.testing.assert_allclose(np.std(drawn, axis=1), u, rtol=5 / np.sqrt(2 * trials) + 0.01)
    both = np.cov(drawn)
    ours = np.array(list(sources.detach(found, "vacuum").values()))
    np.testing.assert_allclose(both / np.outer(u, u), (ours.T @ ours) / np.outer(u, u), atol=0.03)


def test_a_laser_shared_with_the_axis_cancels_where_it_should():
    # the scattered line is the laser itself: its shift is exactly 0
    laser = q(532.0, 0.01, "nm")
    start = spectrum(np.array([532.0, 540.0]), medium="vacuum")
    start = sources.attach(start, "wavelength", {s: np.full(2, c) for s, c in laser.parts().items()}, ("channel",))
    found = convert_axis(start, axis="wavelength", to="raman_shift", laser=laser)
    assert found["raman_shift"].values[0] == pytest.approx(0.0, abs=1e-9)
    assert u_of(found, "raman_shift")[0] == pytest.approx(0.0, abs=1e-9)
    # closed form: d(1e7/laser - 1e7/line) with both moved by the same length
    expected = 0.01 * 1e7 * abs(1 / 540.0**2 - 1 / 532.0**2)
    assert u_of(found, "raman_shift")[1] == pytest.approx(expected, rel=1e-9)


def test_a_density_is_converted_only_when_asked_and_keeps_its_area():
    start = spectrum(np.linspace(500.0, 520.0, 2001), medium="vacuum")
    start["signal"].attrs["units"] = "counts/nm"
    start["u_signal"].attrs["units"] = "counts/nm"
    plain = convert_axis(start, axis="wavelength", to="energy")
    np.testing.assert_array_equal(plain["signal"].values, start["signal"].values)
    dense = convert_axis(start, axis="wavelength", to="energy", density=True)
    area = np.trapezoid(start["signal"].values, start["wavelength"].values)
    assert -np.trapezoid(dense["signal"].values, dense["energy"].values) == pytest.approx(area, rel=1e-6)
    assert dense["signal"].attrs["units"] == "counts eV-1"
    assert dense["signal"].attrs["density_of"] == "energy"
    ratio = dense["u_signal"].values / dense["signal"].values
    np.testing.assert_allclose(ratio, start["u_signal"].values / start["signal"].values, rtol=1e-12)
    # the derivative is wavelength^2 / hc, so its relative u is twice that of the wavelength
    lamp = next(s for s in sources.detach(start, "wavelength") if s.id == "lamp")
    moved = 2 * sources.detach(start, "wavelength")[lamp] / start["wavelength"].values
    np.testing.assert_allclose(sources.detach(dense, "signal")[lamp] / dense["signal"].values, moved, rtol=1e-6)


def test_what_cannot_be_converted_is_refused_with_the_next_move():
    start = spectrum()
    with pytest.raises(CalibrationError, match="needs the laser"):
        convert_axis(start, axis="wavelength", to="raman_shift")
    with pytest.raises(CalibrationError, match="has 'wavelength' already"):
        convert_axis(start, axis="wavelength", to="wavelength", medium="vacuum")
    with pytest.raises(CalibrationError, match="Did you mean 'energy'"):
        convert_axis(start, axis="wavelength", to="enery")
    with pytest.raises(CalibrationError, match="medium='air' or medium='vacuum'"):
        convert_axis(convert_axis(start, axis="wavelength", to="energy"), axis="energy", to="wavelength", name="w")
    with pytest.raises(CalibrationError, match="from 230 to 1700 nm"):
        convert_axis(spectrum(np.array([200.0, 210.0])), axis="wavelength", to="energy")
    with pytest.raises(UnitsError):
        convert_axis(start, axis="wavelength", to="energy", units="nm")
    with pytest.raises(CalibrationError, match="in air or in vacuum"):
        convert_axis(spectrum(medium=""), axis="wavelength", to="energy")
    with pytest.raises(CalibrationError, match="pressure of the air must lie in"):
        AirConditions(pressure=q(1013.0, 1.0, "Pa"))
    with pytest.raises(CalibrationError, match="in percent has units"):
        AirConditions(humidity=q(45.0, 1.0, "1"))


def test_a_conversion_is_redone_from_its_history(tmp_path):
    start = spectrum()
    found = convert_axis(start, axis="wavelength", to="raman_shift", laser=q(350.0, 0.01, "nm"), air=weather())
    path = io.write({"raw": start, "shifted": found}, tmp_path / "shifted.nc")
    assert replay.replay(path).attrs["replay"].startswith("bit-identical")
