"""Bad input along the chain: each refusal says what it got, what it wanted and the next move."""

import json

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, GaussianModel

from analysis import baseline, calibration, io, peaks, preprocess, report, uncertainty
from analysis.core import CalibrationError, MetrospecError, ModelError, SpectrumError, UncertaintyError
from analysis.uncertainty import Quantity

X = np.linspace(400.0, 700.0, 300)
MODEL = GaussianModel() + ConstantModel()
PARAMS = MODEL.make_params(amplitude=1.2e4, center=520, sigma=5, c=100)
SIGNAL = MODEL.eval(PARAMS, x=X) + 3 * np.sin(40 * X)
UNITS = {"units": "counts"}
SPECTRUM = xr.Dataset(
    {"signal": ("channel", SIGNAL, UNITS), "u_signal": ("channel", np.full(300, 3.0), UNITS)},
    coords={"raman_shift": ("channel", X, {"units": "cm-1"})},
)
MAP = xr.concat([SPECTRUM, SPECTRUM], "row")
LINES = calibration.lines("Ne", 530, 640, units="nm")
LASER = Quantity(value=532.05, u=0.01, units="nm", label="laser")


def fit(spectrum=SPECTRUM, **settings):
    return peaks.fit(spectrum, MODEL, PARAMS, **{"axis": "raman_shift", **settings})


@pytest.fixture(scope="module")
def lamp():
    return io.sample("raman_neon")


@pytest.fixture(scope="module")
def axis(lamp):
    return calibration.fit_axis(calibration.match(lamp, LINES), axis="wavelength", degree=3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fit(axis=[]), SpectrumError, "axis must be the name of one coordinate"),
        (lambda: peaks.find(SPECTRUM, axis=None), SpectrumError, "axis must be the name of one coordinate"),
        (lambda: fit(SPECTRUM.assign(u_signal=SPECTRUM.u_signal.astype(str))), SpectrumError, "must hold real numbers"),
        (lambda: fit(SPECTRUM.astype(complex)), SpectrumError, "real numbers; got dtype complex128"),
        (lambda: fit(preprocess.smooth(SPECTRUM, window=5)), SpectrumError, "as it was before preprocess.smooth"),
        (lambda: fit(loss="poison"), ModelError, "got 'poison'. Did you mean 'poisson'"),
        (lambda: peaks.find(SPECTRUM, axis="raman_shift", sigma=0.0), SpectrumError, "positive and finite, got 0"),
        (lambda: peaks.find(SPECTRUM, axis="raman_shift", min_snr=-1), SpectrumError, "min_snr must be above 0"),
        (lambda: peaks.guess("gauss", SPECTRUM, axis="raman_shift"), ModelError, "must be an lmfit model.*got str"),
        (lambda: peaks.quantity(SPECTRUM, "center"), ModelError, "wanted the result of peaks.fit"),
        (lambda: peaks.quantity(fit(MAP), "center", at=[1]), ModelError, "must name a position for each dim"),
        (lambda: peaks.quantity(fit(MAP), "center", at={"row": 0.7}), ModelError, "wants an integer for each dim"),
        (lambda: peaks.to_lmfit(fit(), SPECTRUM.isel(channel=slice(9))), SpectrumError, "as it was fitted"),
        (lambda: baseline.subtract(SPECTRUM, 5.0), SpectrumError, "baseline is a DataArray.*got a float"),
        (lambda: preprocess.smooth(SPECTRUM, window=5.5), SpectrumError, "in whole numbers"),
        (lambda: calibration.lines("Ne", 640, 530, units="nm"), CalibrationError, "needs low < high"),
        (lambda: calibration.fit_axis(LINES, axis="wavelength", degree=3), CalibrationError, "needs the pairs"),
        (lambda: calibration.apply(None, SPECTRUM), CalibrationError, "needs a calibration first"),
        (lambda: uncertainty.sample(LASER, seed=1), UncertaintyError, "draws from a budget.*got a Quantity"),
        (lambda: report.certificate(LASER), MetrospecError, "of budgets or a calibration, got a Quantity"),
    ],
)
def test_a_wrong_thing_is_refused_with_the_next_move(call, error, message):
    before = SPECTRUM.copy(deep=True)
    with pytest.raises(error, match=message):
        call()
    assert SPECTRUM.identical(before)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (LINES.drop_vars("value"), r"\['value'\] missing"),
        (LINES.drop_vars("u"), r"\['u'\] missing"),
        (LINES.assign(value=LINES["value"].drop_attrs()), "have no units"),
        (LINES.assign(value=LINES["value"] * np.nan).assign_attrs(LINES.attrs), "no units|not all finite"),
        (None, "got a NoneType"),
    ],
)
def test_match_refuses_what_is_no_table_of_lines(table, message, lamp):
    with pytest.raises(CalibrationError, match=message):
        calibration.match(lamp, table)


def test_match_refuses_silence_and_a_map(lamp):
    with pytest.raises(CalibrationError, match="no line stands 8 times above the noise"):
        calibration.match(lamp.assign(signal=lamp["signal"] * 0), LINES)
    with pytest.raises(CalibrationError, match="one spectrum is needed"):
        calibration.match(xr.concat([lamp, lamp], "row"), LINES)


def test_an_axis_refuses_nan_wrong_units_and_a_laser_without_uncertainty(axis):
    with pytest.raises(CalibrationError, match="outside the fitted lines"):
        axis.predict(np.nan)
    with pytest.raises(CalibrationError, match="got a position in 'nm'"):
        axis.predict(Quantity(value=300, u=1, units="nm"))
    with pytest.raises(CalibrationError, match="laser must be a Quantity above 0"):
        axis.to_raman_shift(laser=532.0)
    assert len(repr(axis).splitlines()) < 10


def test_check_refuses_a_map(axis):
    bands = calibration.lines("polystyrene", 500, 1700, units="cm-1")
    with pytest.raises(CalibrationError, match="one spectrum is needed"):
        calibration.check(axis.to_raman_shift(laser=LASER), io.sample("raman_silicon_map"), bands)


def test_saturated_channels_and_smoothed_noise_are_said_in_the_advice():
    clipped = SPECTRUM.assign(saturated=("channel", (SPECTRUM["signal"].values > 1000).astype(np.int8)))
    assert any("fitted channels are saturated" in each for each in json.loads(fit(clipped).attrs["advice"]))
    smooth = preprocess.smooth(SPECTRUM, window=5)
    said = json.loads(fit(smooth, sigma=smooth["u_signal"]).attrs["advice"])
    assert any("noise is correlated" in each for each in said)


@pytest.mark.parametrize("wrong", [0.0, np.inf, np.nan])
def test_a_wrong_sigma_flags_its_spectrum_and_no_other(wrong):
    sigma = MAP["u_signal"].copy()
    sigma[1, 7] = wrong
    found = fit(MAP.assign(u_signal=sigma))
    assert found["status"].values.tolist() == [peaks.Status.CONVERGED, peaks.Status.INVALID_DATA]
    assert np.isnan(found["value"].values[1]).all()
    np.testing.assert_allclose(found["value"].values[0], fit()["value"].values, rtol=1e-12)


def test_a_refused_write_leaves_the_old_file(tmp_path):
    path = io.write(SPECTRUM, tmp_path / "kept.nc")
    before = path.read_bytes()
    with pytest.raises(MetrospecError, match="Convert it first"):
        io.write({"raw": SPECTRUM, "bad": 1.0}, path)
    assert path.read_bytes() == before
