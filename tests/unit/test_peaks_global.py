"""Global fits: against stacked problems of scipy and lmfit, names, ties, sources, and what is refused."""

import json

import lmfit
import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel, LinearModel, LorentzianModel
from scipy.optimize import least_squares

from analysis import peaks
from analysis.core import ModelError, SpectrumError
from analysis.peaks import ParameterStatus, Status
from analysis.peaks.global_fit import global_again
from analysis.uncertainty import Source, sources

MODEL = GaussianModel(prefix="p_") + LinearModel(prefix="b_")
OTHER = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
SHARED = ["p_sigma"]
TRUE = {"one": (500, 103.0, 1.2, 20.0, 0.3), "two": (300, 105.5, 1.2, 5.0, 0.0), "three": (800, 104.0, 1.2, 9.0, -0.1)}


def spectrum(y, x, u=None):
    dims = ("row", "col", "channel")[-np.ndim(y) :]
    made = xr.Dataset({"signal": (dims, y, {"units": "counts"})}, coords={"energy": ("channel", x, {"units": "keV"})})
    return made if u is None else made.assign(u_signal=(dims, np.broadcast_to(u, y.shape), {"units": "counts"}))


def curve(x, amplitude, center, sigma, intercept, slope):
    return amplitude / (sigma * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((x - center) / sigma) ** 2) + intercept + slope * x


def measured(*, weighted=False, seed=0):
    rng = np.random.default_rng(seed)
    data = {}
    for k, (name, true) in enumerate(TRUE.items()):
        x = np.linspace(100.0, 110.0, 50 + 15 * k)
        y = curve(x, *true)
        u = 1.0 + 0.5 * np.cos(x) ** 2
        data[name] = (spectrum(y + rng.normal(0, u), x, u if weighted else None), OTHER if name == "two" else MODEL)
    return data


def params():
    made = MODEL.make_params(p_amplitude=400, p_center=104, p_sigma=1.0, b_intercept=0, b_slope=0)
    made.add("b_c", value=0.0)
    return made


def start_of(data):
    """Leave out what no model takes."""
    made = params()
    taken = {name for pair in data.values() if isinstance(pair, tuple) for name in pair[1].param_names}
    if "b_c" not in taken:
        del made["b_c"]
    return made


def fitted(data=None, given=None, **settings):
    data = measured() if data is None else data
    given = start_of(data) if given is None else given
    return peaks.fit_global(data, given, **{"axis": "energy", "shared": SHARED, **settings})


def stacked(data):
    """Solve the same problem as one long residual: shared sigma first, then the own ones of each data set."""

    def residual(v):
        out = []
        at = 1
        for name, (dataset, _) in data.items():
            count = 3 if name == "two" else 4
            amplitude, center, *base = v[at : at + count]
            at += count
            base = [base[0], 0.0] if count == 3 else [base[1], base[0]]
            y, x = dataset["signal"].values, dataset["energy"].values
            u = dataset["u_signal"].values if "u_signal" in dataset else 1.0
            out.append((curve(x, amplitude, center, v[0], *base) - y) / u)
        return np.concatenate(out)

    start = [1.1]
    for amplitude, center, _, intercept, slope in TRUE.values():
        start += [amplitude, center, *([intercept] if intercept == 5.0 else [slope, intercept])]
    return least_squares(residual, start, x_scale="jac", xtol=1e-15, ftol=1e-15, gtol=1e-15, method="lm")


NAMES = [
    "p_sigma", "one_p_amplitude", "one_p_center", "one_b_slope", "one_b_intercept", "two_p_amplitude", "two_p_center",
    "two_b_c", "three_p_amplitude", "three_p_center", "three_b_slope", "three_b_intercept",
]  # fmt: skip


