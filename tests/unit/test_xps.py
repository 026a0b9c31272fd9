"""Photoelectron spectra: doublets, scale, static backgrounds, areas over a window, fractions and their refusals."""

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel
from scipy.integrate import quad

from analysis import baseline, peaks, xps
from analysis.core import CalibrationError, ModelError, SpectrumError, UncertaintyError
from analysis.peaks.core_line import core_level
from analysis.peaks.models import CoreLevelModel, ShirleyModel, scattered
from analysis.uncertainty import Quantity

X = np.linspace(78.0, 98.0, 201)
TRUTH = {
    "a_amplitude": 900.0, "a_center": 84.0, "a_sigma": 0.4, "a_gamma": 0.3, "a_asymmetry": 0.05,
    "b_amplitude": 675.0, "b_center": 87.67, "b_sigma": 0.4, "b_gamma": 0.3, "b_asymmetry": 0.05, "s_scale": 0.04,
    "c_c": 50.0,
}  # fmt: skip
MODEL = scattered(CoreLevelModel(prefix="a_") + CoreLevelModel(prefix="b_"), ShirleyModel(prefix="s_")) + ConstantModel(
    prefix="c_"
)


def spectrum_of(signal, x=X, units="eV"):
    return xr.Dataset(
        {name: ("channel", y, {"units": "counts"}) for name, y in (("signal", signal), ("u_signal", np.sqrt(signal)))},
        {"energy": ("channel", x, {"units": units, "long_name": "binding energy"})},
    )  # fmt: skip


def params_of():
    return xps.doublet(MODEL.make_params(**TRUTH), "a_", "b_", splitting=3.67, ratio="f", vary_splitting=True)


@pytest.fixture(scope="module")
def fit():
    clean = MODEL.eval(x=X, **TRUTH)
    data = spectrum_of(np.random.default_rng(3).poisson(clean).astype(float))
    return peaks.fit(data, MODEL, params_of(), axis="energy")


def test_a_doublet_shares_what_its_lines_share(fit):
    value = dict(zip(fit["parameter"].values, fit["value"].values, strict=True))
    assert value["b_amplitude"] == pytest.approx(0.75 * value["a_amplitude"], rel=1e-12)
    assert value["b_center"] == pytest.approx(value["a_center"] + value["b_splitting"], rel=1e-12)
    assert (value["b_gamma"], value["b_asymmetry"]) == (value["a_gamma"], value["a_asymmetry"])
    splitting = peaks.quantity(fit, "b_splitting")
    assert abs(splitting.value - 3.67) < 3.5 * splitting.u
    wide = xps.doublet(MODEL.make_params(**TRUTH), "a_", "b_", splitting=3.67, ratio=0.7, same_width=False)
    assert wide["b_sigma"].expr is None
    assert wide["b_ratio"].value == 0.7


def test_the_integral_over_a_window_is_that_of_the_line_and_its_u_that_of_differences(fit):
    made = peaks.integral(fit, ["a_", "b_"], low=80.0, high=95.0)
    value = dict(zip(fit["parameter"].values, fit["value"].values, strict=True))
    free = [n for n, s in zip(fit["parameter"].values, fit["stderr"].values, strict=True) if s > 0]

    def area(values):
        own = [[values[p + r] for r in ("amplitude", "center", "sigma", "gamma", "asymmetry")] for p in ("a_", "b_")]
        return sum(quad(lambda x, q=q: core_level(x, *q), 80.0, 95.0, points=[q[1]], limit=200)[0] for q in own)

    np.testing.assert_allclose(made.value, area(value), rtol=1e-9)
    k = [list(fit["parameter"].values).index(n) for n in free]
    slopes = []
    for n in free:
        step = 1e-4 * max(abs(value[n]), 1e-3)
        slopes.append((area(value | {n: value[n] + step}) - area(value | {n: value[n] - step})) / (2 * step))
    covariance = fit["covariance"].values[np.ix_(k, k)]
    np.testing.assert_allclose(made.u, np.sqrt(slopes @ covariance @ slopes), rtol=1e-4)
    assert made.units in {"counts eV", "eV counts"}


def test_the_active_background_reports_a_larger_u_than_a_static_one_taken_as_true(fit):
    clean = MODEL.eval(x=X, **TRUTH)
    data = spectrum_of(np.random.default_rng(3).poisson(clean).astype(float))
    flat = baseline.subtract(data, xps.shirley(data, axis="energy"))
    lines = CoreLevelModel(prefix="a_") + CoreLevelModel(prefix="b_")
    start = lines.make_params(**{n: v for n, v in TRUTH.items() if n[0] in "ab"})
    static = peaks.fit(flat, lines, xps.doublet(start, "a_", "b_", splitting=3.67, ratio="f"), axis="energy")
    active, still = (peaks.integral(each, ["a_", "b_"], low=79.0, high=97.0) for each in (fit, static))
    assert active.u > 1.2 * still.u


