"""Gauge studies: components by slow routes, forms of tables, coverage of intervals, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from analysis import quality
from analysis.core import UncertaintyError
from analysis.uncertainty import Quantity, propagate
from tests.coverages import bounds


def study(seed, *, parts=10, operators=3, trials=3, sds=(1.0, 0.5, 0.0, 0.2)):
    rng = np.random.default_rng(seed)
    part, operator, both, error = sds
    return (
        rng.normal(0, part, (parts, 1, 1))
        + rng.normal(0, operator, (1, operators, 1))
        + rng.normal(0, both, (parts, operators, 1))
        + rng.normal(0, error, (parts, operators, trials))
    )


def columns(table):
    index = np.indices(table.shape).reshape(3, -1)
    return {"part": index[0].tolist(), "operator": [f"op {k}" for k in index[1]], "value": table.ravel().tolist()}


def test_mean_squares_are_those_of_a_regression_on_dummies():
    table = study(1, parts=4, operators=3, trials=2)
    found = {each.name: each for each in quality.gauge_rr(table, pool=1.0).squares}
    part, operator, _ = np.indices(table.shape)
    y = table.ravel()

    def left(*factors):
        code = np.ravel_multi_index([each.ravel() for each in factors], [5] * len(factors)) if factors else y * 0
        dummies = np.stack([code == k for k in np.unique(code)], axis=1).astype(float)
        return float(np.sum((y - dummies @ np.linalg.lstsq(dummies, y, rcond=None)[0]) ** 2))

    ss_part, ss_operator = left() - left(part), left() - left(operator)
    assert found["part"].value == pytest.approx(ss_part / 3)
    assert found["operator"].value == pytest.approx(ss_operator / 2)
    assert found["repeatability"].value == pytest.approx(left(part, operator) / 12)
    both = left() - left(part, operator) - ss_part - ss_operator
    assert found["interaction"].value == pytest.approx(both / 6)


def test_all_forms_of_a_table_give_the_same_study():
    table = study(2)
    long = columns(table)
    array = xr.DataArray(table, dims=("part", "operator", "trial"), attrs={"units": "mm"}).transpose("trial", ...)
    forms = [table, table.tolist(), long, pd.DataFrame(long), pd.DataFrame(long).to_dict("records"), array,
             {"Appraiser": long["operator"], "Item": long["part"], "Measurement": long["value"]}]  # fmt: skip
    found = [quality.gauge_rr(form, units="mm") for form in forms]
    for each in found:
        assert each.units == "mm"
        assert each["gauge"].sd == pytest.approx(found[0]["gauge"].sd)
        assert each["gauge"].interval == pytest.approx(found[0]["gauge"].interval)


@pytest.mark.parametrize("method", ["anova", "range"])
def test_components_add_up_and_scale_with_the_units(method):
    table = study(3, sds=(1.0, 0.5, 0.4, 0.2))
    found, scaled = quality.gauge_rr(table, method=method), quality.gauge_rr(1000 * table + 5, method=method)
    whole = [found[n].sd ** 2 for n in ("repeatability", "reproducibility", "part")]
    assert sum(whole) == pytest.approx(found["total"].sd ** 2)
    assert found["gauge"].contribution + found["part"].contribution == pytest.approx(100)
    assert scaled["gauge"].sd == pytest.approx(1000 * found["gauge"].sd)
    assert scaled["gauge"].study == pytest.approx(found["gauge"].study)


def test_an_unbalanced_study_is_analysed_by_means_and_says_so():
    long = columns(study(4))
    short = {key: values[1:] for key, values in long.items()}
    found, whole = quality.gauge_rr(short), quality.gauge_rr(long)
    assert any("cells hold 2 to 3 readings" in note for note in found.notes)
    assert found["gauge"].sd == pytest.approx(whole["gauge"].sd, rel=0.1)


def test_one_operator_leaves_reproducibility_open_and_says_so():
    found = quality.gauge_rr(study(5, operators=1))
    assert [each.name for each in found.components] == ["repeatability", "gauge", "part", "total"]
    assert any("one operator" in note for note in found.notes)


def test_a_negative_estimate_is_kept_as_variance_and_said():
    table = study(6, sds=(1.0, 0.0, 0.0, 0.5))
    for seed in range(6, 30):
        table = study(seed, sds=(1.0, 0.0, 0.0, 0.5))
        found = quality.gauge_rr(table)
        if found["operator"].variance.value < 0:
            break
    assert found["operator"].sd == 0.0
    assert found["operator"].interval[0] == 0.0 < found["operator"].interval[1]
    assert any("variance of operator was estimated as -" in note for note in found.notes)


def test_components_share_the_sources_of_the_mean_squares():
    found = quality.gauge_rr(study(7))
    repeatability, gauge = found["repeatability"].variance, found["gauge"].variance
    assert set(repeatability.parts()) <= set(gauge.parts())
    assert repeatability.correlation(gauge) > 0
    assert (found["total"].variance - found["part"].variance - gauge).u == pytest.approx(0.0, abs=1e-15)


def test_the_gauge_enters_a_budget():
    found = quality.gauge_rr(study(8), units="mm")
    reading = Quantity(value=10.0, u=0.1, units="mm")
    budget = propagate("x + e", {"x": reading, "e": found.to_quantity()}, name="length", units="mm")
    assert budget.u == pytest.approx(math.hypot(0.1, found["gauge"].sd))
    assert 0 < found.to_quantity().dof < 100


def test_verdicts_follow_their_limits():
    fine = quality.gauge_rr(study(9, sds=(1.0, 0.01, 0.0, 0.02)))
    poor = quality.gauge_rr(study(9, sds=(1.0, 1.0, 0.0, 0.5)))
    assert (fine.verdict, poor.verdict) == ("acceptable", "unacceptable")
    assert fine.categories >= 5 > poor.categories
    narrow = quality.gauge_rr(study(9, sds=(1.0, 0.01, 0.0, 0.02)), tolerance=0.2)
    assert narrow.verdict == "unacceptable"
    assert narrow["gauge"].of_tolerance == pytest.approx(100 * 6 * narrow["gauge"].sd / 0.2)
    assert "fewer than 5 categories" in str(poor)
    assert "tolerance" in narrow._repr_html_()
    assert narrow.to_csv().startswith("component,variance")
    assert found_names(fine) == found_names(narrow)


def found_names(found):
    return [row["component"] for row in found.table()]


@pytest.mark.parametrize("sds", [(1.0, 0.5, 0.0, 0.2), (1.0, 0.1, 0.3, 0.3)])
def test_intervals_hold_the_truth(sds):
    trials, hits = 150, dict.fromkeys(("repeatability", "gauge", "part"), 0)
    part, operator, both, error = sds
    truth = {"repeatability": error, "gauge": math.sqrt(operator**2 + both**2 + error**2), "part": part}
    for seed in range(trials):
        found = quality.gauge_rr(study(1000 + seed, sds=sds), pool=1.0)
        for name in hits:
            low, high = found[name].interval
            hits[name] += low <= truth[name] <= high
    assert min(hits.values()) >= bounds(trials)[0]


@pytest.mark.parametrize(
    ("table", "settings", "message"),
    [
        (study(1, parts=1), {}, "at least 2 parts.*got 1 parts"),
        (study(1, trials=1), {}, "at most 1 readings; measure again"),
        (study(1)[:, :, 0], {}, "order .*part.*operator.*trial.*got shape"),
        (np.full((3, 2, 2), 1.5), {}, "all readings are equal"),
        (np.where(np.arange(90).reshape(10, 3, 3) == 31, np.nan, study(1)), {}, "not finite.*part 4, oper"),
        ({"part": [1, 1], "operator": ["a", "a"]}, {}, r"\['value'\] missing"),
        ({"part": [1, 1, 2], "operator": ["a", "b", "a"], "value": [1.0, 2.0, 3.0]}, {}, "are missing.*part 2"),
        ({"part": [1, 1], "operator": ["a", "a"], "value": [1.0, math.nan]}, {}, "operator a; remove those rows"),
        ({"part": [1, 1], "operator": ["a", "a"], "value": [1.0, "two"]}, {}, "readings must be numbers"),
        ({"part": [1, 1], "operator": ["a"], "value": [1.0, 2.0]}, {}, "one length"),
        ("words", {}, "readings must be numbers"),
        (xr.DataArray(study(1), dims=("a", "b", "c")), {}, "dims"),
        (study(1), {"method": "anove"}, "Did you mean 'anova'"),
        (study(1), {"tolerance": -1.0}, "tolerance, its width must be a number"),
        (study(1), {"pool": 2.0}, "pool is a probability"),
        (study(1), {"level": 1.0}, "level must lie"),
        (study(1, operators=1), {"method": "range"}, "at least 2 operators"),
    ],
)  # fmt: skip
def test_what_is_no_gauge_study_is_refused_with_the_next_move(table, settings, message):
    with pytest.raises(UncertaintyError, match=message):
        quality.gauge_rr(table, **settings)


def test_an_unknown_component_is_named():
    with pytest.raises(UncertaintyError, match=r"no component is named 'parts'.*Did you mean 'part'"):
        quality.gauge_rr(study(1))["parts"]


def test_a_gauge_that_always_shows_the_same_is_not_called_good():
    found = quality.gauge_rr(np.arange(5.0)[:, None, None] * np.ones((5, 3, 2)))
    assert found.verdict == "not resolved"
    assert any("resolution hides the repeatability" in note for note in found.notes)
    with pytest.raises(UncertaintyError, match="take its resolution instead"):
        found.to_quantity()