@pytest.mark.parametrize("weighted", [True, False])
def test_a_global_fit_is_the_stacked_problem_that_scipy_solves(weighted):
    data = measured(weighted=weighted)
    fit = fitted(data)
    found = stacked(data)
    covariance = np.linalg.inv(found.jac.T @ found.jac)
    points = sum(dataset["signal"].size for dataset, _ in data.values())
    if not weighted:
        covariance *= 2 * found.cost / (points - len(found.x))
    assert fit["status"] == Status.CONVERGED
    one = fit.sel(parameter=NAMES, parameter_=NAMES)
    np.testing.assert_allclose(one["value"], found.x, rtol=1e-6)
    np.testing.assert_allclose(one["stderr"], np.sqrt(np.diag(covariance)), rtol=1e-5)
    size = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    np.testing.assert_allclose(one["covariance"] / size, covariance / size, atol=1e-5)
    np.testing.assert_allclose(fit["chisqr"], 2 * found.cost, rtol=1e-10)
    np.testing.assert_allclose(fit["chisqr_of"].sum(), fit["chisqr"], rtol=1e-12)
    assert fit["ndata"] == points
    assert list(fit["ndata_of"].values) == [50, 65, 80]


def test_a_global_fit_is_lmfits_minimum_of_the_stacked_residual():
    data = {"one": measured()["one"], "two": measured()["two"]}
    fit = fitted(data)
    joint = lmfit.Parameters()
    for name in [n for n in NAMES if not n.startswith("three")]:
        joint.add(name, value=float(fit["value"].sel(parameter=name)) * 1.02 + 0.01)

    def residual(p):
        out = []
        for name, (dataset, model) in data.items():
            own = {n: p["p_sigma" if n == "p_sigma" else f"{name}_{n}"].value for n in model.param_names}
            out.append(model.eval(x=dataset["energy"].values, **own) - dataset["signal"].values)
        return np.concatenate(out)

    result = lmfit.minimize(residual, joint, xtol=1e-12, ftol=1e-12)
    for name in joint:
        one = fit.sel(parameter=name)
        np.testing.assert_allclose(one["value"], result.params[name].value, atol=1e-3 * float(one["stderr"]))
        np.testing.assert_allclose(one["stderr"], result.params[name].stderr, rtol=1e-3)
    np.testing.assert_allclose([fit["aic"], fit["bic"]], [result.aic, result.bic], rtol=1e-9)


def test_without_shared_parameters_each_data_set_is_fitted_as_alone():
    data = measured(weighted=True)
    fit = fitted(data, shared=[])
    for name, (dataset, model) in data.items():
        alone = peaks.fit(dataset, model, params_of(model), axis="energy")
        for plain in model.param_names:
            one = fit.sel(parameter=f"{name}_{plain}")
            assert abs(one["value"] - alone["value"].sel(parameter=plain)) < 1e-5 * one["stderr"]
            np.testing.assert_allclose(one["stderr"], alone["stderr"].sel(parameter=plain), rtol=1e-5)


def params_of(model):
    known = params()
    return model.make_params(**{name: known[name].value for name in model.param_names})


def test_full_names_give_one_data_set_its_own_start_bounds_and_fixed_values():
    given = params()
    given.add("two_p_center", value=105.0, vary=False)
    given.add("one_p_amplitude", value=450.0, max=460.0)
    fit = fitted(given=given)
    assert fit["value"].sel(parameter="two_p_center") == 105.0
    states = fit["parameter_status"]
    assert states.sel(parameter="two_p_center") == ParameterStatus.FIXED
    assert states.sel(parameter="one_p_amplitude") == ParameterStatus.AT_BOUND
    assert fit["value"].sel(parameter="one_p_amplitude") == 460.0
    assert fit["stderr"].sel(parameter="one_p_amplitude").isnull()
    assert fit["initial"].sel(parameter="three_p_center") == 104.0
    assert any("one_p_amplitude" in text for text in json.loads(fit.attrs["advice"]))


