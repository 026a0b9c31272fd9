"""Files of makers' formats, in the folder that METROSPEC_REAL_FILES names: each meets what its index says of it."""

import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest

from analysis import io
from analysis.core import FormatError

FOLDER = os.environ.get("METROSPEC_REAL_FILES", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="METROSPEC_REAL_FILES names no folder of real instrument files")


def read(name):
    return io.read(Path(FOLDER) / name)


def expected(name):
    listed = json.loads((Path(FOLDER) / "index.json").read_text(encoding="utf-8"))
    return next(each["expected"] for each in listed if each["file"] == name)


def ends(values):
    return [float(values.min()), float(values.max())]


def has_peaks(x, y, wanted, *, within, reach):
    """Say whether the vertex of a parabola through the highest point near each place is where it should be."""
    for place in wanted:
        at = np.flatnonzero(np.abs(x - place) < reach)
        top = int(at[np.argmax(y[at])])
        square, linear, _ = np.polyfit(x[top - 1 : top + 2] - x[top], y[top - 1 : top + 2], 2)
        assert abs(x[top] - linear / (2 * square) - place) < within, place


def test_a_princeton_file_has_silicon_where_its_axis_in_nm_says():
    found, told = read("princeton_silicon_532.spe"), expected("princeton_silicon_532.spe")
    assert (1, *found["signal"].shape) == tuple(told["shape"])
    assert ends(found["wavelength"]) == pytest.approx(told["x"], abs=1e-4)
    assert found["wavelength"].attrs["units"] == told["x_units"]
    assert found.attrs["laser_wavelength_nm"] == pytest.approx(told["laser_nm"], abs=0.02)
    has_peaks(found["wavelength"].values, found["signal"].values, told["peaks_measured_nm"], within=0.03, reach=0.3)
    assert found.attrs["acquired"].startswith("2024-10-01T11:32:24")
    assert found.attrs["integration_time_s"] == pytest.approx(30.0)


def test_a_wdf_file_and_the_text_of_the_same_measurement_are_equal():
    found, told = read("renishaw_calcite_785.wdf"), expected("renishaw_calcite_785.wdf")
    assert list(found["signal"].shape) == told["shape"]
    assert found["raman_shift"].values[0] > found["raman_shift"].values[-1]
    assert ends(found["raman_shift"]) == pytest.approx(told["x"], abs=5e-3)
    assert ends(found["signal"]) == pytest.approx(told["y"], rel=1e-4)
    assert found.attrs["laser_wavelength_nm"] == pytest.approx(told["laser_nm"], abs=1e-4)
    assert found.attrs["averages"] == told["accumulations"]
    has_peaks(found["raman_shift"].values, found["signal"].values, told["peaks_measured"], within=0.25, reach=4.0)
    text = read("renishaw_calcite_785.txt")
    axis = next(each for each in text.coords if each != "pixel")
    np.testing.assert_allclose(text[axis].values, found["raman_shift"].values, atol=1e-6, rtol=0)
    np.testing.assert_allclose(text["signal"].values, found["signal"].values, atol=1e-2, rtol=1e-6)


def test_the_spc_file_of_that_measurement_is_resampled_and_so_differs_at_the_tops():
    wdf, told = read("renishaw_calcite_785.wdf"), expected("renishaw_calcite_785.spc")
    spc = read("renishaw_calcite_785.spc")
    axis = next(name for name in spc.coords if name not in ("pixel", "channel"))
    x, y = spc[axis].values, spc["signal"].values
    assert list(y.shape) == told["shape"]
    assert ends(x) == pytest.approx(told["x"], abs=5e-3)
    assert np.ptp(np.diff(x)) < 1e-3  # even, as that of the WDF is not
    has_peaks(x, y, told["peaks_measured"], within=0.25, reach=4.0)
    ours = np.interp(x, wdf["raman_shift"].values[::-1], wdf["signal"].values[::-1])
    assert np.abs(y - ours).max() < 0.07 * ours.max()  # the index says up to 6 %
    assert np.median(np.abs(y - ours) / ours) < 0.01


def test_a_sif_file_has_hematite_and_the_state_of_its_detector():
    found, told = read("andor_hematite_785.sif"), expected("andor_hematite_785.sif")
    assert (1, 1, *found["signal"].shape) == tuple(told["shape"])
    assert ends(found["wavelength"]) == pytest.approx(told["x"], abs=1e-4)
    assert found.attrs["laser_wavelength_nm"] == told["laser_nm"]
    assert found.attrs["integration_time_s"] == told["exposure_s"]
    assert found.attrs["detector_temperature_degC"] == told["detector_T_C"]
    assert found.attrs["acquired"].startswith("2021-08-05")
    has_peaks(found["wavelength"].values, found["signal"].values, told["peaks_measured_nm"], within=0.3, reach=1.0)


