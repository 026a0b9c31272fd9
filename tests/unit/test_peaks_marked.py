"""Peaks that were marked by hand, against spectra of known truth."""

import numpy as np
import pytest
import xarray as xr

from analysis import peaks
from analysis.core import ModelError, SpectrumError
from analysis.peaks import Mark


@pytest.fixture
def spectrum():
    x = np.linspace(100.0, 200.0, 501)
    y = 20 + 0.1 * x + 300 * np.exp(-4 * np.log(2) * ((x - 140) / 6) ** 2) + 200 / (1 + 4 * ((x - 160) / 5) ** 2)
    noisy = y + np.random.default_rng(1).normal(0, 1, x.size)
    return xr.Dataset(
        {"signal": ("channel", noisy, {"units": "counts"}), "u_signal": ("channel", np.ones(x.size))},
        coords={"shift": ("channel", x, {"units": "cm-1"})},
    )


MARKS = [
    Mark(center=142, height=200, fwhm=9, shape="gaussian"),
    Mark(center=158, height=150, fwhm=8, shape="lorentzian"),
]


def test_marked_peaks_are_found_within_their_uncertainty(spectrum):
    found = peaks.fit_marked(spectrum, axis="shift", marks=MARKS, background="linear", low=110, high=190)
    for name, truth in {
        "p1_center": 140,
        "p2_center": 160,
        "p1_fwhm": 6,
        "p2_fwhm": 5,
        "p1_height": 300,
        "p2_height": 200,
    }.items():
        got = peaks.quantity(found, name)
        assert abs(got.value - truth) < 4 * got.u, name
    assert found.sizes["channel"] == 401


@pytest.mark.parametrize("shape", ["gaussian", "lorentzian", "voigt", "pseudo_voigt"])
@pytest.mark.parametrize("background", ["none", "constant", "linear", "quadratic"])
def test_a_mark_is_where_its_line_starts(spectrum, shape, background):
    mark = Mark(center=140.0, height=300.0, fwhm=6.0, shape=shape)
    found = peaks.fit_marked(spectrum, axis="shift", marks=[mark], background=background, low=120, high=150)
    start = dict(zip(found["parameter"].values.tolist(), found["initial"].values.tolist(), strict=True))
    assert start["p1_center"] == 140.0
    assert start["p1_fwhm"] == pytest.approx(6.0, rel=1e-3)
    assert start["p1_height"] == pytest.approx(300.0, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"marks": [Mark(center=300, height=1, fwhm=1)]}, "outside the range"),
        ({"marks": [Mark(center=140, height=1, fwhm=0)]}, "width above 0"),
        ({"marks": [Mark(center=140, height=1, fwhm=1, shape="lorentz")]}, "lorentzian"),
        ({"marks": [], "background": "none"}, "nothing to fit"),
        ({"marks": [], "background": "cubic"}, "none of"),
    ],
)
def test_marks_that_make_no_sense_are_refused(spectrum, settings, words):
    with pytest.raises(ModelError, match=words):
        peaks.fit_marked(spectrum, axis="shift", **settings)


def test_a_map_has_no_marks(spectrum):
    with pytest.raises(SpectrumError, match="one spectrum"):
        peaks.fit_marked(spectrum.expand_dims(row=2), axis="shift", marks=MARKS)


def test_held_tied_and_bounded_marks_are_kept(spectrum):
    first = Mark(center=140, height=250, fwhm=6.5, shape="gaussian", held=("center",), fwhm_range=(6.2, 8.0))
    second = Mark(center=161, height=200, fwhm=6, shape="lorentzian", width_of=1, distance_to=1)
    found = peaks.fit_marked(spectrum, axis="shift", marks=[first, second])
    value = dict(zip(found["parameter"].values, found["value"].values, strict=True))
    assert value["p1_center"] == 140.0
    assert value["p2_center"] - value["p1_center"] == pytest.approx(21.0)
    assert value["p1_fwhm"] == pytest.approx(value["p2_fwhm"], rel=1e-5)  # lmfit's own factors have seven digits
    assert value["p1_fwhm"] == pytest.approx(6.2, rel=1e-5), "truth 6 lies outside the limits"


def test_a_tied_doublet_has_smaller_uncertainties_than_a_free_one(spectrum):
    free = peaks.fit_marked(spectrum, axis="shift", marks=MARKS)
    tied = [MARKS[0], Mark(center=162, height=150, fwhm=8, shape="lorentzian", distance_to=1)]
    bound = peaks.fit_marked(spectrum, axis="shift", marks=tied)
    assert peaks.quantity(bound, "p2_center").u < peaks.quantity(free, "p2_center").u
    assert float(bound["ndata"]) == float(free["ndata"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width_of": 2}, "earlier peak"),
        ({"width_of": 1, "held": ("fwhm",)}, "both held and tied"),
        ({"center_range": (100.0, 150.0)}, "outside its limits"),
        ({"fwhm_range": (9.0, 12.0)}, "outside its limits"),
    ],
)
def test_ties_and_limits_that_contradict_are_refused(spectrum, settings, said):
    second = Mark(center=158, height=150, fwhm=8, **settings)
    with pytest.raises(ModelError, match=said):
        peaks.fit_marked(spectrum, axis="shift", marks=[MARKS[0], second])
