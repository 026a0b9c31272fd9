"""Intensity response: a known instrument, closed forms, and Monte Carlo through the whole chain."""

import numpy as np
import pytest
import xarray as xr
from lmfit.models import GaussianModel

from analysis import calibration, peaks
from analysis.core import CalibrationError
from analysis.uncertainty import Source, sources

X = np.linspace(250.0, 3300.0, 60)
SHIFT = Source(id="shift", label="laser")


def srm(**how):
    return calibration.intensity_standard("SRM 2241", **({"expanded": 0.03, "certificate": "unit 7"} | how))


def true_response(x):
    return 1.0 - 2e-4 * (x - 1500.0) ** 2 / 1500.0


def spectrum(signal, u, x=X, **attrs):
    found = xr.Dataset(
        {"signal": ("channel", signal, {"units": "counts"}), "u_signal": ("channel", u, {"units": "counts"})},
        coords={"raman_shift": ("channel", x, {"units": "cm-1"})},
        attrs=attrs,
    )
    return sources.attach(found, "raman_shift", {SHIFT: np.full(x.size, 0.5)}, ("channel",))


def glass():
    light = 1e4 * srm().value(X) * true_response(X)
    return spectrum(light, np.sqrt(light), instrument="A")


def u_of(found, name="signal"):
    return np.sqrt(sum(part**2 for part in sources.detach(found, name).values()))


@pytest.mark.parametrize("name", ["SRM 2241", "SRM 2242a", "SRM 2244", "SRM 2245"])
def test_the_packaged_curves_are_relative_to_their_largest_value(name):
    # the certificates state intensities relative to the maximum of the luminescence
    curve = calibration.intensity_standard(name, expanded=0.02)
    assert curve.value(np.linspace(curve.low, curve.high, 4001)).max() == pytest.approx(1.0, abs=0.02)
    assert curve.relative_u(np.array([1000.0]))[0] == 0.01


def test_the_polynomial_is_that_of_the_certificate():
    # by hand at 1000 cm-1: 0.0971937 + 0.228325 - 0.0586762 + 0.216023 - 0.0977171 + 0.0115596
    assert srm().value(np.array([1000.0]))[0] == pytest.approx(0.396708, abs=1e-6)


def test_a_known_instrument_is_found_and_taken_out():
    found = calibration.response(glass(), srm())
    np.testing.assert_allclose(found.value, true_response(X) / true_response(X).max(), rtol=1e-12)
    sample = spectrum(500.0 * true_response(X), np.full(X.size, 4.0))
    corrected = calibration.apply_response(found, sample)
    np.testing.assert_allclose(corrected["signal"].values, 500.0 * true_response(X).max(), rtol=1e-12)
    np.testing.assert_allclose(corrected["u_signal"].values, 4.0 / found.value, rtol=1e-12)
    certified = next(s for s in sources.detach(corrected, "signal") if s.id == "intensity:SRM 2241:unit 7")
    part = sources.detach(corrected, "signal")[certified]
    np.testing.assert_allclose(part / corrected["signal"].values, 0.015, rtol=1e-12)
    assert certified.over == ()


def test_a_ratio_of_two_places_does_not_know_the_common_scale():
    found = calibration.apply_response(
        calibration.response(glass(), srm()), spectrum(500.0 * true_response(X), np.full(X.size, 4.0))
    )
    value, parts = found["signal"].values, sources.detach(found, "signal")
    common = next(part for source, part in parts.items() if source.id.startswith("intensity"))
    assert common[10] / value[10] - common[50] / value[50] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("degree", [None, 4])
def test_the_uncertainty_agrees_with_monte_carlo_through_the_chain(degree):
    rng, trials = np.random.default_rng(11), 3000
    sample = spectrum(300.0 * true_response(X), np.full(X.size, 3.0))
    calm = calibration.response(glass(), srm(), degree=degree)
    found = calibration.apply_response(calm, sample)
    total = np.hypot(u_of(found), found["u_signal"].values)
    curve, drawn = srm(), []
    shown = 1e4 * curve.value(X) * true_response(X)
    weights = curve.value(X) / np.sqrt(shown)
    for _ in range(trials):
        moved, scale = 0.5 * rng.standard_normal(), 1.0 + 0.015 * rng.standard_normal()
        light = shown + np.sqrt(shown) * rng.standard_normal(X.size)
        raw = light / (curve.value(X + moved) * scale)
        if degree is not None:
            raw = np.polynomial.Chebyshev.fit(X, raw, degree, w=weights)(X)
        drawn.append((sample["signal"].values + 3.0 * rng.standard_normal(X.size)) / raw)
    scale = found["signal"].values / np.mean(drawn, axis=0)
    np.testing.assert_allclose(np.std(drawn, axis=0) * scale, total, rtol=5 / np.sqrt(2 * trials) + 0.01)


def test_the_axis_that_standard_and_sample_share_cancels_in_the_response():
    # both on one axis: a shift of it moves only the certified curve under the standard
    found = calibration.response(glass(), srm())
    value, parts = found.evaluate(X, {SHIFT: np.full(X.size, 0.5)})
    np.testing.assert_allclose(parts[SHIFT], found.contributions[SHIFT], rtol=1e-12)
    _, alone = found.evaluate(X, {})
    assert not np.allclose(alone[SHIFT], found.contributions[SHIFT], rtol=1e-3)
    assert value == pytest.approx(found.value)


