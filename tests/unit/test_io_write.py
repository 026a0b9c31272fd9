"""Properties of writing and reading back: exact names, numbers, attributes; atomic; NeXus."""

import json

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis import calibration, io, uncertainty
from analysis.core import FormatError, history

CHANNELS = 40


@pytest.fixture
def spectrum():
    rng = np.random.default_rng(7)
    signal = rng.normal(100.0, 5.0, (2, CHANNELS))
    return xr.Dataset(
        {
            "signal": (("row", "channel"), signal, {"units": "counts", "flags": [True, None], "note": ""}),
            "u_signal": (("row", "channel"), np.sqrt(np.abs(signal)), {"units": "counts"}),
            "raman_shift_sources": (("source", "channel"), rng.normal(size=(2, CHANNELS))),
            "good": ("row", np.array([True, False])),
            "label": ("row", np.array(["ä", ""], dtype=object)),
            "when": ("row", np.array(["2026-11-22T10:00:00.123456789", "NaT"], "M8[ns]")),
            "small": ("row", np.array([1, -2], dtype=np.int16)),
        },
        coords={
            "raman_shift": ("channel", np.linspace(100.0, 3000.0, CHANNELS), {"units": "cm-1"}),
            "time": ("channel", np.arange(CHANNELS) * 0.1, {"units": "s"}),
            "source": ["laser-0001", "lamp-7"],
            "source_info": ("source", ['{"id": "laser-0001"}', '{"id": "lamp-7"}']),
        },
        attrs={
            "title": "test",
            "axes": "a user's own word",
            "laser_wavelength_nm": 785.0,
            "averages": 3,
            "list": ["a", "b"],
        },
    )


def test_a_dataset_comes_back_with_every_name_dtype_coordinate_and_attribute(spectrum, tmp_path):
    recorded = history.record(spectrum, "test.step", settings={"a": 1}, inputs={})
    back = io.read(io.write(recorded, tmp_path / "a.nc"))
    xr.testing.assert_identical(back, recorded)
    assert list(back.variables) == list(recorded.variables)
    assert {name: back[name].dtype for name in back.variables} == {
        name: recorded[name].dtype for name in recorded.variables
    }
    assert back.attrs == recorded.attrs
    assert type(back.attrs["averages"]) is int
    assert back["signal"].attrs == recorded["signal"].attrs


def test_writing_does_not_change_what_is_written(spectrum, tmp_path):
    before = spectrum.copy(deep=True)
    io.write(spectrum, tmp_path / "a.nc")
    xr.testing.assert_identical(spectrum, before)


def test_a_dataset_without_history_gets_the_reading_as_its_first_step(spectrum, tmp_path):
    path = io.write(spectrum, tmp_path / "a.nc")
    back = io.read(path)
    step = history.parse(back.attrs["history"])["steps"][history.head(back)]
    assert step["function"] == "io.read"
    assert step["settings"]["path"] == "a.nc"
    assert len(step["settings"]["sha256"]) == 64
    assert step["settings"]["format"] == "netcdf"
    xr.testing.assert_identical(back.drop_attrs(deep=False), spectrum.drop_attrs(deep=False))


def test_the_same_content_gives_the_same_bytes(spectrum, tmp_path):
    first = io.write(spectrum, tmp_path / "a.nc").read_bytes()
    assert io.write(spectrum, tmp_path / "b.nc").read_bytes() == first


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=hnp.arrays(
        dtype=st.sampled_from([np.float64, np.float32, np.int32, np.uint8, np.int64, np.bool_]),
        shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=5),
    ),
    attrs=st.dictionaries(
        st.text(st.characters(categories=["L"]), min_size=1, max_size=8),
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False)
        | st.text(max_size=20)
        | st.lists(st.integers(), max_size=3),
        max_size=4,
    ),
)
def test_any_real_array_and_any_json_attribute_comes_back(values, attrs, tmp_path):
    dims = ["a", "b", "channel"][-values.ndim :]
    dataset = xr.Dataset({"signal": (dims, values, attrs)}, attrs=attrs)
    back = io.read_project(io.write(dataset, tmp_path / "any.nc"))["entry"]
    np.testing.assert_array_equal(back["signal"].values, values)
    assert back["signal"].dtype == values.dtype
    assert back.attrs == attrs
    assert back["signal"].attrs == attrs


