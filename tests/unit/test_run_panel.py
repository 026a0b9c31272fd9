"""Long work in a thread: it reports, it can be cancelled, and what it raises is not lost."""

import threading

import numpy as np
import pytest
import xarray as xr
from lmfit.models import GaussianModel

from analysis import peaks, widgets
from analysis.core import MetrospecError


def test_the_result_is_that_of_the_call_and_the_bar_ends_full():
    panel = widgets.run(lambda report: [report(k, 4) for k in range(5)], label="counting")
    assert panel.wait(10) == [True] * 5
    assert (panel.state, panel.bar.value, panel.text()) == ("done", 1.0, "counting: done")
    panel.cancel()
    assert panel.state == "done"


def test_cancel_stops_a_call_that_asks():
    begun, seen = threading.Event(), []

    def call(report):
        while report(len(seen), 10**9):
            seen.append(0)
            begun.set()
        return len(seen)

    panel = widgets.run(call, label="endless")
    assert begun.wait(10)
    with pytest.raises(MetrospecError, match="still running after"):
        panel.wait(0.01)
    panel.button.click()
    assert panel.wait(10) == len(seen)
    assert (panel.state, panel.button.disabled) == ("cancelled", True)


def test_what_the_call_raises_is_shown_escaped_and_raised_again():
    def call(_):
        msg = "no <b>lamp</b>"
        raise OSError(msg)

    panel = widgets.run(call, label="broken")
    with pytest.raises(OSError, match="lamp"):
        panel.wait(10)
    assert panel.text() == "broken: failed: OSError: no <b>lamp</b>"
    assert "no &lt;b&gt;lamp" in panel.words.value


def test_a_map_that_is_cancelled_keeps_what_is_fitted():
    x = np.linspace(-5, 5, 64)
    y = np.exp(-(x**2)) + np.tile(np.random.default_rng(1).normal(0, 0.01, (2000, 64)), (100, 1))
    spectra = xr.Dataset({"signal": (("row", "channel"), y)}, coords={"x": ("channel", x, {"units": "nm"})})
    model, reached = GaussianModel(), threading.Event()
    start = model.make_params(amplitude=1, center=0.1, sigma=1)

    def call(report):
        def told(done, total):
            reached.set()
            return report(done, total)

        return peaks.fit(spectra, model, start, axis="x", progress=told)

    panel = widgets.run(call, label="fit of the map")
    assert reached.wait(60)
    panel.cancel()
    status = panel.wait(60)["status"].values
    assert panel.state == "cancelled"
    assert set(status) == {peaks.Status.CANCELLED, peaks.Status.CONVERGED}
