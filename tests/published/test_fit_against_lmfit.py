"""The batched engine against lmfit's leastsq on the same 500 spectra.

What is claimed: chi-square equal within 1e-6, values within 1e-3 standard errors, standard errors within
1e-4. lmfit runs three times, each from the last optimum, with ftol = xtol = 1e-15, because its own
convergence test stops at about 1e-8; its standard errors come from forward differences and are good to
about 1e-5 on these models. `python tests/published/test_fit_against_lmfit.py` prints the table.
"""

import sys
import warnings

import lmfit
import numpy as np
import pytest
import xarray as xr
from lmfit.models import (
    ConstantModel,
    GaussianModel,
    LinearModel,
    LorentzianModel,
    PseudoVoigtModel,
    VoigtModel,
)

from analysis import peaks

VALIDATION = [
    {
        "what": "batched fits of 500 spectra: five line models with backgrounds, bounds and a tie",
        "against": "lmfit's leastsq at ftol = xtol = 1e-15",
        "agreement": "chi-square 1e-6 relative, values 1e-3 of their standard error, standard errors 1e-4 relative",
    },
]
EACH = 100
NOISE = 2.0
AXIS = np.linspace(480.0, 560.0, 128)


def gaussian():
    model = GaussianModel(prefix="p_") + ConstantModel(prefix="b_")
    return model, model.make_params(p_amplitude=900, p_center=520, p_sigma=4, b_c=30)


def lorentzian_bounded():
    model = LorentzianModel(prefix="p_") + LinearModel(prefix="b_")
    params = model.make_params(p_amplitude=900, p_center=520, p_sigma=4, b_intercept=-20, b_slope=0.1)
    params["p_center"].set(min=500, max=540)
    params["p_amplitude"].set(min=0, max=5000)
    params["b_slope"].set(min=-1, max=1)
    return model, params


def pseudo_voigt():
    model = PseudoVoigtModel(prefix="p_") + LinearModel(prefix="b_")
    params = model.make_params(p_amplitude=2500, p_center=520, p_sigma=4, b_intercept=-20, b_slope=0.1)
    return model, params


def voigt():
    model = VoigtModel(prefix="p_") + ConstantModel(prefix="b_")
    return model, model.make_params(p_amplitude=900, p_center=520, p_sigma=3, b_c=30)


def tied_pair():
    model = GaussianModel(prefix="p_") + LorentzianModel(prefix="q_") + ConstantModel(prefix="b_")
    params = model.make_params(
        p_amplitude=900, p_center=510, p_sigma=3, q_amplitude=1500, q_center=528, q_sigma=4, b_c=30
    )
    params["q_center"].set(expr="p_center + 18")
    return model, params


CASES = {case.__name__: case for case in (gaussian, lorentzian_bounded, pseudo_voigt, voigt, tied_pair)}


def spectra(model, params, seed):
    """Draw true parameters within 15 % of the start, centres within one unit, and add noise."""
    rng = np.random.default_rng(seed)
    signal = np.empty((EACH, AXIS.size))
    for row in signal:
        true = params.copy()
        for name, par in true.items():
            if par.vary:
                wide = name.endswith("center")
                par.value = par.value + rng.uniform(-1, 1) if wide else par.value * rng.uniform(0.85, 1.15)
        row[:] = model.eval(true, x=AXIS) + rng.normal(0, NOISE, AXIS.size)
    return xr.DataArray(
        signal, dims=("n", "channel"), coords={"raman_shift": ("channel", AXIS)}, attrs={"units": "counts"}
    )


def by_lmfit(model, params, row):
    settings = {"x": AXIS, "weights": np.full(AXIS.size, 1 / NOISE), "scale_covar": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3):
            result = model.fit(row, params, fit_kws={"ftol": 1e-15, "xtol": 1e-15}, **settings)
            params = result.params
    return result


def compare(case):
    """Return the largest differences over the spectra: chi-square, values in u, relative stderr."""
    model, params = CASES[case]()
    data = spectra(model, params, seed=list(CASES).index(case))
    fit = peaks.fit(data, model, params, axis="raman_shift", sigma=NOISE)
    assert (fit.status == peaks.Status.CONVERGED).all()
    worst = np.zeros(3)
    for n in range(EACH):
        other = by_lmfit(model, params, data.values[n])
        one = fit.isel(n=n)
        values = np.array([other.params[str(k)].value for k in one.parameter.values])
        errors = np.array([other.params[str(k)].stderr for k in one.parameter.values])
        inside = one.parameter_status.values != peaks.ParameterStatus.AT_BOUND
        assert inside.all() == np.isfinite(one.stderr.values).all()
        differences = (
            abs(float(one.chisqr) / other.chisqr - 1),
            np.nanmax(abs(one.value.values - values) / one.stderr.values),
            np.nanmax(abs(one.stderr.values / errors - 1)),
        )
        at_bound = not inside.all()
        worst = np.maximum(worst, differences if not at_bound else (differences[0], 0.0, 0.0))
    return worst


@pytest.mark.parametrize("case", CASES)
def test_batched_equals_lmfit_on_the_same_spectra(case):
    chisqr, value, stderr = compare(case)
    assert chisqr <= 1e-6
    assert value <= 1e-3
    assert stderr <= 1e-4


def main():
    sys.stdout.write(f"batched against lmfit {lmfit.__version__}, {EACH} spectra each; largest differences\n")
    sys.stdout.write(f"{'case':20} {'chi-square':>12} {'value / u':>12} {'stderr':>12}\n")
    for case in CASES:
        chisqr, value, stderr = compare(case)
        sys.stdout.write(f"{case:20} {chisqr:12.1e} {value:12.1e} {stderr:12.1e}\n")


if __name__ == "__main__":
    main()