def test_an_opus_file_has_all_its_blocks_by_name():
    found, told = read("bruker_opus_ftir.0"), expected("bruker_opus_ftir.0")
    assert sorted(found) == sorted(told["blocks"])
    absorbance = found["AB"]
    assert list(absorbance["signal"].shape) == told["shape"]
    assert ends(absorbance["wavenumber"]) == pytest.approx(told["x"], abs=5e-3)
    assert absorbance["wavenumber"].attrs["units"] == told["x_units"]
    assert absorbance.attrs["acquired"].startswith("2019-05-03T13:34:44")
    sample, reference = found["SSC"], found["RSC"]
    inside = (absorbance["wavenumber"].values > 1000) & (absorbance["wavenumber"].values < 1200)
    x = absorbance["wavenumber"].values[inside]
    under = np.interp(x, reference["wavenumber"].values[::-1], reference["signal"].values[::-1])
    ratio = -np.log10(sample["signal"].values[inside] / under)
    assert np.corrcoef(ratio, absorbance["signal"].values[inside])[0, 1] > 0.99


def test_an_xdi_scan_has_its_edge_and_metadata():
    found, told = read("xafs_cu_foil.xdi"), expected("xafs_cu_foil.xdi")
    assert [found.sizes["channel"], found.sizes["spectrum"] + 1] == told["shape"]
    assert ends(found["energy"]) == pytest.approx(told["x"])
    assert found["energy"].attrs["units"] == told["x_units"]
    assert (found.attrs["element"], found.attrs["edge"], found.attrs["instrument"]) == ("Cu", "K", "APS 13ID")


def test_a_maestro_file_has_its_counts_its_times_and_its_gamma_lines():
    found, told = read("gamma_background.Spe"), expected("gamma_background.Spe")
    assert list(found["signal"].shape) == told["shape"]
    assert int(found["signal"].sum()) == told["total_counts"]
    assert (found.attrs["live_time_s"], found.attrs["real_time_s"]) == (told["live_s"], told["real_s"])
    assert np.diff(found["energy"].values) == pytest.approx(told["keV_per_channel"], abs=1e-9)
    has_peaks(found["energy"].values, found["signal"].values, told["peaks_measured_keV"], within=0.4, reach=2.0)
    assert "sqrt(N)" in found["signal"].attrs["uncertainty_rule"]
    assert found.attrs["acquired"] == "2013-10-11T10:30:10"


def test_a_testxpert_file_has_its_columns_and_its_specimen():
    found, told = read("zwick_tensile_invar.TRA"), expected("zwick_tensile_invar.TRA")
    assert [found.sizes["channel"], found.sizes["spectrum"] + 1] == told["shape"]
    labels = zip(found["spectrum"].values, found["column_units"].values, strict=True)
    assert [f"{label} {units}" for label, units in labels] == told["columns"][1:]
    assert (found.attrs["cross_section"], found.attrs["gauge_length"]) == (told["area_mm2"], told["gauge_mm"])
    force = found["signal"].sel(spectrum="Standard force")
    assert float(force.max()) / found.attrs["cross_section"] == pytest.approx(told["UTS_MPa"], abs=0.1)
    travel = found["signal"].sel(spectrum="Standard travel")
    assert 100 * float(travel.max()) / found.attrs["gauge_length"] == pytest.approx(told["max_strain_pct"], abs=0.05)
    steps = np.diff(found["time"].values)
    assert [np.median(steps), steps.max()] == pytest.approx([0.01, 2.38], abs=0.01)


def test_a_tektronix_waveform_and_its_csv_are_equal():
    found, told = read("tek_scope.wfm"), expected("tek_scope.wfm")
    assert list(found["signal"].shape) == told["shape"]
    assert np.diff(found["time"].values) == pytest.approx(told["dt_s"], rel=1e-6)
    assert ends(found["signal"]) == pytest.approx(told["V"], abs=1e-6)
    assert found["signal"].values[:3] == pytest.approx(told["first"], abs=1e-6)
    table = read("tek_scope.csv")
    np.testing.assert_allclose(table["signal"].values, found["signal"].values, atol=1e-6)
    np.testing.assert_allclose(table["time"].values, found["time"].values, atol=1e-14)
    assert (table["signal"].attrs["units"], found["signal"].attrs["units"]) == ("V", "V")
    folded = np.abs(np.fft.rfft(found["signal"].values - found["signal"].values.mean()))
    assert np.argmax(folded) / (50000 * told["dt_s"]) == pytest.approx(told["f_peak_Hz"])


def test_a_tdms_file_has_its_channels_in_seconds():
    found = read("daq_big_endian.tdms")
    assert found["spectrum"].values.tolist() == ["Amplitude sweep", "Phase sweep"]
    assert found.attrs["group"] == expected("daq_big_endian.tdms")["group"]
    assert found.sizes["channel"] == 3500
    assert np.diff(found["time"].values) == pytest.approx(0.001)


@pytest.mark.parametrize("name", ["andor_hematite_785.sif", "daq_big_endian.tdms", "renishaw_calcite_785.wdf"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7])
def test_a_file_that_is_cut_short_is_refused_and_never_waited_for(name, share, tmp_path):
    content = (Path(FOLDER) / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FormatError):
        io.read(path)


def test_the_package_behind_a_tdms_file_prints_nothing_of_what_the_refusal_says(tmp_path, monkeypatch):
    printed = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", printed.append)
    part = logging.getLogger("nptdms.reader")
    monkeypatch.setattr(part, "handlers", [handler])
    (tmp_path / "cut.tdms").write_bytes((Path(FOLDER) / "daq_big_endian.tdms").read_bytes()[:40_000])
    with pytest.raises(FormatError, match=r"the package says: .*less data than expected"):
        io.read(tmp_path / "cut.tdms")
    assert not printed
    assert part.handlers == [handler]
