"""The 27 nonlinear problems of NIST's Statistical Reference Datasets, each from its two starts.

The models are ordinary user functions, fitted by `peaks.fit` with default settings; nothing is set per problem.
Digits are counted as NIST does: the log relative error, and the least over the parameters of a run. The
standard errors of Lanczos1 cannot have digits: its residuals are the rounding of the data.
Source: https://www.itl.nist.gov/div898/strd, public domain; the data are in nist_strd/problems.txt.
`python tests/published/test_nist_nonlinear.py` prints the table.
"""

import sys
from functools import cache
from pathlib import Path

import lmfit
import numpy as np
import pytest
import xarray as xr

from analysis import peaks

VALIDATION = [
    {
        "what": "54 nonlinear regressions as users' functions, default settings: certified parameters",
        "against": "NIST StRD, nonlinear, 27 problems from 2 starts",
        "agreement": "at least 4 / 6 / 8 digits in 54 / 54 / 53 runs (the least over the parameters)",
    },
    {
        "what": "The standard errors of those fits",
        "against": "NIST StRD, certified standard deviations of the estimates",
        "agreement": "at least 4 / 6 / 8 digits in 52 / 52 / 51 runs",
    },
]
DATA = Path(__file__).with_name("nist_strd") / "problems.txt"
DIGITS = (4, 6, 8)
PARAMETER_RUNS = (54, 54, 53)
STDERR_RUNS = (52, 52, 51)


def bennett(x, b1, b2, b3):
    return b1 * (b2 + x) ** (-1.0 / b3)


def box_bod(x, b1, b2):
    return b1 * (1.0 - np.exp(-b2 * x))


def chwirut(x, b1, b2, b3):
    return np.exp(-b1 * x) / (b2 + b3 * x)


def dan_wood(x, b1, b2):
    return b1 * x**b2


def eckerle(x, b1, b2, b3):
    return b1 / b2 * np.exp(-0.5 * ((x - b3) / b2) ** 2)


def enso(x, b1, b2, b3, b4, b5, b6, b7, b8, b9):
    year = b2 * np.cos(2 * np.pi * x / 12) + b3 * np.sin(2 * np.pi * x / 12)
    first = b5 * np.cos(2 * np.pi * x / b4) + b6 * np.sin(2 * np.pi * x / b4)
    return b1 + year + first + b8 * np.cos(2 * np.pi * x / b7) + b9 * np.sin(2 * np.pi * x / b7)


def gauss(x, b1, b2, b3, b4, b5, b6, b7, b8):
    return b1 * np.exp(-b2 * x) + b3 * np.exp(-((x - b4) ** 2) / b5**2) + b6 * np.exp(-((x - b7) ** 2) / b8**2)


def cubic_by_cubic(x, b1, b2, b3, b4, b5, b6, b7):
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def kirby(x, b1, b2, b3, b4, b5):
    return (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2)


def lanczos(x, b1, b2, b3, b4, b5, b6):
    return b1 * np.exp(-b2 * x) + b3 * np.exp(-b4 * x) + b5 * np.exp(-b6 * x)


def mgh09(x, b1, b2, b3, b4):
    return b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4)


def mgh10(x, b1, b2, b3):
    return b1 * np.exp(b2 / (x + b3))


def mgh17(x, b1, b2, b3, b4, b5):
    return b1 + b2 * np.exp(-x * b4) + b3 * np.exp(-x * b5)


def misra_b(x, b1, b2):
    return b1 * (1 - (1 + b2 * x / 2) ** -2.0)


def misra_c(x, b1, b2):
    return b1 * (1 - (1 + 2 * b2 * x) ** -0.5)


def misra_d(x, b1, b2):
    return b1 * b2 * x / (1 + b2 * x)


def nelson(x1, x2, b1, b2, b3):
    """Model the logarithm of the response, as NIST does."""
    return b1 - b2 * x1 * np.exp(-b3 * x2)


def rat42(x, b1, b2, b3):
    return b1 / (1 + np.exp(b2 - b3 * x))


def rat43(x, b1, b2, b3, b4):
    return b1 / (1 + np.exp(b2 - b3 * x)) ** (1 / b4)


def roszman(x, b1, b2, b3, b4):
    return b1 - b2 * x - np.arctan(b3 / (x - b4)) / np.pi


