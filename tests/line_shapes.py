"""One example of every component that the batched engine knows: its lmfit model and sensible values.

The values are those of a spectrum from 10 to 110 in units of the axis with a signal of some hundred counts.
"""

import numpy as np

from analysis.peaks import kinds, models

AXIS = np.linspace(10.0, 110.0, 512)
_USUAL = {
    "amplitude": 3000.0,
    "center": 52.0,
    "sigma": 2.7,
    "sigma_r": 4.1,
    "gamma": 1.4,
    "fraction": 0.3,
    "fraction_r": 0.3,
    "expon": 1.8,
    "expon_r": 1.8,
    "beta": 1.7,
    "skew": -1.5,
    "q": 2.3,
    "decay": 25.0,
    "exponent": -1.4,
    "frequency": 0.8,
    "shift": 0.3,
    "center1": 35.0,
    "sigma1": 2.6,
    "center2": 79.0,
    "sigma2": 3.2,
}
_OWN = {
    "VoigtModel": {"gamma": 2.7},
    "LognormalModel": {"center": 4.0, "sigma": 0.1},
    "DampedOscillatorModel": {"sigma": 0.05, "amplitude": 30.0},
    "DampedHarmonicOscillatorModel": {"gamma": 30.0},
    "ThompsonCoxHastingsModel": {"gamma": 2.7, "sl": 0.0, "hl": 0.0},
    "CoreLevelModel": {"gamma": 1.1, "asymmetry": 0.12},
    "AxialVoigtModel": {"gamma": 2.7, "sl": 0.0, "hl": 0.0},
    "MoffatModel": {"amplitude": 400.0},
    "StudentsTModel": {"sigma": 4.0},
    "BreitWignerModel": {"amplitude": 80.0, "sigma": 6.0},
    "ExponentialGaussianModel": {"gamma": 0.3},
    "DoniachModel": {"gamma": 0.12},
    "SkewedGaussianModel": {"sigma": 4.0, "gamma": 2.5},
    "SkewedVoigtModel": {"gamma": 2.7},
    "PowerLawModel": {"amplitude": 1e5},
    "StepModel": {"amplitude": 300.0},
    "RectangleModel": {"amplitude": 300.0},
}


def model_of(key, prefix="p_"):
    """Make the model of an entry of `kinds.SHAPES`."""
    name, _, form = key.partition("/")
    options = {"form": form} if form else {}
    return models.class_of(name)(prefix=prefix, **options)


def values_of(key, prefix="p_"):
    """Give its parameters in the engine's order."""
    own = _USUAL | _OWN.get(key.partition("/")[0], {})
    return {prefix + name: own[name] for name in kinds.SHAPES[key].names}