def test_a_static_background_without_noise_repeats_the_active_one():
    narrow = TRUTH | {"a_gamma": 0.0, "b_gamma": 0.0, "a_asymmetry": 0.0, "b_asymmetry": 0.0, "c_c": 0.0}
    clean = MODEL.eval(x=X, **narrow)
    lines = sum(
        core_level(X, *[narrow[p + r] for r in ("amplitude", "center", "sigma", "gamma")]) for p in ("a_", "b_")
    )
    made = xps.shirley(spectrum_of(clean + 1e-9), axis="energy", tolerance=1e-12, max_iterations=200)
    np.testing.assert_allclose(made, clean - lines, atol=1e-6 * clean.max())
    turned = xps.shirley(spectrum_of(clean[::-1] + 1e-9, -X[::-1]), axis="energy", form="kinetic")
    np.testing.assert_allclose(turned, made[::-1], atol=1e-4)
    wide = np.linspace(70.0, 140.0, 701)
    loss = np.zeros((701, 701))
    for i in range(701):
        t = wide[i] - wide[:i]
        loss[i, :i] = 2000.0 * t / (1643.0 + t * t) ** 2 * 0.1
    pure = core_level(wide, 900.0, 84.0, 0.5)
    j = np.linalg.solve(np.eye(701) - loss, pure)
    found = xps.tougaard(spectrum_of(j + 5.0, wide), axis="energy", b=2000.0)
    np.testing.assert_allclose(found - 5.0, j - pure, atol=2e-2)
    fitted = xps.tougaard(spectrum_of(j + 5.0, wide), axis="energy")
    np.testing.assert_allclose(fitted[-1], found[-1], rtol=0.02)


def test_an_energy_scale_takes_its_error_off_with_all_its_sources():
    u = 0.005
    names = ("gold", "silver", "copper")
    true = dict(zip(names, (83.96, 368.21, 932.62), strict=True))
    measured = {n: Quantity(value=e * 1.0002 + 0.11, u=u, units="eV", label=n) for n, e in true.items()}
    scale = xps.energy_scale(**measured)
    corrected = scale.correct(Quantity(value=285.0 * 1.0002 + 0.11, u=0.0, units="eV"))
    assert corrected.value == pytest.approx(285.0, abs=1e-4)
    share = (285.0 - 83.96) / (932.62 - 83.96)
    each = np.hypot(u, 0.02 / np.sqrt(3))
    assert corrected.u == pytest.approx(each * np.hypot(1 - share, share), rel=1e-3)
    assert abs(scale.linearity.value) < 1e-9
    assert scale.correct(measured["gold"]).u == pytest.approx(0.02 / np.sqrt(3), rel=1e-2)
    assert not scale.is_within(0.2)
    assert "Ag 3d5/2" in str(scale)
    small = {n: Quantity(value=e + 0.01, u=u, units="eV") for n, e in true.items()}
    assert xps.energy_scale(**small).is_within(0.1)


def test_fractions_add_up_to_one_and_their_u_is_that_of_the_closed_form():
    areas = {
        "Au": Quantity(value=600.0, u=6.0, units="counts eV"),
        "Ag": Quantity(value=400.0, u=4.0, units="counts eV"),
    }
    factors = {"Au": Quantity(value=17.12, u=0.5, units="1"), "Ag": Quantity(value=18.04, u=0.4, units="1")}
    found = xps.quantify(areas, factors)
    a, b = 600.0 / 17.12, 400.0 / 18.04
    x = a / (a + b)
    assert found["Au"].value == pytest.approx(x)
    assert found["Au"].value + found["Ag"].value == pytest.approx(1.0)
    relative = np.sqrt(0.01**2 + 0.01**2 + (0.5 / 17.12) ** 2 + (0.4 / 18.04) ** 2)
    assert found["Au"].u == pytest.approx(x * (1 - x) * relative, rel=1e-9)
    total = found["Au"].to_quantity() + found["Ag"].to_quantity()
    assert total.u < 1e-12
    line = xps.choice_of_background({"Shirley": areas["Au"], "Tougaard": areas["Au"] * 1.05}, chosen="Shirley")
    assert (line.value, line.u) == (0.0, pytest.approx(30.0 / np.sqrt(3)))
    with_it = xps.quantify(areas | {"Au": areas["Au"] + line}, factors)
    assert with_it["Au"].u > found["Au"].u
    assert "choice of background" in str(with_it["Au"].table())


