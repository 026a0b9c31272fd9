"""Made text files of Horiba, Renishaw and JASCO: header, positions and axis come out, and damage is refused."""

import numpy as np
import pytest

from analysis import io
from analysis.core import FormatError
from tests import hostile

SEEDS = hostile.seeds()


def read(tmp_path, content, name="file.txt"):
    path = tmp_path / name
    path.write_bytes(content)
    return io.read(path)


def test_a_labspec_map_has_its_positions_whatever_axis_runs_fast(tmp_path):
    found = read(tmp_path, SEEDS["labspec"])
    assert found["signal"].dims == ("y", "x", "channel")
    assert found["signal"].sel(x=2, y=4).values.tolist() == [10, 11, 12]
    assert found["y"].values.tolist() == [5, 4]
    assert found["x"].attrs["units"] == found["y"].attrs["units"] == "um"
    assert found["raman_shift"].values.tolist() == [100, 200.5, 300]
    assert found["signal"].attrs["units"] == "counts"
    assert "uncertainty_rule" not in found["signal"].attrs


def test_a_labspec_header_gives_laser_exposure_accumulations_and_date(tmp_path):
    found = read(tmp_path, SEEDS["labspec"])
    kept = {key: found.attrs[key] for key in ("laser_wavelength_nm", "integration_time_s", "averages", "acquired")}
    assert kept == {
        "laser_wavelength_nm": 532.17, "integration_time_s": 0.5, "averages": 4, "acquired": "2019-12-10T10:16",
    }  # fmt: skip
    assert found["raman_shift"].attrs["laser_wavelength_nm"] == 532.17
    assert "AxisType[3]" in found.attrs["header"]


def test_a_labspec_spectrum_in_nanometres_takes_the_unit_of_its_range(tmp_path):
    head = "#Acq. time (s)=\t0.15\n#Accumulations=\t20\n#Range (nm)=\t454...467\n"
    found = read(tmp_path, (head + "467\t3\n460\t5\n454\t4\n").encode())
    assert found["wavelength"].values.tolist() == [467, 460, 454]
    assert found["wavelength"].attrs["medium"] == "unknown"
    assert "units" not in found["signal"].attrs


def test_a_labspec_series_that_fills_no_grid_stays_a_series(tmp_path):
    found = read(tmp_path, SEEDS["labspec"].rsplit(b"2\t4", 1)[0])
    assert found["signal"].dims == ("spectrum", "channel")
    assert found["x"].values.tolist() == [0, 0, 2]


def test_a_renishaw_map_has_its_positions_and_its_descending_axis(tmp_path):
    found = read(tmp_path, SEEDS["wire"])
    assert found["signal"].dims == ("y", "x", "channel")
    assert dict(found.sizes) == {"y": 2, "x": 2, "channel": 5}
    assert found["wave"].values.tolist() == [5, 4, 3, 2, 1]
    assert "units" not in found["wave"].attrs


def test_a_renishaw_series_in_time_is_one_dataset(tmp_path):
    found = read(tmp_path, b"#Time\t\t#Wave\t\t#Intensity\n0\t9\t1\n0\t8\t2\n2.5\t9\t3\n2.5\t8\t4\n")
    assert found["elapsed"].values.tolist() == [0, 2.5]
    assert found["signal"].values.tolist() == [[1, 2], [3, 4]]


def test_a_renishaw_map_that_is_cut_short_is_refused(tmp_path):
    with pytest.raises(FormatError, match="4 spectra that do not share their axis: the first has 5 points, spectrum 4"):
        read(tmp_path, SEEDS["wire"].rsplit(b"1\t1\t1", 1)[0])


def test_a_jasco_raman_spectrum_has_its_header_and_information(tmp_path):
    found = read(tmp_path, SEEDS["jasco"])
    assert found["raman_shift"].values.tolist() == [545.8049, 547, 548.2, 549.5]
    assert found["raman_shift"].attrs["laser_wavelength_nm"] == found.attrs["laser_wavelength_nm"] == 532.05
    assert (found.attrs["integration_time_s"], found.attrs["averages"]) == (10, 2)
    assert found.attrs["acquired"] == "2024-11-05T15:23:06"
    assert found.attrs["instrument"] == "JASCO Corp., NRS-4500, Rev. 1.00"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"NPOINTS\t4", b"NPOINTS\t5", "announces .*5.* has 4 rows from 545.805 to 549.5"),
        (b"LASTX\t549.5", b"LASTX\t600", "announces"),
        (b"\nXYDATA", b"", "without the line 'XYDATA'"),
        (b"548.2\t205", b"??\t205", r"line 16 interrupts the rows: '\?\?"),
        (b"NPOINTS\t4\nXYDATA\n545.8049\t199\n547", b"XYDATA\n545.8049\t199\n546\t1\n\n547", "line 15 is no row: ''"),
        (b"549.5\t208", b"end\t208", r"line 17 is no row: 'end"),
        (b"548.2\t205", b"540\t205", "not strictly monotonic: 547 is followed by 540"),
    ],
)
def test_a_jasco_table_that_is_not_the_announced_one_is_refused(old, new, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read(tmp_path, SEEDS["jasco"].replace(old, new))


def test_a_jasco_series_in_commas_and_japanese_keeps_what_it_says(tmp_path):
    made = (
        "TITLE,Interval Scan\nORIGIN,JASCO\nDATE,2026/08/27\nTIME,00:50:45\nXUNITS,NANOMETERS\nYUNITS,ABSORBANCE\n"
        "NPOINTS,     3\nXYDATA\n,0,10.0167\n800,0.1,0.2\n799,0.3,0.4\n798,0.5,0.6\n\n[測定情報]\n積算回数,16\n"
    )
    found = read(tmp_path, made.encode("shift_jis"))
    assert found["signal"].dims == ("spectrum", "channel")
    assert found["scan"].values.tolist() == [0, 10.0167]
    assert np.array_equal(found["wavelength"].values, [800, 799, 798])
    assert found["signal"].attrs["units"] == "1"
    assert found.attrs["averages"] == 16
    assert "測定情報" in found.attrs["header"]


def test_a_jasco_dichrogram_names_its_channels(tmp_path):
    made = (
        "TITLE\tprotein\nORIGIN\tJASCO\nXUNITS\tNANOMETERS\nYUNITS\tCD [mdeg]\nY2UNITS\tHT [V]\nNPOINTS\t2\nXYDATA\n"
        "250\t-1.5\t300\n249\t-1.6\t310\n"
    )
    found = read(tmp_path, made.encode())
    assert found["spectrum"].values.tolist() == ["CD [mdeg]", "HT [V]"]
    assert found["signal"].sel(spectrum="HT [V]").values.tolist() == [300, 310]