MODELS = {
    "Bennett5": bennett, "BoxBOD": box_bod, "Chwirut1": chwirut, "Chwirut2": chwirut, "DanWood": dan_wood,
    "ENSO": enso, "Eckerle4": eckerle, "Gauss1": gauss, "Gauss2": gauss, "Gauss3": gauss, "Hahn1": cubic_by_cubic,
    "Kirby2": kirby, "Lanczos1": lanczos, "Lanczos2": lanczos, "Lanczos3": lanczos, "MGH09": mgh09, "MGH10": mgh10,
    "MGH17": mgh17, "Misra1a": box_bod, "Misra1b": misra_b, "Misra1c": misra_c, "Misra1d": misra_d,
    "Nelson": nelson, "Rat42": rat42, "Rat43": rat43, "Roszman1": roszman, "Thurber": cubic_by_cubic,
}  # fmt: skip


@cache
def problems():
    """Read the data: for each problem parameters (name, start 1, start 2, value, stderr) and points."""
    found = {}
    for line in DATA.read_text(encoding="utf-8").splitlines():
        key, *words = line.split()
        if key == "problem":
            current = found[words[0]] = {"parameters": {}, "points": []}
        elif key == "parameter":
            current["parameters"][words[0]] = [float(word) for word in words[1:]]
        elif key == "point":
            current["points"].append([float(word) for word in words])
        elif key != "#":
            current[key] = float(words[0])
    return found


def fitted(name, start):
    """Fit one problem from start 0 or 1."""
    problem = problems()[name]
    table = np.array(problem["points"])
    response = np.log(table[:, 0]) if name == "Nelson" else table[:, 0]
    variables = ["x1", "x2"] if name == "Nelson" else ["x"]
    spectrum = xr.DataArray(
        response,
        dims="channel",
        coords={v: ("channel", column) for v, column in zip(variables, table[:, 1:].T, strict=True)},
    )
    model = lmfit.Model(MODELS[name], independent_vars=variables)
    params = model.make_params(**{b: numbers[start] for b, numbers in problem["parameters"].items()})
    return peaks.fit(spectrum, model, params, axis=variables if len(variables) > 1 else variables[0])


def digits(values, certified):
    with np.errstate(divide="ignore", invalid="ignore"):
        found = -np.log10(np.abs(values - certified) / np.abs(certified))
    return float(np.nan_to_num(np.where(values == certified, 11.0, found), nan=0.0).clip(0.0, 11.0).min())


@cache
def runs():
    """Return the digits of parameters and standard errors of all 54 runs."""
    out = {}
    for name, problem in problems().items():
        certified = np.array(list(problem["parameters"].values()))
        for start in (0, 1):
            fit = fitted(name, start)
            out[name, start + 1] = (
                digits(fit["value"].values, certified[:, 2]),
                digits(fit["stderr"].values, certified[:, 3]),
            )
    return out


def test_there_are_54_runs():
    assert set(problems()) == set(MODELS)
    assert len(runs()) == 54


@pytest.mark.parametrize(("least", "wanted"), list(zip(DIGITS, PARAMETER_RUNS, strict=True)))
def test_parameters_have_the_certified_digits(least, wanted):
    short = {run: found[0] for run, found in runs().items() if found[0] < least}
    assert len(runs()) - len(short) >= wanted, short


@pytest.mark.parametrize(("least", "wanted"), list(zip(DIGITS, STDERR_RUNS, strict=True)))
def test_standard_errors_have_the_certified_digits(least, wanted):
    short = {run: found[1] for run, found in runs().items() if found[1] < least}
    assert len(runs()) - len(short) >= wanted, short


def main():
    sys.stdout.write(f"{'problem':10} start {'parameters':>10} {'stderr':>8}   digits\n")
    for (name, start), (values, errors) in runs().items():
        sys.stdout.write(f"{name:10} {start:5} {values:10.1f} {errors:8.1f}\n")
    found = np.array(list(runs().values()))
    for what, column in zip(("parameters", "standard errors"), found.T, strict=True):
        counts = " / ".join(str(int((column >= least).sum())) for least in DIGITS)
        sys.stdout.write(f"{what}: {counts} of {len(found)} with at least 4 / 6 / 8 digits\n")


if __name__ == "__main__":
    main()