def test_what_is_no_photoelectron_spectrum_is_refused():
    data = spectrum_of(np.full(201, 50.0))
    with pytest.raises(SpectrumError, match=r"axis 'energy' is in 'cm-1'; a photoelectron .* Is this another"):
        xps.shirley(spectrum_of(np.full(201, 50.0), units="cm-1"), axis="energy")
    with pytest.raises(SpectrumError, match=r"does not rise behind the lines: 50 before and 50 behind"):
        xps.shirley(data, axis="energy")
    with pytest.raises(SpectrumError, match=r"too short for ends=5; wanted 11"):
        xps.shirley(data.isel(channel=slice(0, 6)), axis="energy")
    with pytest.raises(SpectrumError, match=r"form must be one of .*got 'kinetik'. Did you mean 'kinetic'"):
        xps.tougaard(data, axis="energy", form="kinetik")
    with pytest.raises(SpectrumError, match="1 are not"):
        xps.shirley(data.assign(signal=data["signal"].where(data["energy"] != X[3])), axis="energy")
    uneven = spectrum_of(np.linspace(50.0, 60.0, 201), X**1.2)
    with pytest.raises(SpectrumError, match=r"even steps, got .* Interpolate"):
        xps.tougaard(uneven, axis="energy")


def test_an_energy_scale_by_wrong_lines_or_beyond_them_is_refused():
    with pytest.raises(CalibrationError, match="Is it another line, a scale of kinetic energy, or a charged sample"):
        xps.energy_scale(gold=Quantity(value=91.0, u=0.1, units="eV"), copper=Quantity(value=932.6, u=0.1, units="eV"))
    with pytest.raises(CalibrationError, match=r"no reference line named 'Au 4f'; .* Did you mean 'Au 4f7/2'"):
        xps.reference_energy("Au 4f")
    with pytest.raises(CalibrationError, match=r"must lie in \[0, 1040\] eV, got 1300"):
        _scale().error(1300.0)


def test_fractions_without_two_areas_and_factors_are_refused():
    area = Quantity(value=1.0, u=0.1, units="counts eV")
    with pytest.raises(UncertaintyError, match="two elements at least"):
        xps.quantify({"Au": area}, {"Au": area})
    with pytest.raises(UncertaintyError, match=r"no sensitivity factor for \['Ag'\]"):
        xps.quantify({"Au": area, "Ag": area}, {"Au": area})
    with pytest.raises(UncertaintyError, match=r"area of Ag must be > 0, got -1 counts eV. Is the line there"):
        xps.quantify({"Au": area, "Ag": area * -1.0}, {"Au": area, "Ag": area})
    with pytest.raises(UncertaintyError, match="and another background"):
        xps.choice_of_background({"Shirley": area}, chosen="Shirley")


def test_lines_that_are_not_there_and_counts_below_zero_are_refused(fit):
    with pytest.raises(ModelError, match=r"ratio must be a number or one of .* An s level has no doublet"):
        xps.doublet(MODEL.make_params(), "a_", "b_", splitting=1.0, ratio="s")
    with pytest.raises(ModelError, match="no line with the prefix 'x_'"):
        xps.doublet(MODEL.make_params(), "a_", "x_", splitting=1.0, ratio="p")
    with pytest.raises(ModelError, match="ratio must be > 0"):
        xps.doublet(MODEL.make_params(), "a_", "b_", splitting=1.0, ratio=-1.0)
    with pytest.raises(ModelError, match="no line has the prefix 'q_'"):
        peaks.integral(fit, "q_", low=80.0, high=90.0)
    with pytest.raises(ModelError, match="low < high"):
        peaks.integral(fit, "a_", low=90.0, high=80.0)
    negative = spectrum_of(np.full(201, 50.0)).drop_vars("u_signal")
    negative["signal"][7] = -3.0
    with pytest.raises(SpectrumError, match=r"needs raw counts, whole numbers >= 0; got 1 other"):
        peaks.fit(negative, MODEL, params_of(), axis="energy", loss="poisson")


def _scale():
    return xps.energy_scale(
        gold=Quantity(value=84.0, u=0.01, units="eV"), copper=Quantity(value=932.7, u=0.01, units="eV")
    )


def test_simulated_counts_scatter_about_the_truth_beside_them_on_a_scale_that_is_off():
    made = xps.simulate(MODEL, TRUTH, energy=X, seed=5, offset=0.1, gain=1e-3)
    pull = (made["signal"] - made["true_signal"]) / np.sqrt(made["true_signal"])
    assert abs(float(pull.std()) - 1.0) < 0.2
    np.testing.assert_allclose(made["binding_energy"], X * 1.001 + 0.1)
    assert (made.attrs["seed"], made.attrs["true_a_center"]) == (5, 84.0)
    with pytest.raises(ModelError, match=r"must be >= 0, got a least one of -"):
        xps.simulate(MODEL, TRUTH | {"c_c": -500.0}, energy=X, seed=5)
