"""Uncertain arrays against brute force: the Jacobian of the whole computation with respect to every single draw."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

from analysis import io, uncertainty
from analysis.core import UncertaintyError, UnitsError
from analysis.replay import replay
from analysis.uncertainty import Quantity, contributions

N = 5


def noisy(seed, label="y", *, over=None, dof=math.inf, pooled=False):
    rng = np.random.default_rng(seed)
    value = xr.DataArray(rng.uniform(1, 2, N), dims="x", coords={"x": np.arange(N) * 2.0}, attrs={"units": "V"})
    return uncertainty.array(value, u=rng.uniform(0.1, 0.2, N), label=label, over=over, dof=dof, pooled=pooled)


def brute(function, values, us):
    """Covariance of function(*values) where every element of every value draws by itself: J u² Jᵀ by differences."""
    sizes = [np.size(value) for value in values]
    base, u = np.concatenate([np.ravel(v) for v in values]), np.concatenate([np.ravel(v) for v in us])

    def out(flat):
        pieces = np.split(flat, np.cumsum(sizes)[:-1])
        return np.ravel(function(*(p.reshape(np.shape(v)) for p, v in zip(pieces, values, strict=True))))

    step = 1e-6
    columns = [(out(base + step * e) - out(base - step * e)) / (2 * step) for e in np.eye(base.size)]
    jacobian = np.array(columns).T * u
    return jacobian @ jacobian.T


def flat(array):
    return array.covariance().values.reshape(array.value.size, array.value.size)


def same(array, covariance):
    np.testing.assert_allclose(flat(array), covariance, rtol=1e-6, atol=1e-9 * np.abs(covariance).max())
    np.testing.assert_allclose(array.u.values.ravel() ** 2, np.diag(flat(array)), rtol=1e-12, atol=0)


def test_an_array_less_itself_is_zero_without_uncertainty():
    x = noisy(0)
    assert (x - x).value.values.tolist() == [0.0] * N
    assert (x - x).u.values.tolist() == [0.0] * N


def test_neighbours_that_share_an_element_are_correlated():
    x = noisy(1)
    step = uncertainty.array(x.value.values, u=x.u.values)  # no labels: by position
    found = step[1:] - step[:-1]
    same(found, brute(lambda v: v[1:] - v[:-1], [x.value.values], [x.u.values]))


def test_a_formula_of_arrays_and_quantities_has_the_covariance_of_brute_force():
    x, a, b = noisy(2), Quantity(value=2.0, u=0.1, units="1"), Quantity(value=0.5, u=0.03, units="V-1")
    found = a * np.exp(-b * x) + x / Quantity(value=1.0, u=0.0, units="V")
    expected = brute(
        lambda v, p, q: p * np.exp(-q * v) + v, [x.value.values, [2.0], [0.5]], [x.u.values, [0.1], [0.03]]
    )
    same(found, expected)


STEPS = {
    "square": (lambda x: x * x, lambda v: v * v),
    "smooth": (lambda x: x.linear(BAND, dim="x"), lambda v: BAND @ v),
    "about its mean": (lambda x: 5.0 + x - x.mean(), lambda v: 5.0 + v - v.mean()),
    "over its sum": (lambda x: x / x.sum(), lambda v: v / v.sum()),
    "reversed": (lambda x: x + relabelled(x[::-1], x), lambda v: v + v[::-1]),
    "root": (np.sqrt, np.sqrt),
    "with one element": (lambda x: x * x.isel({"x": 2}), lambda v: v * v[2]),
    "with a quantity of one element": (lambda x: x * x.quantity({"x": 1}), lambda v: v * v[1]),
    "power": (lambda x: x**1.5, lambda v: v**1.5),
    "joined": (
        lambda x: uncertainty.concat([x[:2] * 2.0, x[2:]], dim="x") + x,
        lambda v: np.concatenate([v[:2] * 2.0, v[2:]]) + v,
    ),
    "interpolated": (
        lambda x: relabelled(uncertainty.interpolate(x, [0.5, 1.0, 4.0, 7.9, 8.0], dim="x"), x),
        lambda v: np.interp([0.5, 1.0, 4.0, 7.9, 8.0], np.arange(N) * 2.0, v),
    ),
}
BAND = np.eye(N) * 0.5 + np.eye(N, k=1) * 0.3 + 0.01


def relabelled(x, like):
    return uncertainty.UncertainArray(value=x.value.assign_coords(x=like.value["x"]), parts=x.parts)


def plain(x):
    """Without units, which the steps would multiply."""
    return x / Quantity(value=1.0, u=0.0, units=x.units)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4), st.integers(0, 99))
def test_any_chain_of_steps_has_the_covariance_of_brute_force(names, seed):
    x = noisy(seed)
    found, value = plain(x), x.value.values
    for name in names:
        found, value = plain(STEPS[name][0](found)), STEPS[name][1](value)

    def chain(v):
        for name in names:
            v = STEPS[name][1](v)
        return v

    np.testing.assert_allclose(found.value.values, value, rtol=1e-10)
    expected = brute(chain, [x.value.values], [x.u.values])
    np.testing.assert_allclose(flat(found), expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


def test_a_mean_divides_only_what_varies():
    values = xr.DataArray(np.ones((40, 3)), dims=("row", "x"), attrs={"units": "V"})
    noise = uncertainty.array(values, u=0.2, label="noise")
    column = uncertainty.array(0 * values, u=0.3, label="pixel", over=["x"])
    offset = Quantity(value=0.0, u=0.4, units="V", label="offset")
    mean = (noise + column + offset).mean("row")
    np.testing.assert_allclose(mean.u.values, math.hypot(0.2 / math.sqrt(40), 0.3, 0.4), rtol=1e-12)
    whole = (noise + column + offset).mean()
    assert float(whole.u) == pytest.approx(math.hypot(0.2 / math.sqrt(120), 0.3 / math.sqrt(3), 0.4), rel=1e-12)
    assert whole.quantity().correlation(offset) == pytest.approx(0.4 / float(whole.u), rel=1e-12)


def test_an_outer_product_has_the_covariance_of_brute_force():
    rng = np.random.default_rng(5)
    a, b = rng.uniform(1, 2, 3), rng.uniform(1, 2, 2)
    found = uncertainty.array(xr.DataArray(a, dims="i"), u=0.1) * uncertainty.array(xr.DataArray(b, dims="j"), u=0.2)
    expected = brute(np.multiply.outer, [a, b], [np.full(3, 0.1), np.full(2, 0.2)])
    same(found, expected)
    same(found.sum("i"), brute(lambda p, q: np.multiply.outer(p, q).sum(0), [a, b], [[0.1] * 3, [0.2] * 2]))
    turned = found.transpose(["j", "i"])
    assert (turned.isel({"i": 1}) - found.isel({"i": 1})).u.values.tolist() == [0.0, 0.0]


def test_elements_that_leave_as_quantities_stay_correlated():
    x = noisy(3, label="x")
    one, two = x.quantity({"x": 0}), x.quantity({"x": 1})
    assert one.covariance(two) == 0.0
    assert (x.isel({"x": 0}) - one).u.item() == 0.0
    assert x.covariance(one).values.tolist() == [one.u**2, 0.0, 0.0, 0.0, 0.0]
    mean = x.mean().quantity()
    assert mean.covariance(one) == pytest.approx(one.u**2 / N, rel=1e-12)


def test_a_position_with_uncertainty_enters_an_interpolation_by_the_slope():
    x = noisy(4)
    at = Quantity(value=3.0, u=0.25, units="1", label="position")
    found = uncertainty.interpolate(x, at, dim="x").quantity({"x": 0})
    slope = float(x.value[2] - x.value[1]) / 2.0
    assert found.parts()[next(iter(at.parts()))] == pytest.approx(slope * 0.25, rel=1e-12)
    assert found.u == pytest.approx(math.hypot(0.5 * float(x.u[1]), 0.5 * float(x.u[2]), slope * 0.25), rel=1e-12)


def test_falling_coordinates_interpolate_alike():
    x = noisy(6)
    down = x[::-1]
    at = np.array([0.3, 5.5, 8.0])
    up = uncertainty.interpolate(x, at, dim="x")
    np.testing.assert_allclose(uncertainty.interpolate(down, at, dim="x").value, up.value, rtol=1e-14)
    assert (uncertainty.interpolate(down, at, dim="x") - up).u.values.max() < 1e-16


def test_degrees_of_freedom_of_a_mean_are_those_of_its_readings():
    x = noisy(7, dof=4)
    c = x.u.values / N
    assert float(x.mean().dof) == pytest.approx((c**2).sum() ** 2 / (c**4 / 4).sum(), rel=1e-12)
    pooled = noisy(7, dof=4, pooled=True)
    assert float(pooled.mean().dof) == pytest.approx(4.0, rel=1e-12)
    for array in (x, pooled):
        mixed = array * array.isel({"x": 0}) + array.mean() ** 2
        for i in range(N):
            assert float(mixed.dof[i]) == pytest.approx(mixed.quantity({"x": i}).dof, rel=1e-9)


def test_a_budget_of_one_element_names_its_sources():
    budget = (noisy(8, label="reading") * Quantity(value=2.0, u=0.1, units="ohm", label="gain")).budget({"x": 3})
    assert {line.name for line in budget.contributions} == {"reading [3]", "gain"}
    assert sum(line.share for line in budget.contributions) == pytest.approx(1.0)
    assert budget.units == "Ω V"


def test_a_dataset_of_an_array_keeps_its_correlations_in_a_file(tmp_path):
    x = noisy(9, label="x")
    y = x * x.mean() + Quantity(value=1.0, u=0.1, units="V2")
    for name, array in {"x": x, "y": y}.items():
        io.write(array.to_dataset(), tmp_path / f"{name}.nc")
    back = {name: uncertainty.UncertainArray.from_dataset(io.read(tmp_path / f"{name}.nc")) for name in "xy"}
    np.testing.assert_array_equal(back["y"].value, y.value)
    np.testing.assert_allclose(back["y"].covariance(x).values, y.covariance(x).values, rtol=1e-13)
    assert (back["y"] - y).u.values.max() < 1e-15
    assert (back["x"] - x).u.values.max() == 0.0
    cut = uncertainty.UncertainArray.from_dataset(x.to_dataset().isel(x=slice(2, 4)))
    assert (cut - x[2:4]).u.values.max() == 0.0
    with pytest.raises(UncertaintyError, match="was cut after it was made"):
        uncertainty.UncertainArray.from_dataset(y.to_dataset().isel(x=slice(2, 4)))


def test_an_array_is_redone_from_its_raw_numbers(tmp_path):
    raw = noisy(11)
    values = xr.Dataset({"volts": raw.value, "spread": ("x", raw.u.values)})
    x = uncertainty.array(values["volts"], u=values["spread"], label="x", dof=7)
    joined = uncertainty.concat([x, 2 * x[:2]], dim="x")
    smooth = joined.linear(np.full((1, 7), 0.5), dim="x").isel({"x": 0})
    y = (
        smooth.transpose([])
        + uncertainty.interpolate(x, [1.0], dim="x").mean()
        - x.sum() * x.quantity({"x": 1}) / Quantity(value=1.0, u=0.0, units="V")
    )
    path = io.write(
        {"raw": values, "matrix": xr.Dataset({"m": (("a", "b"), np.full((1, 7), 0.5))}), "y": y}, tmp_path / "p.nc"
    )
    assert replay(path, item="y").attrs["replay"] == "bit-identical"


def test_units_follow_the_arithmetic():
    x = noisy(10)
    in_mv = x.to("mV")
    assert in_mv.units == "mV"
    assert (x + in_mv).units == "V"
    np.testing.assert_allclose((x + in_mv).value, 2 * x.value, rtol=1e-15)
    assert (x - in_mv).u.values.max() < 1e-16
    assert (x * x).units == (x**2).units == "V2"
    with pytest.raises(UnitsError):
        np.exp(x)
    with pytest.raises(UnitsError):
        x + Quantity(value=1.0, u=0.1, units="A")


def test_missing_elements_stay_missing():
    x = uncertainty.array([1.0, math.nan, 3.0], u=[0.1, math.nan, 0.2])
    doubled = 2 * x
    np.testing.assert_array_equal(doubled.value, [2.0, math.nan, 6.0])
    np.testing.assert_allclose(doubled.u.values[[0, 2]], [0.2, 0.4])
    assert float(x[np.array([True, False, True])].mean().u) == pytest.approx(math.hypot(0.1, 0.2) / 2)


REFUSED = {
    "a negative u": (lambda: uncertainty.array([1.0, 2.0], u=[0.1, -0.1]), "finite and not negative"),
    "no u": (lambda: uncertainty.array([1.0, 2.0], u=[0.1, math.nan]), "finite and not negative"),
    "an infinite value": (lambda: uncertainty.array([1.0, math.inf]), "infinite"),
    "another shape": (lambda: uncertainty.array([1.0, 2.0], u=[0.1, 0.1, 0.1]), "shape"),
    "no such dim": (lambda: uncertainty.array([1.0], u=0.1, over=["y"]), "must be dims"),
    "dof 0": (lambda: uncertainty.array([1.0], u=0.1, dof=0), "degrees of freedom"),
    "other labels": (lambda: noisy(0) + noisy(0)[1:], "labels"),
    "a root of zero": (lambda: np.sqrt(uncertainty.array([0.0, 1.0], u=0.1)), "no finite slope"),
    "a division by zero": (lambda: 1 / uncertainty.array([0.0, 1.0], u=0.1), "not finite"),
    "no rule": (lambda: np.floor(noisy(0)), "is not defined with uncertainty"),
    "a reduction of NumPy": (lambda: np.add.reduce(noisy(0)), "would lose correlations"),
    "a function of NumPy": (lambda: np.median(noisy(0)), "does not know of correlations"),
    "plain numbers": (lambda: np.asarray(noisy(0)), "does not turn into plain numbers"),
    "a truth value": (lambda: bool(noisy(0)), "neither true nor false"),
    "an element too far": (lambda: noisy(0).isel({"x": 9}), "no such elements"),
    "an unknown label": (lambda: noisy(0).sel({"x": 3.0}), "nearest=True"),
    "outside": (lambda: uncertainty.interpolate(noisy(0), [9.0], dim="x"), "must lie within"),
    "an element not named": (lambda: noisy(0).quantity(), "needs a position"),
    "a matrix that does not fit": (lambda: noisy(0).linear(np.eye(3), dim="x"), "has shape"),
    "a covariance too large": (lambda: uncertainty.array(np.zeros(20_000), u=1.0).covariance(), "take at most"),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_what_cannot_be_right_is_refused(what):
    call, words = REFUSED[what]
    with pytest.raises(UncertaintyError, match=words):
        call()


def test_correlations_that_need_too_much_memory_are_refused(monkeypatch):
    monkeypatch.setattr(contributions, "MOST_ENTRIES", 20)
    with pytest.raises(UncertaintyError, match="need 25 numbers, more than 20"):
        noisy(0).linear(np.ones((N, N)), dim="x")
