"""What a long fit tells while it runs, and what is left of one that is stopped."""

import json

import numpy as np
import pytest

from analysis import peaks
from analysis.peaks import Status
from tests.fitted import X, peak_and_line, spectra

MODEL, PARAMS = peak_and_line()
BLOCK = 2**20 // X.size
ROWS = 3 * BLOCK
MAP = spectra(MODEL, PARAMS, (ROWS,))


def fit(**settings):
    return peaks.fit(MAP, MODEL, PARAMS, axis="raman_shift", threads=1, **settings)


def test_a_callback_that_says_false_stops_the_fit_and_keeps_what_is_done():
    stopped = fit(progress=lambda done, total: done < total / 3)
    status = stopped["status"].values
    assert (status[:BLOCK] == Status.CONVERGED).all()
    assert (status[BLOCK:] == Status.CANCELLED).all()
    assert np.isnan(stopped["value"].values[BLOCK:]).all()
    np.testing.assert_array_equal(stopped["value"][:BLOCK], fit()["value"][:BLOCK])
    assert any("cancelled before" in line for line in json.loads(stopped.attrs["advice"]))


def test_an_interrupt_keeps_what_is_done_if_progress_was_asked_for():
    def interrupt(*_):
        raise KeyboardInterrupt

    assert (fit(progress=interrupt)["status"] == Status.CONVERGED).sum() == BLOCK


def test_an_interrupt_of_a_silent_fit_is_an_interrupt(monkeypatch):
    from analysis.peaks import batched  # noqa: PLC0415 - numba is slow to import

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(batched.Batched, "solve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit()


def test_true_writes_how_far_it_is(capsys):
    fit(progress=True)
    assert f"{ROWS} of {ROWS} spectra" in capsys.readouterr().err


def test_the_lmfit_engine_stops_as_well():
    few = MAP.isel(row=slice(0, 4))
    stopped = peaks.fit(few, MODEL, PARAMS, axis="raman_shift", engine="lmfit", progress=lambda done, _: done < 2)
    assert stopped["status"].values.tolist() == [Status.CONVERGED] * 2 + [Status.CANCELLED] * 2
