"""Files that must not be read: each is refused with what was seen, what was wanted and the next move."""

import os

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import io
from analysis.core import FormatError
from analysis.io import hdf5_check, sniff


def put(tmp_path, content, name="file.txt"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def outcome(path):
    try:
        found = io.read(path)
    except FormatError as error:
        return "a reason" if path.name in str(error) else str(error)
    return "data" if "signal" in found else "no signal"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: 0 bytes; wanted a spectrum"),
        (b"\x00\x01\x02\x03", r"is not text: it holds the control character .*first bytes 00 01 02 03"),
        (b"WDF1\x00\x02", "looks like Renishaw WDF but the header would take 512 bytes"),
        (b"\x89PNG\x00", "is PNG picture by its first bytes, whatever its suffix.*Read are netCDF"),
        (b"PK\x03\x04abc", "is a ZIP archive"),
        (b"\x80\x04\x95abc", "is a Python pickle"),
        (b'{"a": [1, 2]}', "is JSON"),
        (b"no numbers here\nat all\n", r"holds no table of numbers: 2 lines, the first is 'no numbers here'"),
        (b"1 2\n3 4\n5", r"line 3 has 1 cell where the others have 2: '5'"),
        (b"1 2\n3 4\nERROR 7\n5 6\n7 8\n", r"line 3 interrupts the rows: 'ERROR 7'; 2 more rows stand beyond it"),
        (b"1 2\n3 4\n2 5\n", r"axis 'x' is not strictly monotonic: 3 is followed by 2 \(row 3 of the table"),
        (b"1 2\n1 4\n2 5\n", r"not strictly monotonic: 1 is followed by 1.*format='columns'"),
        (b"1\t2\n\t4\n3\t5\n", r"axis 'x' has a blank or infinite value \(row 2"),
        (b"\xff\xfe1", "begins like utf-16 text but does not decode"),
    ],
)
def test_bad_content_is_refused_with_the_reason(content, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        io.read(put(tmp_path, content))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(FormatError, match=r"there is no file .*nothing.txt.*Check the name"):
        io.read(tmp_path / "nothing.txt")
    with pytest.raises(FormatError, match="is a folder; wanted a file"):
        io.read(tmp_path)


def test_an_unreadable_file_says_why(tmp_path, monkeypatch):
    path = put(tmp_path, b"1 2\n3 4\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(FormatError, match=r"cannot read 'file.txt': Permission denied\. Check its permissions"):
        io.read(path)


@pytest.mark.skipif(os.name != "posix", reason="needs a device file")
def test_a_huge_text_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = put(tmp_path, b"1 2\n3 4\n")
    kept = sniff.require_size
    monkeypatch.setattr(sniff, "require_size", lambda path, _: kept(path, 4))
    with pytest.raises(FormatError, match=r"has 8 bytes; this kind is read up to 4\. Split it"):
        io.read(path)


def test_an_unknown_format_gets_a_hint(tmp_path):
    with pytest.raises(FormatError, match=r"no format named 'asci'; known are .* Did you mean 'ascii'\?"):
        io.read(put(tmp_path, b"1 2\n3 4\n"), format="asci")


def test_content_decides_and_not_the_suffix(tmp_path):
    text = put(tmp_path, b"1 2\n3 4\n", "renamed.nc")
    assert io.read(text).sizes == {"channel": 2}
    written = io.write(xr.Dataset({"signal": ("channel", [1.0, 2.0])}), tmp_path / "a.nc")
    assert io.read(written.rename(tmp_path / "a.txt")).sizes == {"channel": 2}


@pytest.fixture
def written(tmp_path):
    rng = np.random.default_rng(1)
    dataset = xr.Dataset({"signal": ("channel", rng.normal(size=5000))}, attrs={"title": "x"})
    return io.write(dataset, tmp_path / "a.nc")


@pytest.mark.parametrize("keep", [9, 100, 1000, 20000])
def test_a_truncated_hdf5_file_is_refused(keep, written, tmp_path):
    path = put(tmp_path, written.read_bytes()[:keep], "cut.nc")
    with pytest.raises(FormatError, match=r"'cut.nc' is damaged"):
        io.read(path)


def test_no_byte_that_is_flipped_gives_anything_but_data_or_a_reason(written, tmp_path):
    whole = written.read_bytes()
    rng = np.random.default_rng(6)
    for at in rng.integers(0, min(len(whole), 20000), 60):
        flipped = bytearray(whole)
        flipped[at] ^= 0x55
        assert outcome(put(tmp_path, bytes(flipped), "flipped.nc")) in {"data", "a reason"}


@given(content=st.binary(max_size=200) | st.text(alphabet="0123456789.,;\t \n-eEx#", max_size=200).map(str.encode))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_gives_anything_but_data_or_a_reason(content, tmp_path):
    assert outcome(put(tmp_path, content)) in {"data", "a reason"}


def test_an_external_link_is_refused(written):
    with h5py.File(written, "r+") as file:
        file["entry/elsewhere"] = h5py.ExternalLink("secret.h5", "/")
    with pytest.raises(FormatError, match=r"links to another file \('secret.h5'\); that is not followed"):
        io.read(written)


def test_data_stored_in_another_file_are_refused(written, tmp_path):
    (tmp_path / "secret.bin").write_bytes(b"\0" * 80)
    with h5py.File(written, "r+") as file:
        file["entry"].create_dataset("x", shape=(10,), dtype="f8", external=[(str(tmp_path / "secret.bin"), 0, 80)])
    with pytest.raises(FormatError, match="lie in another file"):
        io.read(written)


def test_a_virtual_dataset_is_refused(written):
    layout = h5py.VirtualLayout(shape=(5,), dtype="f8")
    layout[:] = h5py.VirtualSource("secret.h5", "x", shape=(5,))
    with h5py.File(written, "r+") as file:
        file["entry"].create_virtual_dataset("x", layout)
    with pytest.raises(FormatError, match="lie in another file"):
        io.read(written)


def test_arrays_that_would_fill_the_memory_are_refused_before_they_are_read(written):
    with h5py.File(written, "r+") as file:
        file["entry"].create_dataset("bomb", shape=(10**7, 10**6), dtype="f8", chunks=(1000, 1000), compression="gzip")
    assert written.stat().st_size < 10**6
    with pytest.raises(FormatError, match="would take more than 8000000000 bytes of memory"):
        io.read(written)


def test_an_unknown_filter_is_refused_by_name(written, monkeypatch):
    monkeypatch.setattr(hdf5_check, "_FILTERS", {2: "shuffle"})
    with pytest.raises(FormatError, match=r"'/entry/data/signal' is packed with filter 1 \(deflate\)"):
        io.read(written)


def test_a_cycle_of_links_does_not_hang(written):
    with h5py.File(written, "r+") as file:
        file["entry/data/loop"] = file["entry"]
    hdf5_check.require_safe(written)


def test_a_damaged_table_of_contents_is_said(written):
    with h5py.File(written, "r+") as file:
        file["entry/data"].attrs["metrospec"] = "{"
    with pytest.raises(FormatError, match="its table of contents does not parse"):
        io.read(written)


def test_a_missing_variable_is_said(written):
    with h5py.File(written, "r+") as file:
        del file["entry/data/signal"]
    with pytest.raises(FormatError, match="lists the variable 'signal' but does not hold it"):
        io.read(written)


def test_other_hdf5_files_are_read_if_they_tell_their_spectrum(tmp_path):
    plain = xr.Dataset({"intensity": ("wavelength", [1.0, 2.0, 4.0])}, {"wavelength": [500.0, 501.0, 502.0]})
    plain.to_netcdf(tmp_path / "plain.nc", engine="h5netcdf")
    found = io.read(tmp_path / "plain.nc")
    assert found["signal"].dims == ("channel",)
    np.testing.assert_array_equal(found["wavelength"], [500.0, 501.0, 502.0])
    with h5py.File(tmp_path / "other.nxs", "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "spectrum"})
        data = entry.create_group("spectrum")
        data.attrs.update({"NX_class": "NXdata", "signal": "counts", "axes": ["y", "Raman_shift"]})
        data["counts"] = np.arange(6).reshape(2, 3)
        data["counts"].attrs["units"] = "counts"
        data["counts_errors"] = np.ones((2, 3))
        data["Raman_shift"] = [100.0, 200.0, 300.0]
        data["Raman_shift"].attrs["units"] = "cm-1"
    found = io.read(tmp_path / "other.nxs")
    assert found["signal"].dims == ("y", "channel")
    assert found["signal"].attrs["units"] == "counts"
    np.testing.assert_array_equal(found["u_signal"], np.ones((2, 3)))
    assert found["raman_shift"].attrs["units"] == "cm-1"


def test_an_hdf5_file_with_two_candidates_is_refused(tmp_path):
    xr.Dataset({"a": ("x", [1.0]), "b": ("x", [1.0])}).to_netcdf(tmp_path / "two.nc", engine="h5netcdf")
    with pytest.raises(FormatError, match=r"does not say which array is the spectrum; it holds \['a', 'b'\]"):
        io.read(tmp_path / "two.nc")
