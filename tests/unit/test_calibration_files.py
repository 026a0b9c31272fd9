"""Calibrations of axis and intensity in files, and results redone from their history."""

import numpy as np
import pytest
import xarray as xr

from analysis import calibration, io, replay
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity, Source, sources

COUNT = 40
X = np.linspace(250.0, 3300.0, COUNT)


def q(value, u, units):
    return Quantity(value=value, u=u, units=units)


def counts(value):
    return q(value, value**0.5, "counts")


def spectrum(signal, u):
    found = xr.Dataset(
        {
            "signal": ("channel", signal, {"units": "counts"}),
            "u_signal": ("channel", np.full(COUNT, u), {"units": "counts"}),
        },
        coords={"raman_shift": ("channel", X, {"units": "cm-1"})},
    )
    return sources.attach(found, "raman_shift", {Source(id="laser", label="laser"): np.full(COUNT, 0.5)}, ("channel",))


def raw():
    """Return the spectra that all of this starts from."""
    curve = calibration.intensity_standard("SRM 2241", expanded=0.03)
    pieces = {"sample": spectrum(np.full(COUNT, 300.0), 3.0), "glass": spectrum(1e4 * curve.value(X), 50.0)}
    for k in (2, 20, 37):
        pieces[f"line{k}"] = spectrum(np.where(np.arange(COUNT) == k, 1e4, 1.0), 1.0)
    return pieces


def calibrations(pieces):
    curve = calibration.intensity_standard("SRM 2241", expanded=0.03)
    levels = [(5e3, 9e3, 14.1e3), (12e3, 20e3, 32.5e3), (24e3, 24e3, 49e3)]
    series = [counts(each) for each in (1e3, 1.99e3, 2.98e3, 3.95e3)]
    lines = [piece for name, piece in pieces.items() if name.startswith("line")]
    return {
        "response": calibration.response(pieces["glass"], curve),
        "smooth": calibration.response(pieces["glass"], curve, degree=2),
        "flux": calibration.flux_addition([tuple(counts(each) for each in row) for row in levels]),
        "series": calibration.fit_linearity([1, 2, 3, 4], series),
        "stray": calibration.stray_light(lines, in_band=2),
    }


def apply(made, sample):
    if isinstance(made, calibration.ResponseCalibration):
        return calibration.apply_response(made, sample)
    if isinstance(made, calibration.LinearityCalibration):
        return calibration.apply_linearity(made, sample)
    return calibration.apply_stray_light(made, sample)


@pytest.mark.parametrize("name", ["response", "smooth", "flux", "series", "stray"])
def test_a_calibration_comes_back_from_a_file_and_a_result_is_redone(name, tmp_path):
    pieces = raw()
    made = calibrations(pieces)[name]
    back = io.read_calibration(io.write(made, tmp_path / "calibration.nc"))
    ours, theirs = apply(made, pieces["sample"]), apply(back, pieces["sample"])
    bare = ["source", "source_info", "signal_sources", "raman_shift_sources"]
    xr.testing.assert_identical(ours.drop_vars(bare), theirs.drop_vars(bare))
    before, after = sources.detach(ours, "signal"), sources.detach(theirs, "signal")
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[source], after[source]) for source in before)
    assert len(repr(back)) < 200
    path = io.write({**pieces, "result": ours}, tmp_path / "result.nc")
    assert replay.replay(path).attrs["replay"].startswith("bit-identical")


def test_a_resolution_function_comes_back_from_a_file(tmp_path):
    lines = [(q(x, 0.01, "nm"), q(0.5 + x / 1e4, 0.002, "nm")) for x in (400.0, 500.0, 600.0, 700.0)]
    made = calibration.fit_resolution(lines, axis="wavelength", natural=q(0.01, 0.001, "nm"))
    back = io.read_calibration(io.write(made, tmp_path / "resolution.nc"))
    assert back.fwhm(550.0) == made.fwhm(550.0)
    assert (back.shape, back.axis, back.notes) == (made.shape, made.axis, made.notes)


def test_something_else_than_a_calibration_is_refused_by_name():
    sample = raw()["sample"]
    for call, made_by in (
        (lambda: calibration.apply_response(sample, sample), "calibration.response"),
        (lambda: calibration.response(sample, sample), "calibration.intensity_standard"),
        (lambda: calibration.apply_linearity(sample, sample), "calibration.flux_addition"),
        (lambda: calibration.apply_stray_light(sample, sample), "calibration.stray_light"),
        (lambda: calibration.apply_transfer(sample, sample), "calibration.fit_transfer"),
        (lambda: calibration.transfer_axis(sample, sample, axis="raman_shift"), "calibration.fit_line"),
        (lambda: calibration.flux_addition([(1.0, 2.0, 3.0), (2.0, 3.0, 5.0)]), "Quantity"),
        (lambda: calibration.fit_resolution([(1, 2), (3, 4), (5, 6)], axis="raman_shift"), "peaks.quantity"),
        (lambda: calibration.convert_axis(sample, axis="raman_shift", to="energy", air=20.0), "AirConditions"),
    ):
        with pytest.raises(CalibrationError, match=made_by):
            call()
