"""Powder diffraction: metric and extinctions, what a fit finds again, what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import diffraction, peaks
from analysis.core import CalibrationError, SpectrumError
from analysis.diffraction.phase import FREE, inverse_square
from analysis.uncertainty import Quantity, Source, sources
from tests.diffraction import LINES, RADIUS, SILICON, counted, fitted

DISPLACED = diffraction.Diffractometer(displacement=0.06)


@pytest.fixture(scope="module")
def pattern():
    return counted(DISPLACED, seed=7)


@pytest.fixture(scope="module")
def lattice_fit(pattern):
    return fitted(pattern)


@pytest.fixture(scope="module")
def single(pattern):
    return fitted(pattern, positions="free", widths="free")


def phase_of(system, centring="P", **cell):
    units = {"beta": "degree"}
    return diffraction.Phase(
        name="made", system=system, centring=centring,
        cell={n: Quantity(value=v, u=0.0, units=units.get(n, "nm")) for n, v in cell.items() if n in FREE[system]},
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    system=st.sampled_from(sorted(FREE)),
    cell=st.tuples(*[st.floats(0.3, 1.2)] * 3, st.floats(91, 115)),
    hkl=st.tuples(*[st.integers(-4, 4)] * 3).filter(any),
)
def test_spacings_are_those_of_the_reciprocal_metric(system, cell, hkl):
    a, b, c, beta = cell
    lengths = {
        "cubic": (a, a, a, 90, 90), "tetragonal": (a, a, c, 90, 90), "hexagonal": (a, a, c, 90, 120),
        "orthorhombic": (a, b, c, 90, 90), "monoclinic": (a, b, c, beta, 90),
    }[system]  # fmt: skip
    p, q, r, by, gm = (*lengths[:3], *np.radians(lengths[3:]))
    metric = np.array(
        [
            [p * p, p * q * np.cos(gm), p * r * np.cos(by)],
            [p * q * np.cos(gm), q * q, 0],
            [p * r * np.cos(by), 0, r * r],
        ]
    )
    expected = np.array(hkl) @ np.linalg.inv(metric) @ np.array(hkl)
    text = inverse_square(system, hkl)
    values = {"a": a, "b": b, "c": c, "beta": beta, "cos": math.cos, "sin": math.sin}
    np.testing.assert_allclose(eval(text, {}, values), expected, rtol=1e-12)
    if expected < 1 / 0.12**2:
        found = diffraction.reflections(phase_of(system, a=a, b=b, c=c, beta=beta), LINES, 1.0, 100.0)["d"].values
        assert np.abs(found / expected**-0.5 - 1).min() < 1e-9


@pytest.mark.parametrize(
    ("centring", "first"),
    [
        ("P", "100 110 111"),
        ("I", "110 200 211"),
        ("F", "111 200 220"),
        ("diamond", "111 220 311"),
        ("C", "001 110 111"),
    ],
)
def test_centrings_extinguish_reflections(centring, first):
    names = diffraction.reflections(phase_of("cubic", centring, a=0.5), LINES, 5.0, 80.0)["reflection"].values
    assert names[:3].tolist() == first.split()


def test_a_reflection_is_named_by_indices_without_a_sign_if_it_has_such():
    names = diffraction.reflections(phase_of("hexagonal", a=0.93717, c=0.68859), LINES, 10, 90)["reflection"].values
    assert "510" in names
    assert not [name for name in names if "m" in name]


def test_multiplicities_of_silicon_add_up_to_all_triples():
    found = diffraction.reflections(SILICON, LINES, 25, 140)
    assert found["multiplicity"].values.tolist() == [8, 12, 24, 6, 24, 24, 32, 12, 48, 24, 24]


def test_a_spacing_carries_the_sources_of_angle_and_wavelength():
    at = Quantity(value=28.4412, u=0.002, units="degree", label="2θ")
    found = diffraction.spacing(at, LINES.wavelength)
    step = 1e-4
    slope = (diffraction.spacing(28.4412 + step, 0.15405929) - diffraction.spacing(28.4412 - step, 0.15405929)) / (
        2 * step
    )
    by_wavelength = found.value * LINES.wavelength.u / LINES.wavelength.value
    np.testing.assert_allclose(found.u, math.hypot(slope * 0.002, by_wavelength), rtol=1e-6)
    np.testing.assert_allclose(diffraction.angle(found.value, 0.15405929), 28.4412, rtol=1e-12)


def test_the_four_lorentzians_peak_at_the_wavelength_of_their_radiation():
    x = np.linspace(0.15403, 0.15409, 60_001)
    shape = sum(each.weight * each.fwhm / ((x - each.wavelength) ** 2 + each.fwhm**2 / 4) for each in LINES.lines)
    np.testing.assert_allclose(x[np.argmax(shape)], LINES.wavelength.value, rtol=5e-8)


def test_a_displaced_sample_is_told_from_strain(lattice_fit):
    fit, made = lattice_fit
    assert made.absent == ()
    for name, truth in (("a", 0.5431144), ("displacement", 0.06), ("sl", 0.03), ("lorentz_x", 0.01)):
        found = peaks.quantity(fit, name)
        assert abs(found.value - truth) < 4 * found.u, name
    assert 0.8 < float(fit["redchi"]) < 1.2


def test_the_model_is_plain_lmfit_and_gives_the_same_curve(pattern, lattice_fit):
    fit, made = lattice_fit
    params = made.params.copy()
    for name, value in zip(fit["parameter"].values, fit["value"].values, strict=True):
        if not params[str(name)].expr:
            params[str(name)].set(value=float(value))
    params.update_constraints()
    curve = made.model.eval(params, x=pattern["two_theta"].values)
    np.testing.assert_allclose(peaks.evaluate(fit).values, curve, rtol=1e-10)


def test_the_budget_names_wavelength_temperature_and_model(lattice_fit):
    warm = Quantity(value=25.0, u=0.5, units="degC", label="thermometer")
    shape = Quantity(value=0.0, u=2e-6, units="1", label="shape of the lines")
    found = diffraction.lattice_parameter(lattice_fit[0], SILICON, LINES, temperature=warm, model=shape)
    plain = diffraction.lattice_parameter(lattice_fit[0], SILICON, LINES)
    np.testing.assert_allclose(found.value / plain.value, 1 - 2.53e-6 * 2.5, rtol=1e-9)
    labels = {each.label: abs(c) for each, c in found.to_quantity().components.items()}
    assert {"wavelength of Cu Kα1", "thermometer", "expansion of silicon", "shape of the lines"} <= set(labels)
    np.testing.assert_allclose(labels["thermometer"], 0.5431144 * 2.53e-6 * 0.5, rtol=1e-4)


def test_lines_extrapolate_to_the_lattice_parameter(single):
    fit, made = single
    curve = diffraction.extrapolate(fit, made.reflections, SILICON, LINES, function="displacement")
    intercept, slope = curve.parameters
    assert abs(intercept.value - 0.5431144) < 4 * intercept.u
    np.testing.assert_allclose(slope.value, 0.5431144 * 0.06 / RADIUS, atol=4 * slope.u)
    rough = diffraction.extrapolate(fit, made.reflections, SILICON, LINES)
    assert abs(rough.parameters[0].value / 0.5431144 - 1) < 2e-5


def test_the_gaussian_widths_follow_caglioti(single):
    fit, made = single
    w, v, u = diffraction.caglioti(fit, made.reflections).parameters
    for found, truth in ((w, 2.5e-3), (v, -2e-4), (u, 2e-4)):
        assert abs(found.value - truth) < 4 * found.u


def test_size_and_strain_come_out_of_the_widths(lattice_fit):
    size, strain = 0.25, 0.12
    small = counted(replace(DISPLACED, size=0.01 + size, strain=strain), seed=8, half_width=2.5)
    fit, made = fitted(small, positions="free", widths="free", window=2.0)
    found = diffraction.williamson_hall(fit, made.reflections, LINES, instrument=lattice_fit[0])
    truth = LINES.wavelength.value / (0.5 * math.pi * math.radians(size))
    assert abs(found.size.value - truth) < 4 * found.size.u
    assert abs(found.strain.value - 0.5 * math.pi * math.radians(strain) / 4) < 4 * found.strain.u
    assert found.notes == ()


def test_large_crystals_have_no_size_and_that_is_said(single):
    fit, made = single
    bare = fit.copy(deep=True)
    found = diffraction.williamson_hall(bare, made.reflections, LINES)
    assert (found.size is None) == bool(found.notes)


def spoilt(pattern, values=None, *, units="degree", name="two_theta", **attrs):
    y = pattern["signal"].values.copy() if values is None else values(pattern["signal"].values.copy())
    return xr.Dataset(
        {"signal": ("channel", y, {"units": "counts"})},
        coords={name: ("channel", pattern["two_theta"].values, {"units": units})},
        attrs=attrs,
    )


def flat_top(y):
    return np.minimum(y, 2000.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "raman_shift", "units": "cm-1"}, r"needs the axis 'two_theta'.*has \['raman_shift'\]"),
        ({"units": "radian"}, "must be in degrees, got units 'radian'"),
        ({"values": lambda y: y - 100}, "counts cannot be negative, got -"),
        ({"values": lambda y: y / 3.7}, "wanted raw counts, which are whole numbers, got"),
        ({"values": lambda y: 0 * y}, "the pattern is empty"),
        ({"values": flat_top}, "neighbouring channels stand at the greatest count 2000: the detector was saturated"),
        ({"dead_time_s": 1e-4, "exposure_s": 1.0}, "the detector was dead for .* of the time"),
        ({"values": lambda y: np.full(y.size, 40.0) + np.arange(y.size) % 3}, "none of the .* lines of SRM 640f"),
    ],
)
def test_what_is_no_pattern_of_counts_is_refused(pattern, change, message):
    with pytest.raises(SpectrumError, match=message):
        diffraction.pattern_model(spoilt(pattern, **change), SILICON, LINES, radius=RADIUS)


def test_settings_that_make_no_sense_are_refused(pattern, single, lattice_fit):
    with pytest.raises(CalibrationError, match=r"has no 'a'.*positions='lattice'"):
        diffraction.lattice_parameter(single[0], SILICON, LINES)
    with pytest.raises(CalibrationError, match="radius of the diffractometer must be above 0 mm, got 0"):
        diffraction.pattern_model(pattern, SILICON, LINES, radius=0)
    with pytest.raises(CalibrationError, match="SRM 640f has no reflection between 5 and 20 degrees"):
        diffraction.reflections(SILICON, LINES, 5, 20)
    with pytest.raises(CalibrationError, match="Did you mean 'Cu Ka'"):
        diffraction.radiation("Cu K")
    with pytest.raises(CalibrationError, match="a cubic cell has the parameters"):
        diffraction.Phase(name="x", system="cubic", centring="P", cell={"c": SILICON.cell["a"]})
    with pytest.raises(CalibrationError, match="must be above 0 nm"):
        phase_of("cubic", a=-0.5)
    with pytest.raises(SpectrumError, match="nothing is diffracted"):
        diffraction.angle(0.05, 0.154)
    with pytest.raises(CalibrationError, match="3 lines at least"):
        diffraction.extrapolate(single[0], single[1].reflections.isel(reflection=[0, 1]), SILICON, LINES)
    with pytest.raises(CalibrationError, match="no coefficient of expansion"):
        diffraction.lattice_parameter(
            lattice_fit[0], replace(SILICON, expansion=None), LINES, temperature=Quantity(value=1, u=1, units="degC")
        )


def test_lines_that_are_not_there_are_named(pattern):
    keep = pattern["two_theta"].values < 60
    cut = pattern.assign(signal=("channel", np.where(keep, pattern["signal"].values, 40.0), {"units": "counts"}))
    made = diffraction.pattern_model(cut, SILICON, LINES, radius=RADIUS)
    assert made.absent == ("400", "331", "422", "511", "440", "531")
    assert made.reflections["reflection"].values.tolist() == ["111", "220", "311"]


def test_the_second_line_of_the_tube_is_no_background_of_the_first():
    # At 137 degrees the lines of copper stand 0.7 degrees apart: a strong reflection was once called absent.
    narrow = counted(seed=3, two_theta=(130.0, 140.0, 0.02), half_width=0.8)
    made = diffraction.pattern_model(narrow, SILICON, LINES, radius=RADIUS)
    assert made.absent == ()
    with pytest.raises(SpectrumError, match=r"no channels lie beside the line at 136.* give a smaller window"):
        diffraction.pattern_model(narrow, SILICON, LINES, radius=RADIUS, window=1.2)


def test_equal_seeds_give_equal_counts_and_the_truth_is_kept():
    one, other, third = (diffraction.simulate(SILICON, LINES, seed=s, two_theta=(27.0, 30.0, 0.02)) for s in (1, 1, 2))
    xr.testing.assert_identical(one, other)
    assert not np.array_equal(one["signal"], third["signal"])
    assert one.attrs["truth_a"] == 0.5431144
    assert one.attrs["truth_displacement"] == 0.0


def test_an_error_of_the_circle_reaches_the_lattice_parameter(pattern):
    # Bragg: a common error of all angles changes a line's parameter by -a cot θ; a fit of all lines with a free
    # displacement is compared with one whose angles are moved.
    circle = Source(id="circle", label="zero of the circle", units="degree")
    known = sources.attach(pattern, "two_theta", {circle: np.full(pattern.sizes["channel"], 0.002)}, ("channel",))
    fit, made = fitted(known)
    found = diffraction.lattice_parameter(fit, SILICON, LINES).to_quantity().components[circle]
    moved = pattern.assign_coords(two_theta=pattern["two_theta"] + 0.002)
    moved["two_theta"].attrs["units"] = "degree"
    again = peaks.fit(moved, made.model, made.params, axis="two_theta", loss="poisson")
    difference = float(again["value"].sel(parameter="a") - fit["value"].sel(parameter="a"))
    np.testing.assert_allclose(found, difference, rtol=0.02)
