"""Quantum sensing: the field against eigenvalues, fits against simulated truth, sensitivity against a closed form."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analysis import baseline, io, quantum
from analysis.core import ModelError, SpectrumError, UncertaintyError
from analysis.replay import replay
from analysis.uncertainty import Quantity

D = 2870.3
OWN = Quantity(value=D, u=0.01, units="MHz", label="D")
FREQUENCY = np.arange(2780.0, 2960.0, 0.3)


def megahertz(value, u=0.001):
    return Quantity(value=value, u=u, units="MHz")


def spectra(count, field, angle, isotope="14N", seed=1):
    rng = np.random.default_rng(seed)
    spread, split = {"14N": ((-1, 0, 1), 2.16), "15N": ((-0.5, 0.5), 3.03)}[isotope]
    centres = quantum.resonances(field, angle, zero_field=D)
    dips = sum(0.4**2 / ((FREQUENCY - c - k * split) ** 2 + 0.4**2) for c in centres for k in spread)
    noise = 3e-4
    signal = 1.0 - 0.012 * dips + rng.normal(0, noise, (count, FREQUENCY.size))
    dims = ("pixel_row", "channel")
    return xr.Dataset(
        {"signal": (dims, signal, {"units": "V"}), "u_signal": (dims, np.full_like(signal, noise), {"units": "V"})},
        coords={"frequency": ("channel", FREQUENCY, {"units": "MHz"})},
    )


@given(st.floats(0.3, 30.0), st.floats(0.05, 1.2))
def test_the_field_is_that_of_the_hamiltonian_at_any_angle(magnitude, angle):
    """Route: eigenvalues of the 3 x 3 Hamiltonian by LAPACK; the code under test solves the secular equation."""
    spin_z = np.diag([1.0, 0.0, -1.0])
    spin_x = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / math.sqrt(2.0)
    ratio = quantum.gyromagnetic_ratio().value
    levels = np.linalg.eigvalsh(
        D * spin_z @ spin_z + ratio * magnitude * (math.cos(angle) * spin_z + math.sin(angle) * spin_x)
    )
    lower, upper = levels[1] - levels[0], levels[2] - levels[0]
    assert quantum.resonances(magnitude, angle, zero_field=D) == pytest.approx((lower, upper), rel=1e-12)
    found = quantum.field(megahertz(lower), megahertz(upper), zero_field=OWN)
    assert found.magnitude.value == pytest.approx(magnitude, rel=1e-4)
    assert found.axial.value == pytest.approx(magnitude * math.cos(angle), rel=1e-4)


def test_the_budget_of_the_field_is_that_of_finite_differences():
    lower, upper = quantum.resonances(2.0, 0.5, zero_field=D)
    given_ = {"lower": megahertz(lower, 0.002), "upper": megahertz(upper, 0.003)}
    ratio = quantum.gyromagnetic_ratio()

    def magnitude(lower, upper, zero, ratio):
        return math.sqrt((lower**2 + upper**2 - lower * upper - zero**2) / 3.0) / ratio

    at = {"lower": lower, "upper": upper, "zero": D, "ratio": ratio.value}
    u = {"lower": 0.002, "upper": 0.003, "zero": 0.01, "ratio": ratio.u}
    parts = [
        (magnitude(**(at | {k: at[k] + 0.1 * u[k]})) - magnitude(**(at | {k: at[k] - 0.1 * u[k]}))) / 0.2 for k in at
    ]
    found = quantum.field(given_["lower"], given_["upper"], zero_field=OWN)
    assert found.magnitude.u == pytest.approx(math.hypot(*parts), rel=1e-4)


def test_the_ratio_is_g_times_the_bohr_magneton():
    """Sources: g = 2.0028(3), Loubser and van Wyk 1978; e/(4 pi m_e) in Hz/T from CODATA via scipy.constants."""
    constants = pytest.importorskip("scipy.constants")
    ratio = quantum.gyromagnetic_ratio()
    expected = 2.0028 * constants.physical_constants["Bohr magneton in Hz/T"][0] * 1e-9
    assert ratio.value == pytest.approx(expected, rel=1e-9)
    assert ratio.u / ratio.value == pytest.approx(0.0003 / 2.0028, rel=1e-12)


@pytest.mark.parametrize("isotope", ["14N", "15N"])
def test_resonances_and_splitting_are_found_with_intervals_that_hold(isotope):
    """60 spectra of known truth; 95 % of 3 x 60 results, binomial bound of 4 standard deviations."""
    given_ = spectra(60, 2.0, 0.5, isotope)
    fit = quantum.fit_odmr(given_, isotope=isotope)
    assert (fit["status"] == 0).all()
    lower, upper = quantum.resonances(2.0, 0.5, zero_field=D)
    truth = {"lower_center": lower, "upper_center": upper, "hyperfine": {"14N": 2.16, "15N": 3.03}[isotope]}
    held = []
    for name, true in truth.items():
        z = (fit["value"].sel(parameter=name) - true) / fit["stderr"].sel(parameter=name)
        held += list(np.abs(z.values) < 1.96)
    assert np.mean(held) > 0.95 - 4 * math.sqrt(0.05 * 0.95 / len(held))
    assert str(quantum.quantity(fit, "lower_center", at={"pixel_row": 0})).count("MHz") == 1


def test_a_frequency_axis_in_gigahertz_gives_the_same_field():
    plain = spectra(1, 1.5, 0.2).isel(pixel_row=0)
    other = plain.assign_coords(frequency=("channel", FREQUENCY * 1e-3, {"units": "GHz"}))
    fits = [quantum.fit_odmr(each) for each in (plain, other)]
    fields = [
        quantum.axial_field(*(quantum.quantity(fit, f"{side}_center") for side in ("lower", "upper"))) for fit in fits
    ]
    assert fields[1].value == pytest.approx(fields[0].value, rel=1e-6)
    assert fields[1].u == pytest.approx(fields[0].u, rel=1e-3)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_rabi_oscillations_are_found_from_nothing(power):
    rng = np.random.default_rng(3)
    time = np.linspace(0.0, 3.0, 150)
    truth = {"frequency": rng.uniform(0.8, 20.0, 60), "decay": rng.uniform(0.8, 2.5, 60)}
    shape = np.exp(-((time / truth["decay"][:, None]) ** power))
    signal = 1 + 0.2 * np.cos(2 * np.pi * truth["frequency"][:, None] * time) * shape
    given_ = xr.Dataset(
        {"signal": (("row", "channel"), signal + rng.normal(0, 0.02, signal.shape))},
        coords={"time": ("channel", time, {"units": "us"})},
    )
    fit = quantum.fit_rabi(given_, power=power)
    held = [
        np.abs(fit["value"].sel(parameter=name) - true) < 1.98 * fit["stderr"].sel(parameter=name)
        for name, true in truth.items()
    ]
    assert np.mean(held) > 0.95 - 4 * math.sqrt(0.05 * 0.95 / 120)
    assert quantum.quantity(fit, "frequency", at={"row": 0}).units in {"us-1", "µs-1"}


@pytest.mark.parametrize(("isotope", "lines"), [("14N", 3), ("15N", 2), (None, 1)])
def test_ramsey_fringes_beat_as_their_hyperfine_lines_do(isotope, lines):
    """Route: the sum over nuclear projections written out, not the product form of the code."""
    rng = np.random.default_rng(5)
    time = np.linspace(0.0, 3.0, 200)
    split = {3: 2.16, 2: 3.03, 1: 0.0}[lines]
    spread = {3: (-1, 0, 1), 2: (-0.5, 0.5), 1: (0,)}[lines]
    envelope = np.exp(-((time / 1.2) ** 2))
    signal = 1 + 0.1 * envelope * np.mean([np.cos(2 * np.pi * (4.1 + k * split) * time) for k in spread], axis=0)
    given_ = xr.Dataset(
        {"signal": ("channel", signal + rng.normal(0, 0.004, time.size))},
        coords={"time": ("channel", time, {"units": "us"})},
    )
    fit = quantum.fit_ramsey(given_, isotope=isotope)
    truth = {"detuning": 4.1, "decay": 1.2} | ({"splitting": split} if lines > 1 else {})
    for name, true in truth.items():
        found = quantum.quantity(fit, name)
        assert abs(found.value - true) < 4 * found.u


def test_white_noise_has_the_sensitivity_of_its_standard_deviation_over_the_root_of_the_rate():
    rng = np.random.default_rng(7)
    z = []
    for _ in range(40):
        record = xr.DataArray(rng.normal(0, 3.0, 4000), dims="reading", attrs={"units": "nT"})
        found = quantum.sensitivity(record, rate=100.0)
        z.append((found.density.value - 0.3) / found.density.u)
    assert found.density.units == "nT s0.5"
    assert np.mean(np.abs(z) < 1.96) > 0.8
    assert abs(np.mean(z)) < 4 / math.sqrt(40)


def test_the_limit_of_counting_is_that_of_dreau():
    """Hand calculation: 4/(3 sqrt 3) * 1 MHz / (28.0317 MHz/mT * 0.02 * sqrt(1e6)) = 1.3731e-3 mT."""
    limit = quantum.shot_noise_limit(
        megahertz(1.0, 0.01), Quantity(value=0.02, u=0.001, units="1"), Quantity(value=1e6, u=1e3, units="s-1")
    )
    assert limit.value == pytest.approx(0.7698003589 / (28.0317 * 20.0), rel=1e-4)
    assert limit.u / limit.value == pytest.approx(math.hypot(0.01, 0.05, 0.0005, 0.00015), rel=1e-3)


def test_frequencies_that_no_field_gives_are_refused():
    with pytest.raises(UncertaintyError, match="no field"):
        quantum.field(megahertz(2820.0), megahertz(2919.0), zero_field=OWN)
    with pytest.raises(UncertaintyError, match="Exchange"):
        quantum.field(megahertz(2900.0), megahertz(2800.0))


def test_bad_input_is_refused_with_what_to_do():
    given_ = spectra(1, 2.0, 0.2).isel(pixel_row=0)
    with pytest.raises(SpectrumError, match="Measure both"):
        quantum.fit_odmr(given_.isel(channel=FREQUENCY < 2850))
    with pytest.raises(SpectrumError, match="isotope"):
        quantum.fit_odmr(given_, isotope="13C")
    with pytest.raises(ModelError, match="isotope"):
        quantum.fit_ramsey(given_, axis="frequency", isotope="13C")
    with pytest.raises(SpectrumError, match="12 samples"):
        quantum.fit_rabi(given_.isel(channel=slice(0, 5)), axis="frequency")
    with pytest.raises(ModelError, match="no parameter"):
        quantum.quantity(quantum.fit_odmr(given_), "lower_centre")
    with pytest.raises(UncertaintyError, match="contrast"):
        quantum.shot_noise_limit(
            megahertz(1.0), Quantity(value=-0.02, u=0.001, units="1"), Quantity(value=1e6, u=1e3, units="s-1")
        )


def test_a_record_that_only_drifts_has_no_sensitivity():
    record = xr.DataArray(np.cumsum(np.random.default_rng(1).normal(size=4000)), dims="n", attrs={"units": "nT"})
    with pytest.raises(UncertaintyError, match="white"):
        quantum.sensitivity(record, rate=10.0)


def test_the_chain_from_the_file_to_the_field_is_redone_bit_by_bit(tmp_path):
    path = io.write(spectra(2, 2.0, 0.5), tmp_path / "diamond.nc")
    read = io.read(path)
    curves = baseline.ensemble(read, axis="frequency", regions=[(2805.0, 2840.0), (2900.0, 2940.0)])
    flat = baseline.subtract(read, curves)
    fit = quantum.fit_odmr(flat)
    again = replay(fit, folder=tmp_path)
    assert again.attrs["replay"].startswith("bit-identical")
    center = quantum.quantity(fit, "lower_center", at={"pixel_row": 1})
    redone = replay(center, folder=tmp_path)
    assert float(redone["value"]) == center.value
    assert redone["value"].attrs["units"] == "MHz"