def test_expressions_tie_within_a_data_set_and_across():
    given = params()
    given.add("drift", value=1.0)
    given.add("one_p_center", value=103.0)
    given.add("two_p_center", expr="one_p_center + 2.5 * drift")
    given.add("width", expr="2 * p_center")
    fit = fitted(given=given)
    value = dict(zip(fit["parameter"].values, fit["value"].values, strict=True))
    np.testing.assert_allclose(value["two_p_center"], value["one_p_center"] + 2.5 * value["drift"], rtol=1e-12)
    np.testing.assert_allclose(value["three_width"], 2 * value["three_p_center"], rtol=1e-12)
    np.testing.assert_allclose(value["one_p_fwhm"] if "one_p_fwhm" in value else value["p_fwhm"],
                               2.3548200 * value["p_sigma"], rtol=1e-6)  # fmt: skip
    assert fit["parameter_status"].sel(parameter="two_p_center") == ParameterStatus.TIED
    free = fitted()
    np.testing.assert_allclose(value["two_p_center"], free["value"].sel(parameter="two_p_center"), rtol=1e-6)
    np.testing.assert_allclose(
        fit["stderr"].sel(parameter="two_p_center"), free["stderr"].sel(parameter="two_p_center"), rtol=1e-5
    )


def test_a_map_stands_for_its_spectra_and_bad_ones_are_flagged():
    x = np.linspace(100.0, 110.0, 50)
    y = np.stack([curve(x, 500 + 10 * k, 103 + 0.5 * k, 1.2, 20, 0.3) for k in range(6)]).reshape(2, 3, -1)
    y += np.random.default_rng(1).normal(0, 1, y.shape)
    y[0, 1] = np.nan
    y[1, 1, :5] = np.nan
    fit = fitted({"map": (spectrum(y, x), MODEL)})
    assert fit["status"] == Status.CONVERGED
    assert list(fit["dataset"].values) == ["map_0_0", "map_0_1", "map_0_2", "map_1_0", "map_1_1", "map_1_2"]
    assert fit["status_of"].sel(dataset="map_0_1") == Status.INVALID_DATA
    assert fit["value"].sel(parameter="map_0_1_p_center").isnull()
    assert fit["ndata_of"].sel(dataset="map_1_1") == 45
    assert any("map_0_1 was left out" in text for text in json.loads(fit.attrs["advice"]))
    single = {f"map_{i}_{j}": (spectrum(y[i, j], x), MODEL) for i in range(2) for j in range(3) if (i, j) != (0, 1)}
    alone = fitted(single)
    both = alone["parameter"].values
    np.testing.assert_allclose(fit["value"].sel(parameter=both), alone["value"], rtol=1e-9)
    np.testing.assert_allclose(fit["stderr"].sel(parameter=both), alone["stderr"], rtol=1e-6)
    many = fit.sel(parameter=[n for n in both if n != "p_sigma" and "map" in n])
    assert many["value"].notnull().all()


def shifted(data, name, by):
    return {k: (d.assign_coords(energy=d["energy"] + by) if k in name else d, m) for k, (d, m) in data.items()}


def with_sources(data, names, source, contribution):
    return {
        k: (
            sources.attach(d, "energy", {source: contribution(d["energy"].values)}, ("channel",)) if k in names else d,
            m,
        )
        for k, (d, m) in data.items()
    }


def test_a_source_that_two_axes_share_moves_their_parameters_together():
    data = measured(weighted=True)
    lamp = Source(id="lamp", label="lamp line", units="keV")
    names = ("one", "three")
    fit = fitted(with_sources(data, names, lamp, lambda x: 0.02 + 0.001 * (x - 105)))
    moved = sources.detach(fit, "value")[lamp]
    h = 1e-3

    def by(sign):
        return {
            k: (
                d.assign_coords(energy=d["energy"] + sign * h * (0.02 + 0.001 * (d["energy"] - 105)))
                if k in names
                else d,
                m,
            )
            for k, (d, m) in data.items()
        }

    up, down = (fitted(by(sign))["value"].values for sign in (1, -1))
    np.testing.assert_allclose(moved, (up - down) / (2 * h), rtol=1e-4, atol=1e-6 * np.abs(moved).max())
    first, third = (peaks.quantity(fit, f"{name}_p_center") for name in names)
    second = peaks.quantity(fit, "two_p_center")
    assert first.parts()[lamp] == pytest.approx(0.02, rel=0.2)
    assert abs(float((first - third).parts().get(lamp, 0.0))) < 2e-3
    assert abs(second.parts()[lamp]) < 2e-3