def test_xarray_opens_the_file_without_this_package(spectrum, tmp_path):
    path = io.write(spectrum, tmp_path / "a.nc")
    with xr.open_dataset(path, engine="h5netcdf", group="entry/data") as opened:
        np.testing.assert_array_equal(opened["signal"], spectrum["signal"])
        np.testing.assert_array_equal(opened["signal_errors"], spectrum["u_signal"])
        assert opened["raman_shift"].dims == ("channel",)


def test_the_file_is_a_nexus_file_with_signal_axes_and_errors(spectrum, tmp_path):
    path = io.write(spectrum.assign_attrs(acquired="2026-11-22"), tmp_path / "a.nxs")
    with h5py.File(path) as file:
        assert file.attrs["NX_class"] == "NXroot"
        assert file.attrs["default"] == "entry"
        assert file["entry"].attrs["NX_class"] == "NXentry"
        assert file["entry"].attrs["default"] == "data"
        data = file["entry/data"]
        assert data.attrs["NX_class"] == "NXdata"
        assert data.attrs["signal"] == "signal"
        assert list(data.attrs["axes"])[-1] == "raman_shift"
        assert data.attrs["raman_shift_indices"] == 1
        assert "signal_errors" in data
        assert file["entry/start_time"][()].decode() == "2026-11-22"


def test_nexusformat_plots_signal_over_its_axis_with_errors(spectrum, tmp_path):
    nexus = pytest.importorskip("nexusformat.nexus", reason="nexusformat is not installed")
    root = nexus.nxload(str(io.write(spectrum.isel(row=0), tmp_path / "a.nxs")))
    data = root.plottable_data
    assert data.nxsignal.nxname == "signal"
    assert [axis.nxname for axis in data.nxaxes] == ["raman_shift"]
    np.testing.assert_array_equal(data.nxerrors.nxvalue, spectrum["u_signal"][0])


def test_the_sources_of_an_axis_are_shown_to_others_as_its_errors_and_not_read_back(spectrum, tmp_path):
    path = io.write(spectrum, tmp_path / "a.nc")
    with h5py.File(path) as file:
        found = file["entry/data/raman_shift_errors"][()]
    np.testing.assert_allclose(found, np.hypot(*spectrum["raman_shift_sources"].values), rtol=1e-15)
    assert "raman_shift_errors" not in io.read(path)


def test_a_fit_is_an_nxfit_whose_stderr_is_the_error_of_value(tmp_path):
    fit = xr.Dataset(
        {"value": ("parameter", [1.0, 2.0]), "stderr": ("parameter", [0.1, 0.2])},
        coords={"parameter": ["center", "sigma"]},
        attrs={"model": json.dumps({"class": "GaussianModel"})},
    )
    path = io.write(fit, tmp_path / "fit.nc")
    with h5py.File(path) as file:
        assert file["entry/fit"].attrs["NX_class"] == "NXfit"
        assert "value_errors" in file["entry/fit/result"]
    xr.testing.assert_identical(io.read_project(path)["entry"], fit)


