"""Coverage of the 95 % interval of an area: counts drawn in each trial, with the background fitted or taken as true.

With the background that made the data the share must hold the exact binomial bound. With another one, or a static one,
it shows what the model error costs: those intervals know the noise only.
Run:  python run.py bench -k xps_coverage
"""

import sys

import numpy as np
from lmfit.models import ConstantModel

from analysis import baseline, peaks, preprocess, xps
from analysis.peaks.models import CoreLevelModel, ShirleyModel, TougaardModel, scattered
from tests.coverages import bounds

TRIALS = 200
LINES = CoreLevelModel(prefix="a_") + CoreLevelModel(prefix="b_")
TRUE = scattered(LINES, TougaardModel(prefix="t_")) + ConstantModel(prefix="k_")
OTHER = scattered(LINES, ShirleyModel(prefix="s_")) + ConstantModel(prefix="k_")
TRUTH = {
    "a_amplitude": 9000.0, "a_center": 84.0, "a_sigma": 0.28, "a_gamma": 0.16, "a_asymmetry": 0.05,
    "b_amplitude": 6750.0, "b_center": 87.67, "b_sigma": 0.28, "b_gamma": 0.16, "b_asymmetry": 0.05,
    "t_b": 2600.0, "t_c": 1643.0, "k_c": 400.0,
}  # fmt: skip
ENERGY = np.arange(72.0, 132.0, 0.1)
WINDOW = {"low": 76.0, "high": 98.0}


def start_of(model):
    params = model.make_params(**{name: value for name, value in TRUTH.items() if name in model.param_names})
    return xps.doublet(params, "a_", "b_", splitting=3.67, ratio="f", vary_splitting=True)


def active(model, spectrum):
    return peaks.fit(spectrum, model, start_of(model), axis="binding_energy", loss="poisson")


def static(rule, spectrum):
    flat = baseline.subtract(spectrum, rule(spectrum, axis="binding_energy"))
    sigma = np.sqrt(np.maximum(spectrum["signal"].values, 1.0))
    return peaks.fit(flat, LINES, start_of(LINES), axis="binding_energy", sigma=sigma)


def narrow(spectrum):
    return preprocess.crop(spectrum, axis="binding_energy", low=78.0, high=94.0)


WAYS = {
    "active Tougaard, as it is": lambda spectrum: active(TRUE, spectrum),
    "active Shirley": lambda spectrum: active(OTHER, narrow(spectrum)),
    "static Tougaard": lambda spectrum: static(xps.tougaard, spectrum),
    "static Shirley": lambda spectrum: static(xps.shirley, narrow(spectrum)),
}


def test_xps_coverage(capsys):
    x = np.linspace(WINDOW["low"], WINDOW["high"], 20001)
    true = np.trapezoid(LINES.eval(x=x, **{n: v for n, v in TRUTH.items() if n in LINES.param_names}), x)
    found = {way: [] for way in WAYS}
    for trial in range(TRIALS):
        spectrum = xps.simulate(TRUE, TRUTH, energy=ENERGY, seed=trial)
        for way, fit in WAYS.items():
            found[way].append(peaks.integral(fit(spectrum), ["a_", "b_"], **WINDOW))
    held = {way: np.mean([abs(q.value - true) <= q.U() for q in each]) for way, each in found.items()}
    bias = {way: np.mean([q.value for q in each]) / true - 1 for way, each in found.items()}
    with capsys.disabled():
        lines = [f"coverage of 95 % intervals of an area, {TRIALS} trials each (standard error 1.5 %)"]
        lines += [f"{100 * held[way]:6.1f} %  bias {100 * bias[way]:+6.2f} %  {way}" for way in WAYS]
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    low, high = (each / TRIALS for each in bounds(TRIALS))
    assert low <= held["active Tougaard, as it is"] <= high
    assert bias["static Shirley"] < bias["active Shirley"] < -0.01
