"""Text tables of all kinds, and B&W Tek files."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import io
from analysis.core import FormatError, SpectrumError, history
from analysis.io import dates, labels

X = [100.5, 101.25, 103.0]
Y = [1.0, -2.5, 3e5]


def read(tmp_path, text, encoding="utf-8", **given_format):
    path = tmp_path / "file.txt"
    path.write_bytes(text.encode(encoding))
    return io.read(path, **given_format)


def lay_out(delimiter, decimal, end):
    rows = [delimiter.join(str(value).replace(".", decimal) for value in pair) for pair in zip(X, Y, strict=True)]
    return end.join(rows) + end


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize(
    ("delimiter", "decimal"), [("\t", "."), ("\t", ","), (";", "."), (";", ","), (",", "."), (" ", "."), ("   ", ",")]
)
def test_every_dialect_gives_the_same_numbers(delimiter, decimal, encoding, end, tmp_path):
    header = (
        f"Gerät: Müller{end}Raman shift / cm-1{delimiter if delimiter.strip() or decimal == '.' else ' '}counts{end}"
    )
    found = read(tmp_path, header + lay_out(delimiter, decimal, end), encoding)
    np.testing.assert_array_equal(found["signal"], Y)
    np.testing.assert_array_equal(found[next(iter(set(found.coords) - {"pixel"}))], X)
    assert json.loads(found.attrs["header"])["before"][0] == "Gerät: Müller"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    y=st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=30),
    delimiter=st.sampled_from(["\t", ";", " "]),
    decimal=st.sampled_from([".", ","]),
    falling=st.booleans(),
)
def test_numbers_come_back_bit_by_bit_in_the_order_of_the_file(y, delimiter, decimal, falling, tmp_path):
    x = np.arange(len(y))[:: -1 if falling else 1] + 0.5
    lines = [f"{a!r}{delimiter}{b!r}".replace(".", decimal) for a, b in zip(x.tolist(), y, strict=True)]
    found = read(tmp_path, "\n".join(lines))
    np.testing.assert_array_equal(found["signal"], y)
    np.testing.assert_array_equal(found["x"], x)


def test_two_bare_columns_are_x_and_signal_without_a_guess(tmp_path):
    found = read(tmp_path, lay_out("\t", ".", "\n"))
    assert set(found.coords) == {"x", "pixel"}
    assert "units" not in found["x"].attrs
    assert "units" not in found["signal"].attrs


def test_name_axis_says_what_x_is_and_records_it(tmp_path):
    found = read(tmp_path, lay_out("\t", ".", "\n"))
    named = io.name_axis(found, name="raman_shift", units="cm-1")
    assert set(named.coords) == {"raman_shift", "pixel"}
    assert named["raman_shift"].attrs["units"] == "cm-1"
    np.testing.assert_array_equal(named["raman_shift"], X)
    steps = history.parse(named.attrs["history"])["steps"]
    assert {step["function"] for step in steps.values()} == {"io.read", "io.name_axis"}
    assert "x" in found.coords
    with pytest.raises(SpectrumError, match="that name is taken"):
        io.name_axis(found, name="pixel", units="1")


@pytest.mark.parametrize(
    ("label", "axis", "units", "guessed"),
    [
        ("Raman shift / cm-1", "raman_shift", "cm-1", False),
        ("Raman Shift [1/cm]", "raman_shift", "cm-1", False),
        ("Wavelength(nm)", "wavelength", "nm", False),
        ("Wavelength", "wavelength", "nm", True),
        ("Wellenlänge", "", "", False),
        ("Wavenumber (cm⁻¹)", "wavenumber", "cm-1", False),
        ("energy", "energy", "eV", True),
        ("Energy (keV)", "energy", "keV", False),
        ("2theta (deg)", "two_theta", "degree", False),
        ("Time, ms", "time", "ms", False),
        ("Intensity (counts)", "", "counts", False),
        ("%T", "", "percent", False),
        ("T", "", "", False),
        ("Wave", "", "", False),
    ],
)
def test_labels_give_axis_and_units_as_far_as_they_say(label, axis, units, guessed):
    found = labels.read(label)
    assert (found.axis, found.units, found.guessed) == (axis, units, guessed)


def test_blank_cells_become_nan_and_are_counted(tmp_path):
    found = read(tmp_path, "x,a,b\n1,2,3\n2,,4\n3,5,\n")
    assert found["signal"].dims == ("spectrum", "channel")
    assert list(found["spectrum"].values) == ["a", "b"]
    np.testing.assert_array_equal(found["signal"], [[2, np.nan, 5], [3, 4, np.nan]])
    assert found.attrs["blank_values"] == 2


def test_negative_counts_are_kept(tmp_path):
    assert float(read(tmp_path, "1 -5\n2 -6\n")["signal"].min()) == -6


def test_a_column_of_uncertainty_becomes_u_signal(tmp_path):
    found = read(tmp_path, "energy (eV)\tcounts\tsigma\n1\t2\t0.1\n2\t3\t0.2\n")
    np.testing.assert_array_equal(found["u_signal"], [0.1, 0.2])
    assert found["u_signal"].attrs["units"] == "counts"


def test_ragged_spectra_side_by_side_each_keep_their_own_axis(tmp_path):
    text = "first,,second,\nWavelength (nm),Abs,Wavelength (nm),%T\n700,1,500,4\n699,2,498,5\n698,3,,\n"
    found = read(tmp_path, text)
    assert list(found) == ["first", "second"]
    second = found["second"]
    np.testing.assert_array_equal(second["wavelength"], [500, 498])
    np.testing.assert_array_equal(second["signal"], [4, 5])
    assert [each.attrs["column_label"] for each in found.values()] == ["Abs", "%T"]
    xr.testing.assert_identical(io.read(tmp_path / "file.txt", item="second"), second)
    kept = io.read_project(io.write(found, tmp_path / "all.nc"))
    xr.testing.assert_identical(kept["second"], second)
    with pytest.raises(AttributeError, match=r"has no attribute 'sizes'; take one of its spectra.*found\['first'\]"):
        _ = found.sizes
    with pytest.raises(KeyError, match=r"no spectrum named 'secnd'.*Did you mean 'second'"):
        _ = found["secnd"]
    with pytest.raises(FormatError, match="holds no spectrum named 'third'"):
        io.read(tmp_path / "file.txt", item="third")
    with pytest.raises(FormatError, match="holds 2 spectra with axes of their own"):
        io.require_one(found)


def test_columns_as_they_stand_can_be_had_where_the_axis_is_bad(tmp_path):
    found = read(tmp_path, "1 2\n1 4\n2 5\n", format="columns")
    np.testing.assert_array_equal(found["signal"], [[1, 1, 2], [2, 4, 5]])
    assert set(found.coords) == {"spectrum", "pixel"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Date: 2022-03-17 08:46:42", "2022-03-17T08:46:42"),
        ("# Scan.start_time: 2001-06-26T22:27:31", "2001-06-26T22:27:31"),
        ("Acquired = 17.03.2022 8:46:42", "2022-03-17T08:46:42"),
        ("Date,17/03/2022", "2022-03-17"),
        ("Date,03/17/2022", "2022-03-17"),
        ("Date,03/04/2022", ""),
        ("Date: 2022-13-45", ""),
        ("Update rate: 2022-03-17", ""),
        ("Date: 2022-03-17T08:46:42Z", "2022-03-17T08:46:42Z"),
    ],
)
def test_dates_are_taken_only_where_they_are_unambiguous(line, expected):
    assert dates.find([line]) == expected


def bwtek(rows=4, last=3, laser="532,05"):
    header = ["File Version;BWRam4.11_11", "Date;2022-03-17 08:46:42", "model;BTC162E", "c code;TUO", "pixel_start;0"]
    header += [f"pixel_end;{last}", "intigration times(ms);5", "average number;2", "yaxis_max;40000"]
    header += ["coefs_a0;526,5", "coefs_a1;0,1", "coefs_a2;0", "coefs_a3;0", f"laser_wavelength;{laser}"]
    names = "Pixel;Wavelength;Wavenumber;Raman Shift;Dark;Reference;Raw data #1;Dark Subtracted #1;%TR #1;"
    table = [
        f"{i};   ;   ;   ;100,5;65535,0;{65535 if i == 2 else 90};{65434.5 if i == 2 else -10.5};0,0;".replace(".", ",")
        for i in range(rows)
    ]
    return "\r\n".join([*header, names, *table]) + "\r\n"


def test_a_bwtek_file_gives_nominal_axes_dark_and_saturation(tmp_path):
    found = read(tmp_path, bwtek())
    np.testing.assert_array_equal(found["signal"], [-10.5, -10.5, 65434.5, -10.5])
    assert "maker_signal" not in found
    np.testing.assert_array_equal(found["dark"], [100.5] * 4)
    np.testing.assert_array_equal(found["saturated"], [0, 0, 1, 0])
    np.testing.assert_allclose(found["wavelength"], [526.5, 526.6, 526.7, 526.8], rtol=1e-12)
    np.testing.assert_allclose(found["raman_shift"], 1e7 / 532.05 - 1e7 / found["wavelength"], rtol=1e-9)
    assert found.attrs["acquired"] == "2022-03-17T08:46:42"
    assert found.attrs["integration_time_s"] == 0.005
    assert found.attrs["averages"] == 2
    assert found.attrs["laser_wavelength_nm"] == 532.05


def test_a_bwtek_file_without_a_laser_has_no_raman_shift(tmp_path):
    assert "raman_shift" not in read(tmp_path, bwtek(laser="")).coords


def test_a_bwtek_file_that_is_cut_short_is_refused(tmp_path):
    with pytest.raises(FormatError, match="header says pixels 0 to 2047, its table has 4 rows from 0 to 3"):
        read(tmp_path, bwtek(last=2047))


def test_reading_records_the_name_of_the_file_and_no_folder(tmp_path):
    found = read(tmp_path, lay_out("\t", ".", "\n"))
    assert str(tmp_path) not in json.dumps(found.attrs)
    (step,) = history.parse(found.attrs["history"])["steps"].values()
    assert step["settings"]["path"] == "file.txt"
    assert step["settings"]["format"] == "ascii"


def test_a_text_spectrum_survives_netcdf(tmp_path):
    found = read(tmp_path, bwtek())
    xr.testing.assert_identical(io.read(io.write(found, tmp_path / "a.nc")), found)