def test_long_texts_are_kept_whole(tmp_path):
    long = "µ" * 200_000
    dataset = xr.Dataset({"signal": ("channel", [1.0, 2.0])}, attrs={"history_text": long})
    assert io.read(io.write(dataset, tmp_path / "a.nc")).attrs["history_text"] == long


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (xr.Dataset(attrs={"z": 1 + 2j}), r"attribute 'z': got complex \(1\+2j\).*\[real, imag\]"),
        (xr.Dataset({"s": ("channel", [1j, 2j])}), r"'s' of dtype complex128; wanted real numbers.*two variables"),
        (xr.Dataset({"s": ("channel", np.array([1, "a"], dtype=object))}), r"'s': an object of type int"),
        (xr.Dataset({"a/b": ("channel", [1.0])}), r"variable named 'a/b'; wanted text without '/'"),
        (xr.Dataset({"s": ("channel", ["a\0b"])}), r"'s': a text value holds a NUL character"),
    ],
)
def test_what_netcdf_cannot_hold_is_refused_and_the_old_file_stays(dataset, message, tmp_path):
    path = io.write(xr.Dataset({"signal": ("channel", [1.0, 2.0])}), tmp_path / "a.nc")
    before = path.read_bytes()
    with pytest.raises(FormatError, match=message):
        io.write(dataset, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.nc"]


def test_a_failure_in_the_middle_of_writing_leaves_the_old_file_alone(spectrum, tmp_path, monkeypatch):
    path = io.write(spectrum, tmp_path / "a.nc")
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail)
    with pytest.raises(OSError, match="No space left"):
        io.write(spectrum.isel(row=0), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.nc"]


def test_text_and_bytes_are_written_as_they_are(tmp_path):
    assert io.write("<p>±</p>\n", tmp_path / "a.html").read_bytes() == "<p>±</p>\n".encode()
    assert io.write(b"\x00\x01", tmp_path / "a.bin").read_bytes() == b"\x00\x01"


@pytest.mark.parametrize(
    ("thing", "name", "message"),
    [
        (xr.Dataset(), "a.xyz", r"got the suffix '.xyz', wanted one of .*'.nc'"),
        ({}, "a.nc", "the project is empty"),
        ({"1st": xr.Dataset()}, "a.nc", "needs a name .*; got '1st'"),
        (3.0, "a.nc", "cannot write 'entry', a float: wanted a Dataset"),
        (xr.Dataset(), "no/a.nc", "the folder .* does not exist"),
        ("text", ".", "it is a folder"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_reason(thing, name, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        io.write(thing, tmp_path / name)


def test_a_project_gives_back_its_items_and_holds_equal_data_once(spectrum, tmp_path):
    fit = xr.Dataset({"value": ("parameter", [1.0])}, coords={"parameter": ["center"]})
    array = spectrum["signal"].rename("baseline")
    project = {"raw": spectrum, "again": spectrum.copy(deep=True), "fit": fit, "baseline": array, "remark": "as found"}
    path = io.write(project, tmp_path / "project.nc")
    back = io.read_project(path)
    assert list(back) == list(project)
    for name in ("raw", "again", "fit", "baseline"):
        xr.testing.assert_identical(back[name], project[name])
    assert back["remark"] == "as found"
    with h5py.File(path) as file:
        assert file["raw"] == file["again"]
    with pytest.raises(FormatError, match=r"is a project with the items \['raw', 'again'.*io.read_project"):
        io.read(path)


@pytest.fixture(scope="module")
def axis():
    neon = io.sample("raman_neon")
    found = calibration.match(neon, calibration.lines("Ne", 530, 640, units="nm"))
    return calibration.fit_axis(found, axis="wavelength", degree=3)


def test_a_calibration_comes_back_with_its_sources(axis, tmp_path):
    for thing in (axis, {"raw": io.sample("raman_neon"), "axis": axis}):
        back = io.read_calibration(io.write(thing, tmp_path / "axis.nc"))
        xr.testing.assert_identical(back.to_dataset(), axis.to_dataset())


def test_a_budget_comes_back_and_can_be_propagated_again(tmp_path):
    a = uncertainty.Quantity(value=2.0, u=0.1, units="m", label="length")
    b = uncertainty.Quantity(value=3.0, u=0.2, units="m", label="width")
    budget = uncertainty.propagate("a * b", {"a": a, "b": b}, name="area", units="m2")
    back = io.read_project(io.write({"budget": budget}, tmp_path / "a.nc"))["budget"]
    assert (back.value, back.u, back.units) == (budget.value, budget.u, budget.units)
    assert back.components == budget.components
    assert back.u == pytest.approx(np.hypot(3 * 0.1, 2 * 0.2), rel=1e-9)


def test_a_lazy_map_is_written_without_changing_it(tmp_path):
    pytest.importorskip("dask.array", reason="dask is not installed")
    lazy = xr.Dataset({"signal": (("row", "channel"), np.arange(12.0).reshape(3, 4))}).chunk({"row": 1})
    back = io.read_project(io.write(lazy, tmp_path / "a.nc"))["entry"]
    xr.testing.assert_identical(back, lazy.compute())


def test_read_calibration_says_what_a_file_without_one_holds(spectrum, tmp_path):
    path = io.write(spectrum, tmp_path / "a.nc")
    with pytest.raises(FormatError, match=r"holds 0 calibrations, wanted one; its items are \{'entry': 'Dataset'\}"):
        io.read_calibration(path)
