"""Starts near and far: the optimum is found, and nothing else is called converged."""

import numpy as np
import pytest

from analysis import peaks
from analysis.peaks import Status
from tests import workload

COUNT = 600


def fitted(work, start, *, bounded):
    params = work.bounded() if bounded else work.params
    fit = peaks.fit(work.spectra(), work.model, params, axis=workload.AXIS, start=start)
    return fit["chisqr"].values, fit["status"].values


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("case", ["a", "b"])
def test_the_optimum_is_that_of_a_fit_from_the_truth(case, far):
    work = workload.make(case, spectra=COUNT, points=256, seed=31)
    chisqr, status = fitted(work, work.starts(far=far), bounded=far)
    from_truth, _ = fitted(work, dict(zip(work.names, work.truth.T, strict=True)), bounded=far)
    lowest = np.fmin(chisqr, from_truth)
    right = chisqr - lowest <= 1e-6 * lowest
    assert right.mean() >= (0.99 if far else 0.998)
    assert not ((status == Status.CONVERGED) & ~right).any()


def test_a_local_fit_to_one_of_two_peaks_stays_where_it_was_started():
    x = np.linspace(0.0, 100.0, 400)
    model = workload.make("a", spectra=1, points=8).model
    y = model.eval(x=x, amplitude=9000.0, center=30.0, sigma=4.0, c=50.0)
    y += model.eval(x=x, amplitude=4000.0, center=75.0, sigma=4.0, c=0.0)
    start = model.make_params(amplitude=3000.0, center=74.0, sigma=3.0, c=60.0)
    fit = peaks.fit(workload_spectrum(x, y), model, start, axis=workload.AXIS)
    assert abs(fit["value"].sel(parameter="center") - 75.0) < 2.0


def workload_spectrum(x, y):
    work = workload.make("a", spectra=1, points=x.size)
    return work.spectra(uncertain=False).isel(spectrum=0).assign(signal=("channel", y))
