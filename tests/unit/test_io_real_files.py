"""Files of real instruments, in a folder that the environment variable METROSPEC_REAL_FILES names."""

import os
from pathlib import Path

import numpy as np
import pytest

from analysis import io

FOLDER = os.environ.get("METROSPEC_REAL_FILES", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="METROSPEC_REAL_FILES names no folder of real instrument files")


def peaks(x, y, least):
    inside = (y[1:-1] > y[:-2]) & (y[1:-1] >= y[2:]) & (y[1:-1] > least)
    return x[1:-1][inside]


def test_a_bwtek_neon_file_has_2048_pixels_and_the_lamp_lines():
    found = io.read(Path(FOLDER) / "bwtek_neon_lamp_785.txt")
    assert found.sizes["channel"] == 2048
    lines = peaks(found["wavelength"].values, found["signal"].values, 2000.0)
    for line in (830.1, 837.81, 849.6, 859.18, 863.52, 865.52, 878.13, 885.45):
        assert np.abs(lines - line).min() < 0.16


def test_a_bwtek_dark_with_the_lamp_on_and_a_response_corrected_column_are_not_taken_for_what_they_are_called():
    found = io.read(Path(FOLDER) / "bwtek_neon_lamp_785.txt")
    np.testing.assert_array_equal(found["signal"], found["raw"])
    assert "recorded with the light on" in found["signal"].attrs["long_name"]
    assert float(found["maker_signal"].max()) > 600000


def test_a_renishaw_export_keeps_its_descending_axis():
    found = io.read(Path(FOLDER) / "renishaw_calcite_785.txt")
    assert found.sizes["channel"] == 1021
    assert found["x"].values[0] == 1111.108398
    assert found["x"].values[-1] == -154.501953
    lines = peaks(found["x"].values, found["signal"].values, 10000.0)
    assert np.abs(lines - 1087.73).min() < 0.6


def test_a_horiba_export_has_1006_points():
    found = io.read(next(Path(FOLDER).glob("calset_*Neon*OP01.txt")))
    assert found.sizes["channel"] == 1006
    assert found["x"].values[0] == 120.387


def test_an_xdi_file_has_energy_and_three_columns():
    found = io.read(Path(FOLDER) / "xafs_cu_foil.xdi")
    assert found["signal"].shape == (3, 408)
    assert list(found["spectrum"].values) == ["i0", "itrans", "mutrans"]
    assert found["energy"].values[[0, -1]].tolist() == [8779.0, 10145.86]
    assert found.attrs["acquired"] == "2001-06-26T22:27:31"
    mu = np.log(found["signal"].sel(spectrum="i0") / found["signal"].sel(spectrum="itrans")).values
    steepest = found["energy"].values[int(np.argmax(np.gradient(mu, found["energy"].values)))]
    assert abs(steepest - 8980.5) <= 1.0


def test_a_cary_file_has_eleven_spectra_of_their_own_lengths():
    found = io.read(Path(FOLDER) / "cary_filters_multi.csv")
    lengths = [each.sizes["channel"] for each in found.values()]
    assert len(lengths) == 11
    assert lengths[:10] == [121, 196, 301, 301, 301, 301, 301, 301, 301, 401]
    assert next(iter(found)) == "600LP"


def test_an_oscilloscope_file_has_50000_samples_in_seconds():
    found = io.read(Path(FOLDER) / "tek_scope.csv")
    assert found.sizes["channel"] == 50000
    assert found["time"].attrs["units"] == "s"


def test_a_galactic_export_of_wire_is_resampled_and_has_the_lines_of_its_text():
    found = io.read(Path(FOLDER) / "renishaw_calcite_785.spc")
    assert found.sizes == {"channel": 1021}
    assert found["raman_shift"].attrs["units"] == "cm-1"
    np.testing.assert_allclose(found["raman_shift"].values[[0, -1]], [1111.108398, -154.501953], atol=2e-3)
    np.testing.assert_allclose([found["signal"].min(), found["signal"].max()], [237.82, 82331], rtol=1e-4)
    assert found.attrs["laser_wavelength_nm"] == 785
    assert (found.attrs["integration_time_s"], found.attrs["accumulations"]) == (3, 1)
    text = io.read(Path(FOLDER) / "renishaw_calcite_785.txt")
    resampled = np.interp(found["raman_shift"].values[::-1], text["x"].values[::-1], text["signal"].values[::-1])[::-1]
    assert np.abs(found["signal"].values / resampled - 1).max() < 0.07


def test_the_linked_file_of_the_standard_has_five_spectra():
    found = io.read(Path(FOLDER) / "jcamp_linkblock.jdx")
    assert [each.sizes["channel"] for each in found.values()] == [1976, 1976, 3951, 1976, 3951]  # its ##NPOINTS=
    assert found["block 1"].attrs["acquired"] == "1995-11-30T08:32:13"