def test_quantities_of_one_fit_are_correlated_as_its_covariance():
    fit = fitted(measured(weighted=True))
    a, b = (peaks.quantity(fit, name) for name in ("p_sigma", "one_p_amplitude"))
    covariance = fit["covariance"].sel(parameter="p_sigma", parameter_="one_p_amplitude")
    total = float(fit["stderr"].sel(parameter="p_sigma") ** 2 + fit["stderr"].sel(parameter="one_p_amplitude") ** 2)
    np.testing.assert_allclose((a + b).u ** 2, total + 2 * float(covariance), rtol=1e-6)


def test_evaluate_gives_each_data_set_its_curve():
    data = measured()
    fit = fitted(data)
    made = peaks.evaluate(fit)
    assert made.dims == ("dataset", "channel")
    for name, (dataset, _) in data.items():
        own = made.sel(dataset=name).values[: dataset.sizes["channel"]]
        np.testing.assert_allclose(
            ((own - dataset["signal"]) ** 2).sum(), fit["chisqr_of"].sel(dataset=name), rtol=1e-9
        )
    assert made.sel(dataset="one")[50:].isnull().all()


def test_many_data_sets_are_found_from_starts_a_width_beside_their_peaks():
    rng = np.random.default_rng(5)
    data = {}
    for k in range(60):
        x = np.linspace(100.0, 110.0, 60 + k % 9)
        y = curve(x, 50 + 5 * (k % 7), 103.1 + 0.03 * k, 0.8, 10, 0.2) + rng.normal(0, 1, x.size)
        data[f"d{k}"] = (spectrum(y, x), MODEL)
    fit = fitted(data)
    assert fit["status"] == Status.CONVERGED
    centers = [float(fit["value"].sel(parameter=f"d{k}_p_center")) for k in range(60)]
    np.testing.assert_allclose(centers, 103.1 + 0.03 * np.arange(60), atol=0.25)
    assert fit["value"].sel(parameter="p_sigma") == pytest.approx(0.8, abs=0.03)
    assert fit["redchi"] == pytest.approx(1.0, abs=0.1)


def test_inputs_are_not_changed_and_data_sets_may_come_in_any_order():
    data, given = measured(), params()
    before = {name: d.copy(deep=True) for name, (d, _) in data.items()}, given.dumps()
    first = fitted(data, given)
    for name, (d, _) in data.items():
        xr.testing.assert_identical(d, before[0][name])
    assert given.dumps() == before[1]
    other = fitted(dict(reversed(data.items())), given)
    np.testing.assert_allclose(other["value"].sel(parameter=first["parameter"]), first["value"], rtol=1e-8)


def changed(**values):
    given = params()
    for name, value in values.items():
        given.add(name, **value)
    return given


