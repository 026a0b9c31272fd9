"""NIST's Statistical Reference Datasets for linear regression, analysis of variance and univariate statistics.

Certified to 15 digits (11 for some): what is asserted is 2e-14 of the value, all digits that are printed. Source:
https://www.itl.nist.gov/div898/strd, public domain; the data are in nist_strd, generated ones are made here.
"""

import math
from pathlib import Path

import numpy as np
import pytest

from analysis import uncertainty

VALIDATION = [
    {
        "what": "Linear regression, 11 problems of all levels of difficulty (Filip, Longley, Wampler1 to 5, ...): "
        "parameters, their standard deviations, residual standard deviation, R squared, F",
        "against": "NIST StRD, linear least squares",
        "agreement": "all certified digits (2e-14)",
    },
    {
        "what": "One-way analysis of variance, 11 problems (SmLs07 to 09 have 13 constant leading digits)",
        "against": "NIST StRD, analysis of variance",
        "agreement": "all certified digits (2e-14)",
    },
    {
        "what": "Mean, standard deviation, autocorrelation: PiDigits, Lottery, Lew, Mavro, Michelso, NumAcc1 to 4",
        "against": "NIST StRD, univariate summary statistics",
        "agreement": "all certified digits (2e-14)",
    },
]
FOLDER = Path(__file__).with_name("nist_strd")
ALL = 2e-14


def blocks(name):
    """Split a data file into {problem: lines of words}."""
    found = {}
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[0] == "problem":
            found[words[1]] = current = []
        elif words[0] != "#":
            current.append(words)
    return found


LINEAR, ANOVA, SERIES = blocks("linear.txt"), blocks("anova.txt"), blocks("univariate.txt")


def numbers(lines, head):
    return np.array([[float(word) for word in line[1:]] for line in lines if line[0] == head])


def fit(lines):
    degree, constant = next(line[1:] for line in lines if line[0] == "model")
    table = np.array([[float(word) for word in line] for line in lines if line[0][0] in "-.0123456789"])
    predictors = table[:, 1] if table.shape[1] == 2 else table[:, 1:]
    chosen = None if degree == "matrix" else int(degree)
    return uncertainty.regression(predictors, table[:, 0], degree=chosen, intercept=constant == "yes")


@pytest.mark.parametrize("problem", LINEAR)
def test_a_linear_regression_has_all_certified_digits(problem):
    lines = LINEAR[problem]
    found, certified = fit(lines), numbers(lines, "parameter")
    np.testing.assert_allclose(found.values, certified[:, 0], rtol=ALL)
    np.testing.assert_allclose(found.u, certified[:, 1], rtol=ALL)
    residual_sd, r_squared, ratio = numbers(lines, "statistics")[0]
    assert found.residual_sd == pytest.approx(residual_sd, rel=ALL)
    assert found.r_squared == pytest.approx(r_squared, rel=ALL)
    if not math.isnan(ratio):
        assert ratio == pytest.approx(found.F, rel=ALL)


@pytest.mark.parametrize("problem", ANOVA)
def test_an_analysis_of_variance_has_all_certified_digits(problem):
    head, *groups = ANOVA[problem]
    found = uncertainty.anova({str(i): np.array(each, dtype=float) for i, each in enumerate(groups)})
    shown = (found.ms_between, found.ms_within, found.F, found.r_squared, found.residual_sd)
    np.testing.assert_allclose(shown, [float(word) for word in head[1:]], rtol=ALL)


@pytest.mark.parametrize("replicates", [21, 201, 2001])
@pytest.mark.parametrize("leading", [1, 10**6, 10**12])
def test_simon_and_lesage_groups_have_all_certified_digits(leading, replicates):
    # SmLs01 to SmLs09: the mean of a group ends in .4, .3, .5, .3, .5 ...; its readings alternate by 0.1 about it.
    middle = [4, *(3 if group % 2 else 5 for group in range(1, 9))]
    table = [
        [float(f"{leading}.{each + (0 if j == 0 else -1 if j % 2 else 1)}") for j in range(replicates)]
        for each in middle
    ]
    found = uncertainty.anova(table)
    assert found.ms_within == pytest.approx(0.01, rel=ALL)
    assert found.ms_between == pytest.approx(replicates / 100, rel=ALL)
    assert pytest.approx(replicates, rel=ALL) == found.F


def pi_digits():
    """Return the data of PiDigits: 5000 digits of pi by Machin's formula, with the one digit that NIST's file has
    otherwise (the 957th is 3 there, not 8; the certified values belong to the file)."""
    unit = 10**5010

    def arc_tangent(inverse):
        total = power = unit // inverse
        divisor, sign = 1, 1
        while power:
            power //= inverse * inverse
            divisor, sign = divisor + 2, -sign
            total += sign * (power // divisor)
        return total

    rest, digits = 4 * (4 * arc_tangent(5) - arc_tangent(239)), []
    for _ in range(5):  # in pieces: Python refuses to write integers of more than 4300 digits at once
        head, rest = divmod(rest, unit // 10**999)
        digits += [float(digit) for digit in f"{head:01000d}"]
        rest *= 10**1000
    digits[956] -= 5
    return digits


UNIVARIATE = {
    "PiDigits": (pi_digits, 4.5348, 2.86733906028871, -0.00355099287237972),
    "NumAcc1": (lambda: [10000001, 10000003, 10000002], 10000002, 1, -0.5),
    "NumAcc2": (lambda: [1.2] + [1.1, 1.3] * 500, 1.2, 0.1, -0.999),
    "NumAcc3": (lambda: [1000000.2] + [1000000.1, 1000000.3] * 500, 1000000.2, 0.1, -0.999),
    "NumAcc4": (lambda: [10000000.2] + [10000000.1, 10000000.3] * 500, 10000000.2, 0.1, -0.999),
}


@pytest.mark.parametrize("problem", UNIVARIATE)
def test_summary_statistics_have_all_certified_digits(problem):
    readings, *certified = UNIVARIATE[problem]
    found = uncertainty.describe(readings())
    np.testing.assert_allclose((found.mean, found.sd, found.autocorrelation), certified, rtol=ALL)


@pytest.mark.parametrize("problem", SERIES)
def test_observed_series_have_all_certified_digits(problem):
    head, *lines = SERIES[problem]
    found = uncertainty.describe([float(word) for line in lines for word in line])
    certified = [float(word) for word in head[1:]]
    np.testing.assert_allclose((found.mean, found.sd, found.autocorrelation), certified, rtol=ALL)
