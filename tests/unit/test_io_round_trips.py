"""Spectra written as CSV, JCAMP-DX and netCDF read back equal, with u; so do the files that each version keeps here."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import io
from analysis.core import FormatError, history

KEPT = Path(__file__).parent.parent / "files"
FORMS = ["csv", "jdx", "dx", "nc"]


def spectrum(x=(5.0, 4.0, 2.5), y=(0.1, np.nan, 1e300), u=(0.01, 0.02, 1e-300)):
    dataset = xr.Dataset(
        {
            "signal": ("channel", list(y), {"units": "counts", "long_name": "a, \"b\" $$ ## 'c' µ"}),
            "u_signal": ("channel", list(u), {"units": "counts"}),
            "saturated": ("channel", np.zeros(len(x), dtype=np.int8)),
            "label": ((), "one"),
        },
        coords={"raman_shift": ("channel", list(x), {"units": "cm-1"}), "temperature": 295.5},
        attrs={"title": "x ## $$ ü\nline", "acquired": "2026-11-23T10:00:00", "averages": 3, "laser": 532.05},
    )
    return history.record(dataset, "raw", settings={"name": "made"}, inputs={})


def batch():
    signal = np.arange(12.0).reshape(2, 2, 3) / 7
    return history.record(
        xr.Dataset(
            {"signal": (("row", "col", "channel"), signal), "u_signal": (("row", "col", "channel"), signal / 10)},
            coords={"wavelength": ("channel", [500.0, 501.0, 503.0], {"units": "nm", "medium": "air"}), "row": [1, 2]},
        ),
        "raw", settings={"name": "map"}, inputs={},
    )  # fmt: skip


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("made", [spectrum, batch])
def test_what_is_written_reads_back_equal(made, suffix, tmp_path):
    found = io.read(io.write(made(), tmp_path / f"a.{suffix}"))
    xr.testing.assert_identical(found, made())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    y=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    suffix=st.sampled_from(["csv", "jdx"]),
)
def test_numbers_come_back_to_the_last_bit(y, suffix, tmp_path):
    made = spectrum(x=np.arange(len(y)) / 3, y=y, u=np.abs(y))
    xr.testing.assert_identical(io.read(io.write(made, tmp_path / f"a.{suffix}")), made)


def test_other_programs_find_axis_signal_and_u_in_our_files(tmp_path):
    lines = io.write(spectrum(), tmp_path / "a.csv").read_text().splitlines()
    assert lines[1] == "raman_shift (cm-1),signal (counts),u_signal (counts),saturated"
    assert lines[2] == "5.0,0.1,0.01,0.0"
    text = io.write(spectrum(y=(1, 2, 3)), tmp_path / "a.jdx").read_text()
    assert "##XUNITS= 1/CM" in text
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("##$METROSPEC"))
    (tmp_path / "plain.jdx").write_text(plain)
    found = io.read(tmp_path / "plain.jdx")
    np.testing.assert_array_equal(found["signal"], [1, 2, 3])
    np.testing.assert_array_equal(found["raman_shift"], [5, 4, 2.5])


@pytest.mark.parametrize("suffix", ["csv", "jdx"])
def test_a_file_that_was_altered_is_refused(suffix, tmp_path):
    path = io.write(spectrum(y=(1, 2, 3)), tmp_path / f"a.{suffix}")
    lines = path.read_text().splitlines()
    (tmp_path / "cut.txt").write_text("\n".join(lines[:-2] if suffix == "csv" else [*lines[:-3], "##END="]))
    with pytest.raises(FormatError, match=r"Write the file again|write it again"):
        io.read(tmp_path / "cut.txt")
    (tmp_path / "note.txt").write_text(path.read_text().replace('"version"', "version"))
    with pytest.raises(FormatError, match="the note of metrospec does not read"):
        io.read(tmp_path / "note.txt")


@pytest.mark.parametrize("suffix", ["csv", "jdx"])
def test_what_text_cannot_hold_is_refused(suffix, tmp_path):
    with pytest.raises(FormatError, match="wanted a Dataset with `signal`"):
        io.write(xr.Dataset({"value": ("x", [1.0])}), tmp_path / f"a.{suffix}")
    with pytest.raises(FormatError, match=r"cannot hold 'signal' \(complex128"):
        io.write(xr.Dataset({"signal": ("channel", [1j])}), tmp_path / f"a.{suffix}")
    with pytest.raises(FormatError, match="holds one Dataset or DataArray; got a dict"):
        io.write({"a": spectrum()}, tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("path", sorted(KEPT.glob("spectrum_*")), ids=lambda path: path.name)
def test_files_of_every_version_read_as_they_were_written(path):
    xr.testing.assert_identical(io.read(path), spectrum())


@pytest.mark.parametrize("path", sorted(KEPT.glob("map_*")), ids=lambda path: path.name)
def test_maps_of_every_version_read_as_they_were_written(path):
    xr.testing.assert_identical(io.read(path), batch())


def test_each_form_has_a_kept_file_of_this_version():
    assert {path.suffix for path in KEPT.glob("*_0.1.0.*")} == {".csv", ".jdx", ".nc"}