X = np.linspace(100.0, 110.0, 50)
FLAT = spectrum(np.full(50, np.nan), X)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"data": {}}, ModelError, r"data must be \{name: \(spectrum, model\)\} with at least one entry"),
        ({"data": {"a b": measured()["one"]}}, ModelError, "name 'a b' of a data set becomes part of parameter names"),
        (
            {"data": {"one": measured()["one"][0]}},
            ModelError,
            r"data set 'one' must be a pair \(spectrum, lmfit model\)",
        ),
        ({"shared": ["p_sgima"]}, ModelError, r"shared names 'p_sgima', which no model takes.*Did you mean 'p_sigma'"),
        ({"shared": "p_sigma"}, ModelError, "shared must be a list of names, got the text 'p_sigma'"),
        ({"given": {"p_sigma": 1}}, ModelError, "params must be lmfit.Parameters"),
        ({"given": OTHER.make_params()}, ModelError, "params lack 'b_slope' of data set 'one'"),
        (
            {"given": changed(p_witdh={"value": 1})},
            ModelError,
            "'p_witdh' is taken by no model and used by no expression",
        ),
        (
            {"given": changed(one_p_sigma={"value": 1})},
            ModelError,
            "'one_p_sigma' is set for one data set, and its par",
        ),
        (
            {"axis": {"one": "energy", "tow": "energy"}},
            ModelError,
            "axis names 'tow', which is no data set.*mean 'two'",
        ),
        ({"axis": "enrgy"}, SpectrumError, "data set 'one': no axis named 'enrgy'.*Did you mean 'energy'"),
        ({"data": {"one": (FLAT, MODEL)}}, SpectrumError, "data set 'one': all 50 points of the spectrum are NaN"),
        ({"sigma": {"one": 1.0}}, SpectrumError, r"\['one'\] have a sigma and \['two', 'three'\] have none"),
        ({"sigma": 0.0}, SpectrumError, "data set 'one': sigma must be positive and finite"),
        ({"max_iterations": 0}, ModelError, "max_iterations must be at least 1, got 0"),
        (
            {"data": {"one": (measured()["one"][0], lmfit.Model(curve))}},
            ModelError,
            "data set 'one': the batched engine does not know function 'curve'",
        ),
        (
            {"data": {"one": (spectrum(np.arange(4.0), X[:4]), MODEL)}},
            ModelError,
            "4 points cannot determine 5 free parameters",
        ),
    ],
)
def test_what_a_global_fit_refuses(settings, error, message):
    with pytest.raises(error, match=message):
        fitted(**settings)


def test_a_shared_parameter_of_two_units_is_refused():
    data = measured()
    wide = data["two"][0].assign_coords(energy=data["two"][0]["energy"].assign_attrs(units="eV"))
    with pytest.raises(ModelError, match=r"shared 'p_sigma' has the units \['eV', 'keV'\] in different data sets"):
        fitted({"one": data["one"], "two": (wide, OTHER)})


def test_models_of_different_shape_may_share():
    x = np.linspace(100.0, 110.0, 80)
    lorentz = LorentzianModel(prefix="q_")
    both = MODEL + lorentz
    values = both.make_params(p_amplitude=40, p_center=103, p_sigma=0.8, b_intercept=3, b_slope=0, q_amplitude=30,
                              q_center=107, q_sigma=0.5)  # fmt: skip
    rng = np.random.default_rng(2)
    data = {
        "sum": (spectrum(both.eval(values, x=x) + rng.normal(0, 0.1, x.size), x), both),
        "part": (spectrum(lorentz.eval(values, x=x) + rng.normal(0, 0.1, x.size), x), lorentz),
    }
    fit = fitted(data, values, shared=["q_center", "q_sigma"])
    assert fit["value"].sel(parameter="q_center") == pytest.approx(107, abs=0.02)
    assert {"part_q_amplitude", "sum_q_amplitude", "sum_p_center"} <= set(fit["parameter"].values)
    assert "part_p_center" not in fit["parameter"].values


def test_what_takes_a_fit_of_one_spectrum_refuses_a_global_fit():
    data = measured()
    fit = fitted(data)
    with pytest.raises(ModelError, match="got a global fit of several data sets"):
        peaks.intervals(fit, data["one"][0])
    with pytest.raises(ModelError, match="evaluate it with components=False"):
        peaks.evaluate(fit, components=True)


def test_a_global_fit_is_redone_from_its_history():
    data = measured(weighted=True)
    fit = fitted(data)
    settings, inputs = steps_of(fit)
    again = global_again(settings, {name: data[name.partition(" ")[2]][0] for name in inputs})
    np.testing.assert_array_equal(again["value"], fit["value"])
    assert again.attrs["history"] == fit.attrs["history"]


def steps_of(fit):
    graph = json.loads(fit.attrs["history"])
    step = graph["steps"][graph["head"]]
    return step["settings"], step["inputs"]
