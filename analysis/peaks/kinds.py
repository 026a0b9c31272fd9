"""Codes of the components that the batched engine knows, and their parameters in the engine's order.

Not here: their formulas (`analysis.peaks.shapes`).
"""

GAUSSIAN = 0
LORENTZIAN = 1
PSEUDO_VOIGT = 2
VOIGT = 3
POLYNOMIAL = 4

PEAKS: dict[str, tuple[int, tuple[str, ...]]] = {
    "GaussianModel": (GAUSSIAN, ("amplitude", "center", "sigma")),
    "LorentzianModel": (LORENTZIAN, ("amplitude", "center", "sigma")),
    "PseudoVoigtModel": (PSEUDO_VOIGT, ("amplitude", "center", "sigma", "fraction")),
    "VoigtModel": (VOIGT, ("amplitude", "center", "sigma", "gamma")),
}
# Coefficients from the lowest power up.
POLYNOMIALS: dict[str, tuple[str, ...]] = {
    "ConstantModel": ("c",),
    "LinearModel": ("intercept", "slope"),
    "QuadraticModel": ("c", "b", "a"),
}