def test_a_lamp_gives_a_response_in_its_units():
    x = np.linspace(350.0, 1000.0, 27)
    irradiance = 1e-2 * np.exp(-((700.0 - x) ** 2) / 2e5)
    lamp = calibration.intensity_table(
        x, irradiance, 0.02, axis="wavelength", medium="air", units="W m-2 nm-1", name="FEL", certificate="no. 12"
    )
    at = np.linspace(400.0, 900.0, 41)
    measured = xr.Dataset(
        {"signal": ("channel", 3e5 * lamp.value(at), {"units": "counts"}), "u_signal": ("channel", np.ones(41))},
        coords={"wavelength": ("channel", at[::-1][::-1], {"units": "nm", "medium": "air"})},
    )
    found = calibration.response(measured, lamp)
    np.testing.assert_allclose(found.value, 3e5, rtol=1e-12)
    # a spline of the logarithm of a Gaussian is the Gaussian
    np.testing.assert_allclose(lamp.value(at), 1e-2 * np.exp(-((700.0 - at) ** 2) / 2e5), rtol=1e-12)
    corrected = calibration.apply_response(found, measured)
    np.testing.assert_allclose(corrected["signal"].values, lamp.value(at), rtol=1e-12)
    assert set(corrected["signal"].attrs["units"].split()) == {"W", "m-2", "nm-1"}


def test_a_map_shares_the_response():
    sample = spectrum(300.0 * true_response(X), np.full(X.size, 3.0))
    both = xr.concat([sample[["signal", "u_signal"]], 2 * sample[["signal", "u_signal"]]], dim="row")
    both = sources.attach(both, "raman_shift", {SHIFT: np.full(X.size, 0.5)}, ("channel",))
    found = calibration.apply_response(calibration.response(glass(), srm(), degree=4), both)
    single = calibration.apply_response(calibration.response(glass(), srm(), degree=4), sample)
    ours, theirs = sources.detach(found, "signal"), sources.detach(single, "signal")
    assert ours.keys() == theirs.keys()
    for source, part in ours.items():
        np.testing.assert_allclose(part, np.stack([theirs[source], 2 * theirs[source]]), rtol=1e-12, atol=1e-18)


def test_what_cannot_be_corrected_is_refused():
    found = calibration.response(glass(), srm())
    with pytest.raises(CalibrationError, match="certified from 200 to 3500"):
        calibration.response(spectrum(np.ones(3), np.ones(3), np.array([100.0, 500.0, 900.0])), srm())
    with pytest.raises(CalibrationError, match="known from raman_shift 250 to 3300"):
        calibration.apply_response(found, spectrum(np.ones(2), np.ones(2), np.array([240.0, 500.0])))
    with pytest.raises(CalibrationError, match="response is of instrument 'A'"):
        calibration.apply_response(found, spectrum(np.ones(60), np.ones(60), instrument="B"))
    with pytest.raises(CalibrationError, match="has no u_signal"):
        calibration.response(glass().drop_vars("u_signal"), srm())
    with pytest.raises(CalibrationError, match="must give light in every channel"):
        calibration.response(spectrum(np.linspace(-1, 5, 60), np.ones(60)), srm())
    with pytest.raises(CalibrationError, match="does not describe the response"):
        calibration.response(glass(), srm(), degree=0)
    with pytest.raises(CalibrationError, match=r"not packaged.*intensity_table"):
        calibration.intensity_standard("SRM 2246", expanded=0.02)
    with pytest.raises(CalibrationError, match="is 2 %"):
        srm(expanded=3.0)
    wave = glass().rename(raman_shift="wavelength", raman_shift_sources="wavelength_sources")
    with pytest.raises(CalibrationError, match="certified along raman_shift"):
        calibration.response(wave, srm(), axis="wavelength")


def test_the_area_of_a_fitted_band_agrees_with_monte_carlo_from_glass_to_area():
    rng, trials, curve = np.random.default_rng(6), 100, srm()
    model = GaussianModel(prefix="l_")
    params = model.make_params(l_center=1500.0, l_sigma=200.0, l_amplitude=2e5)
    band = 500.0 * np.exp(-0.5 * ((X - 1500.0) / 200.0) ** 2)
    shown, seen = 1e4 * curve.value(X) * true_response(X), band * true_response(X)
    drawn, size = [], true_response(X).max()

    def area(standard, sample):
        found = calibration.response(spectrum(standard, np.sqrt(shown)), curve, degree=3)
        corrected = calibration.apply_response(found, spectrum(sample, np.full(X.size, 3.0)))
        fit = peaks.fit(corrected, model, params, axis="raman_shift")
        return peaks.quantity(fit, "l_amplitude")

    told = area(shown, seen)
    for _ in range(trials):
        sample = seen + 3.0 * rng.standard_normal(X.size)
        light = shown + np.sqrt(shown) * rng.standard_normal(X.size)
        again = area(light, sample)
        drawn.append(again.value * (1 + 0.015 * rng.standard_normal()))
    assert np.std(drawn) == pytest.approx(told.u, rel=5 / np.sqrt(2 * trials))
    assert np.mean(drawn) == pytest.approx(500.0 * 200.0 * np.sqrt(2 * np.pi) * size, rel=0.01)
