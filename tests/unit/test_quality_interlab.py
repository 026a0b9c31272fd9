"""Interlaboratory comparisons: correlations, estimators by slow routes, coverage, and what is refused."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis import figures, quality
from analysis.core import UncertaintyError, UnitsError
from analysis.quality.heterogeneity import consistent_subset
from analysis.replay import replay
from analysis.uncertainty import Quantity, correlated
from tests.coverages import bounds

WEIGHTED = ["weighted_mean", "largest_consistent_subset", "dersimonian_laird", "mandel_paule"]
SCATTER = ["algorithm_a", "q_hampel", "median", "mean"]


def labs(values, u, units="mm"):
    return {f"lab {k}": Quantity(value=v, u=s, units=units) for k, (v, s) in enumerate(zip(values, u, strict=True))}


FIVE = labs([10.0, 10.2, 9.9, 10.1, 12.0], [0.1, 0.2, 0.1, 0.15, 0.1])


def test_a_weighted_mean_of_independent_results_is_that_of_the_textbook():
    found = quality.interlab(labs([10.0, 10.3], [0.1, 0.2]))
    assert found.consensus.value == pytest.approx((10.0 / 0.01 + 10.3 / 0.04) / (1 / 0.01 + 1 / 0.04))
    assert found.consensus.u == pytest.approx(1 / math.sqrt(1 / 0.01 + 1 / 0.04))
    # Cox 2002, 5.2: u2(d) = u2(x) - u2(consensus) for a laboratory in the mean
    for each in found.laboratories:
        assert each.degree.u == pytest.approx(math.sqrt(each.result.u**2 - found.consensus.u**2))


def test_an_excluded_laboratory_is_compared_without_correlation():
    found = quality.interlab(FIVE, exclude=["lab 4"])
    assert found["lab 4"].weight == 0.0
    assert found["lab 4"].degree.u == pytest.approx(math.hypot(0.1, found.consensus.u))
    assert sum(each.weight for each in found.laboratories) == pytest.approx(1.0)
    assert not found["lab 4"].agrees
    assert found.consistent
    assert not quality.interlab(FIVE).consistent


def test_a_common_source_cancels_in_degrees_of_equivalence():
    standard = Quantity(value=0.0, u=1.0, units="mm", label="the travelling standard")
    own = labs([10.0, 10.1, 9.9], [0.1, 0.1, 0.1])
    found = quality.interlab({name: each + standard for name, each in own.items()})
    alone = quality.interlab(own)
    assert found.consensus.u == pytest.approx(math.hypot(1.0, alone.consensus.u), rel=1e-6)
    for name in own:
        assert found[name].degree.u == pytest.approx(alone[name].degree.u, rel=1e-6)
    assert found.between("lab 0", "lab 1").u == pytest.approx(0.1 * math.sqrt(2))


def test_given_correlations_enter_consensus_and_chi_square():
    covariance = np.array([[1.0, 0.6, 0.0], [0.6, 2.0, 0.1], [0.0, 0.1, 1.5]])
    values = [10.0, 11.0, 9.0]
    quantities = correlated(values, covariance, units="1", labels=["a", "b", "c"])
    found = quality.interlab(dict(zip("abc", quantities, strict=True)))
    inverse = np.linalg.inv(covariance)
    mean = inverse.sum(axis=0) @ values / inverse.sum()
    apart = np.array(values) - mean
    assert found.consensus.value == pytest.approx(mean)
    assert found.consensus.u == pytest.approx(1 / math.sqrt(inverse.sum()))
    assert found.chisqr == pytest.approx(apart @ inverse @ apart)
    table = found.to_dataset()
    np.testing.assert_allclose(np.diag(table["covariance"]), table["u_degree"] ** 2)
    assert float(table["u_between"].sel(laboratory="a", other="b")) == pytest.approx(math.sqrt(1 + 2 - 1.2))


def test_the_moment_estimate_is_that_of_its_formula():
    values, u = np.array([1.0, 2.0, 4.0, 7.0]), np.array([0.5, 0.4, 0.6, 0.5])
    w = 1 / u**2
    q = np.sum(w * (values - np.average(values, weights=w)) ** 2)
    expected = (q - 3) / (w.sum() - (w**2).sum() / w.sum())  # DerSimonian and Laird 1986, eq. 8
    assert quality.interlab(labs(values, u), method="dersimonian_laird").excess == pytest.approx(math.sqrt(expected))


def test_mandel_and_paule_bring_chi_square_to_its_degrees_of_freedom():
    values, u = np.array([1.0, 2.0, 4.0, 7.0]), np.array([0.5, 0.4, 0.6, 0.5])
    found = quality.interlab(labs(values, u), method="mandel_paule")
    w = 1 / (u**2 + found.excess**2)
    mean = np.average(values, weights=w)
    assert np.sum(w * (values - mean) ** 2) == pytest.approx(3.0)
    assert found.consensus.value == pytest.approx(mean)
    assert found.consensus.u == pytest.approx(1 / math.sqrt(w.sum()))
    assert found.excess_interval[0] < found.excess < found.excess_interval[1]


@pytest.mark.parametrize("method", ["dersimonian_laird", "mandel_paule"])
def test_without_excess_both_are_the_weighted_mean(method):
    given_ = labs([10.0, 10.01, 9.99], [0.1, 0.2, 0.1])
    found, plain = quality.interlab(given_, method=method), quality.interlab(given_)
    assert found.excess == 0.0
    assert (found.consensus.value, found.consensus.u) == pytest.approx((plain.consensus.value, plain.consensus.u))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(3, 7))
def test_the_largest_consistent_subset_is_that_of_trying_all(seed, count):
    rng = np.random.default_rng(seed)
    values, u = rng.normal(0, 3, count), rng.uniform(0.5, 2, count)
    best = None
    for size in range(count, 1, -1):
        tried = []
        for chosen in itertools.combinations(range(count), size):
            k = list(chosen)
            mean = np.average(values[k], weights=u[k] ** -2.0)
            tried.append((float(np.sum(((values[k] - mean) / u[k]) ** 2)), chosen))
        if stats.chi2.sf(min(tried)[0], size - 1) >= 0.05:
            best = min(tried)[1]
            break
    if best is not None:
        assert consistent_subset(values, np.diag(u**2)) == (best, True)


def test_too_many_subsets_are_searched_step_by_step_and_that_is_said():
    values = [float(k % 3) * 0.1 for k in range(30)] + [50.0 + 10 * k for k in range(10)]
    found = quality.interlab(labs(values, [0.2] * 40), method="largest_consistent_subset")
    assert sum(each.weight > 0 for each in found.laboratories) == 30
    assert any("too many subsets" in note for note in found.notes)


@pytest.mark.parametrize("method", WEIGHTED + SCATTER)
def test_units_and_scale_do_not_matter(method):
    many = labs([10.0, 10.2, 9.9, 10.1, 10.05, 10.4], [0.1, 0.2, 0.1, 0.15, 0.1, 0.2])
    found = quality.interlab(many, method=method)
    other = quality.interlab({name: each.to("m") for name, each in many.items()}, method=method)
    assert other.consensus.value == pytest.approx(1e-3 * found.consensus.value)
    assert other.consensus.u == pytest.approx(1e-3 * found.consensus.u)
    for a, b in zip(found.laboratories, other.laboratories, strict=True):
        assert (a.en, a.zeta) == pytest.approx((b.en, b.zeta))


def test_one_laboratory_in_other_units_is_converted():
    found = quality.interlab(
        {"a": Quantity(value=10.0, u=0.1, units="mm"), "b": Quantity(value=1.0, u=0.01, units="cm")}
    )
    assert found.consensus.units == "mm"
    assert found.consensus.value == pytest.approx(10.0)


def test_scores_follow_their_formulas():
    assigned = Quantity(value=10.0, u=0.03, units="mm")
    found = quality.interlab(FIVE, reference=assigned, sigma=0.2)
    one = found["lab 1"]
    assert found.method == "reference"
    assert one.z == pytest.approx(0.2 / 0.2)
    assert one.z_prime == pytest.approx(0.2 / math.hypot(0.2, 0.03))
    assert one.zeta == pytest.approx(0.2 / math.hypot(0.2, 0.03))
    assert one.en == pytest.approx(0.2 / (2 * math.hypot(0.2, 0.03)))
    assert any("z'" in note for note in quality.interlab(FIVE, reference=assigned, sigma=0.05).notes)


def test_one_laboratory_is_held_against_a_reference():
    found = quality.interlab(
        {"we": Quantity(value=1.0, u=0.1, units="V")}, reference=Quantity(value=1.1, u=0.1, units="V")
    )
    assert found["we"].en == pytest.approx(-0.1 / (2 * math.hypot(0.1, 0.1)))


def test_columns_are_taken_too():
    table = {"laboratory": ["a", "b", "c"], "value": [1.0, 2.0, 3.0], "u": [0.5, 0.5, 0.5]}
    found = quality.interlab(table, units="V")
    assert found.consensus.value == pytest.approx(2.0)
    assert found["b"].result.units == "V"


def test_results_without_u_get_scores_of_scatter_only_and_the_reason():
    table = {"laboratory": list("abcdef"), "value": [1.0, 1.1, 0.9, 1.05, 0.95, 3.0]}
    found = quality.interlab(table, method="algorithm_a", units="V")
    assert abs(found["f"].z) > 3
    assert math.isnan(found["a"].en)
    assert "no uncertainty" in found["a"].note
    assert any("a, b, c, d, e, f" in note for note in found.notes)
    assert "not given" in found._repr_html_()


@pytest.mark.parametrize("method", WEIGHTED)
def test_a_zero_uncertainty_has_no_weight_and_is_named(method):
    wrong = {**FIVE, "careless": Quantity(value=10.0, u=0.0, units="mm")}
    with pytest.raises(UncertaintyError, match=r"careless.*exclude them, or use a method that needs no u"):
        quality.interlab(wrong, method=method)
    assert quality.interlab(wrong, method=method, exclude=["careless"])["careless"].note


@pytest.mark.parametrize(
    ("results", "kwargs", "message"),
    [
        ({"a": FIVE["lab 0"]}, {}, "at least 2 laboratories, got .*; one laboratory is compared with"),
        ({}, {}, "got none"),
        (FIVE, {"exclude": ["lab 9"]}, "no laboratory is named 'lab 9'.*Did you mean"),
        (FIVE, {"exclude": "lab 1"}, "exclude is a list"),
        (FIVE, {"exclude": list(FIVE)[1:]}, "at least 2"),
        (FIVE, {"method": "mandel_paul"}, "Did you mean 'mandel_paule'"),
        (FIVE, {"sigma": 0.0}, "sigma must be a number in"),
        (FIVE, {"sigma": "1 mm"}, "without units or quotes"),
        (FIVE, {"expand": True}, "factor of at least 1"),
        (FIVE, {"level": "95 %"}, "level must lie"),
        (FIVE, {"sigma": math.nan}, "sigma must be"),
        (FIVE, {"level": 95}, "level must lie in"),
        (FIVE, {"expand": 0.5}, "factor of at least 1"),
        (FIVE, {"expand": "birge", "method": "mean"}, "for the weighted mean"),
        (FIVE, {"reference": 10.0}, "reference must be a Quantity"),
        ({"a": 1.0, "b": 2.0}, {}, "each result must be a Quantity"),
        ([1.0, 2.0], {}, "quantities by laboratory, or columns"),
        ({"laboratory": ["a", "b"], "value": [1.0, math.nan], "u": [1, 1]}, {}, "value of \\['b'\\] is not finite"),
        ({"laboratory": ["a", "b"], "value": [1.0, "2 mm"], "u": [1, 1]}, {}, "must hold numbers"),
        ({"laboratory": ["a", "a"], "value": [1.0, 2.0], "u": [1, 1]}, {}, "one row.*twice \\['a'\\]"),
        ({"laboratory": ["a", "b"], "value": [1.0, 2.0], "u": [1]}, {}, "got 2 names, 2 values and 1 u"),
        ({"a": FIVE["lab 0"], "b": FIVE["lab 0"]}, {}, "follow from each other exactly"),
        (labs([1.0, 5.0], [0.1, 0.1]), {"method": "largest_consistent_subset"}, "no two of the 2 laboratories agree"),
        (labs([1.0, 1.0, 1.0], [0.1, 0.1, 0.1]), {"method": "mean"}, "do not scatter"),
        (labs([1.0, 1.0, 1.0, 2.0], [0.1] * 4), {"method": "algorithm_a"}, "no scale; use q_hampel"),
    ],
)  # fmt: skip
def test_what_makes_no_comparison_is_refused_with_the_next_move(results, kwargs, message):
    with pytest.raises(UncertaintyError, match=message):
        quality.interlab(results, **kwargs)


def test_other_units_are_refused():
    with pytest.raises(UnitsError):
        quality.interlab({**FIVE, "volts": Quantity(value=1.0, u=0.1, units="V")})


def test_inputs_stay_and_the_result_does_not_depend_on_their_order():
    before = dict(FIVE)
    found = quality.interlab(FIVE, method="mandel_paule")
    other = quality.interlab(dict(reversed(FIVE.items())), method="mandel_paule")
    assert before == FIVE
    assert found.consensus.value == pytest.approx(other.consensus.value, rel=1e-12)


@pytest.mark.parametrize("settings_", [{"method": m} for m in WEIGHTED + SCATTER] + [{"expand": "birge"}])
def test_a_consensus_is_made_again_from_its_history(settings_):
    found = quality.interlab(FIVE, **settings_)
    assert replay(found.consensus).attrs["replay"] == "bit-identical"


def test_a_comparison_shows_itself_and_is_drawn():
    found = quality.interlab(FIVE | {"<b>evil</b>": Quantity(value=10.0, u=0.2, units="mm")}, exclude=["lab 4"])
    assert "<b>" not in found._repr_html_()
    assert "|E_n| > 1: lab 4" in str(found)
    assert found.to_csv().splitlines()[0].startswith("laboratory,value,u,degree")
    assert found.table()[0]["laboratory"] == "lab 0"
    figure = figures.draw_equivalence(found)
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()][-1] == "lab 4"
    with pytest.raises(UncertaintyError, match="no laboratory is named 'x'"):
        found["x"]


@pytest.mark.parametrize("method", ["mandel_paule", "dersimonian_laird"])
@pytest.mark.parametrize("excess", [0.0, 2.0])
def test_the_interval_of_a_consensus_holds_the_truth(method, excess):
    trials, hits, inside = 120, 0, 0
    rng = np.random.default_rng(7)
    for _ in range(trials):
        u = rng.uniform(0.5, 2.0, 8)
        values = rng.normal(0.0, np.hypot(u, excess))
        found = quality.interlab(labs(values, u), method=method)
        hits += abs(found.consensus.value) <= found.consensus.U()
        inside += found.excess_interval[0] <= excess <= found.excess_interval[1]
    # the moments weigh with an estimate of few degrees of freedom: 2 % are granted below
    assert hits / trials >= bounds(trials)[0] / trials - 0.02
    assert inside >= bounds(trials)[0] - (1.0 if excess else 0.0)


def test_the_interval_of_algorithm_a_holds_the_truth_and_bears_outliers():
    trials, hits, off = 150, 0, 0
    rng = np.random.default_rng(3)
    for _ in range(trials):
        values = rng.normal(0.0, 1.0, 20)
        found = quality.interlab({"laboratory": list(map(str, range(20))), "value": values}, method="algorithm_a")
        hits += abs(found.consensus.value) <= found.consensus.U()
        values[:2] += 50.0
        off += abs(quality.algorithm_a(values).mean) < 1.0
    assert hits >= bounds(trials)[0]
    assert off >= 0.95 * trials


def test_laboratories_of_very_different_uncertainty_are_weighted_all_the_same():
    found = quality.interlab(labs([10.0, 10.0 + 2e-4, 11.0], [1e-4, 2e-4, 1e4]))
    assert found.consensus.u == pytest.approx(1e-4 * math.sqrt(0.8))
    assert found["lab 2"].weight == pytest.approx(8e-17, rel=0.1)
