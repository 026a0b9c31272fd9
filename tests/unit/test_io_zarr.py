"""Properties of Zarr stores: what was written comes back, lazily; nothing unsafe or incomplete is read."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from lmfit.models import ConstantModel, GaussianModel

from analysis import io, peaks
from analysis.core import FormatError, HistoryError, history
from analysis.io import zarr_check, zarr_regions, zarr_store
from analysis.replay import replay
from analysis.uncertainty import Source, sources

dask_array = pytest.importorskip("dask.array", reason="dask is not installed")
pytest.importorskip("zarr", reason="zarr is not installed")

ROWS, COLS, CHANNELS = 5, 3, 40
X = np.linspace(100.0, 200.0, CHANNELS)


@pytest.fixture
def spectrum():
    rng = np.random.default_rng(7)
    signal = rng.normal(100.0, 5.0, (ROWS, COLS, CHANNELS))
    return xr.Dataset(
        {
            "signal": (("row", "col", "channel"), signal, {"units": "counts", "flags": [True, None], "note": ""}),
            "u_signal": (("row", "col", "channel"), np.sqrt(signal), {"units": "counts"}),
            "raman_shift_sources": (("source", "channel"), rng.normal(size=(2, CHANNELS))),
            "good": ("row", np.arange(ROWS) % 2 == 0),
            "label": ("row", np.array(["ä b", "", "x", "x", "Ne I"], dtype=object)),
            "when": ("row", np.array(["2026-11-22T10:00:00.123456789"] * (ROWS - 1) + ["NaT"], "M8[ns]")),
            "small": ("row", np.arange(ROWS, dtype=np.int16)),
            "one": 3.5,
        },
        coords={
            "raman_shift": ("channel", X, {"units": "cm-1"}),
            "source": ["laser-0001", "lamp-7"],
            "source_info": ("source", ['{"id": "laser-0001"}', '{"id": "lamp-7"}']),
        },
        attrs={
            "title": "test", "coordinates": "a user's own word", "metrospec": "another", "averages": 3,
            "list": ["a", "b"], "nan": float("inf"), "array": np.array([1.0, np.nan]), "half": np.float32(0.1),
        },
    )  # fmt: skip


def fitted(data):
    model = GaussianModel() + ConstantModel()
    params = model.make_params(amplitude=3000, center=150, sigma=9, c=90)
    return peaks.fit(data, model, params, axis="raman_shift")


def peaks_on_a_map():
    rng = np.random.default_rng(3)
    clean = 100 + 100 * np.exp(-0.5 * ((X - 150) / 10) ** 2)
    signal = rng.normal(clean, 3.0, (ROWS, COLS, CHANNELS))
    data = xr.Dataset(
        {"signal": (("row", "col", "channel"), signal, {"units": "counts"})},
        coords={"raman_shift": ("channel", X, {"units": "cm-1"}), "row": np.arange(ROWS) * 0.5},
    )
    laser = Source(id="laser", label="laser", units="cm-1")
    return sources.attach(data, "raman_shift", {laser: np.full(CHANNELS, 0.2)}, ("channel",))


def test_a_dataset_comes_back_with_every_name_dtype_coordinate_and_attribute(spectrum, tmp_path):
    recorded = history.record(spectrum, "test.step", settings={"a": 1}, inputs={})
    back = io.read(io.write(recorded, tmp_path / "a.zarr"))
    assert list(back.variables) == list(recorded.variables)
    assert {name: back[name].dtype for name in back.variables} == {
        name: recorded[name].dtype for name in recorded.variables
    }
    xr.testing.assert_identical(back.compute(), recorded)
    assert type(back.attrs["averages"]) is int
    assert back.attrs["half"].dtype == np.float32
    assert back["signal"].attrs == recorded["signal"].attrs


def test_data_are_lazy_in_the_chunks_of_the_store_and_hold_whole_spectra(spectrum, tmp_path):
    back = io.read(io.write(spectrum.chunk(row=2, channel=7), tmp_path / "a.zarr"))
    assert back.signal.chunks == ((2, 2, 1), (3,), (CHANNELS,))
    assert back.u_signal.chunks == back.signal.chunks
    assert back.raman_shift.chunks is None
    np.testing.assert_array_equal(back.signal, spectrum.signal)


def test_data_in_memory_are_cut_into_chunks_of_whole_spectra(spectrum, tmp_path, monkeypatch):
    monkeypatch.setattr(zarr_store, "CHUNK_BYTES", 2 * CHANNELS * 8)
    back = io.read(io.write(spectrum, tmp_path / "a.zarr"))
    assert back.signal.chunks == ((1,) * ROWS, (2, 1), (CHANNELS,))


def test_irregular_lazy_chunks_are_written(spectrum, tmp_path):
    lazy = spectrum.chunk(row=(1, 3, 1), col=(2, 1))
    back = io.read(io.write(lazy, tmp_path / "a.zarr"))
    np.testing.assert_array_equal(back.signal, spectrum.signal)
    assert lazy.signal.chunks == ((1, 3, 1), (2, 1), (CHANNELS,))


def test_one_task_a_region_writes_all_that_is_lazy_whatever_part_of_the_map_it_has(spectrum, tmp_path, monkeypatch):
    lazy = spectrum.chunk(row=2, col=2).assign(total=spectrum.signal.chunk().sum(), zero=spectrum.good.chunk(row=2) * 0)
    written = []
    once = zarr_regions._write_region
    monkeypatch.setattr(zarr_regions, "_write_region", lambda *a, **k: written.append(k["dims"]) or once(*a, **k))
    back = io.read(io.write(lazy, tmp_path / "a.zarr")).compute()
    assert sorted(written) == [(), *[("row",)] * 3, *[("row", "col")] * 6]
    xr.testing.assert_equal(back, lazy.compute())


def test_a_fit_comes_back_with_its_labels_sources_and_history(tmp_path):
    fit = fitted(peaks_on_a_map())
    back = io.read(io.write(fit, tmp_path / "fit.zarr"))
    xr.testing.assert_identical(back.compute(), fit)
    assert back.attrs == fit.attrs
    one = {"row": 2, "col": 1}
    mine, theirs = (peaks.quantity(each, "center", at=one) for each in (fit, back))
    assert (theirs.value, theirs.u) == (mine.value, mine.u)
    assert set(theirs.components) == set(mine.components)


def test_a_lazy_fit_of_a_lazy_map_is_written_as_the_fit_in_memory_is(tmp_path):
    data = peaks_on_a_map()
    store = io.write(data, tmp_path / "map.zarr")
    lazy = fitted(io.read(store).chunk(row=2))
    assert lazy.value.chunks is not None
    back = io.read(io.write(lazy, tmp_path / "fit.zarr")).compute()
    ready = fitted(data)
    for name in ready.variables:
        np.testing.assert_array_equal(back[name], ready[name])
    text = {name for name in ready.variables if ready[name].dtype.kind in "UO"}
    assert {"parameter", "parameter_", "parameter_units"} <= text


def test_a_store_without_history_begins_one_that_replay_redoes(tmp_path):
    path = io.write(peaks_on_a_map(), tmp_path / "map.zarr")
    back = io.read(path)
    step = history.parse(back.attrs["history"])["steps"][history.head(back)]
    assert step["function"] == "io.read"
    assert step["settings"]["format"] == "zarr"
    again = replay(fitted(back).compute(), folder=tmp_path)
    assert again.attrs["replay"] == "bit-identical"
    change(path, "signal", attributes={"units": "V"})
    with pytest.raises(HistoryError, match=r"the file 'map.zarr' has changed"):
        replay(fitted(back).compute(), folder=tmp_path)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    recorded = history.record(xr.Dataset({"signal": (dims, values, attrs)}, attrs=attrs), "x", settings={}, inputs={})
    back = io.read(io.write(recorded, tmp_path / "any.zarr"))
    np.testing.assert_array_equal(back["signal"].values, values)
    assert back["signal"].dtype == values.dtype
    assert back.attrs == recorded.attrs
    assert back["signal"].attrs == attrs


def test_xarray_opens_the_store_without_this_package(spectrum, tmp_path):
    path = io.write(spectrum.drop_vars("when"), tmp_path / "a.zarr")
    with xr.open_zarr(path, consolidated=False) as opened:
        np.testing.assert_array_equal(opened["signal"], spectrum["signal"])
        assert opened["label"].attrs["text_of_code"] == ["ä b", "", "x", "Ne I"]
        np.testing.assert_array_equal(opened["label"], [0, 1, 2, 2, 3])


def test_a_store_that_xarray_wrote_is_read_if_it_tells_its_spectrum(spectrum, tmp_path):
    plain = spectrum[["signal"]].drop_attrs()
    plain.to_zarr(tmp_path / "other.zarr", zarr_format=3, consolidated=False)
    back = io.read(tmp_path / "other.zarr")
    np.testing.assert_array_equal(back["signal"], spectrum["signal"])
    np.testing.assert_array_equal(back["raman_shift"], X)
    plain.rename(signal="intensity").to_zarr(tmp_path / "no.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(FormatError, match=r"does not say which array is the spectrum; it holds \{'intensity':"):
        io.read(tmp_path / "no.zarr")


def test_a_store_is_replaced_as_a_whole_or_not_at_all(spectrum, tmp_path):
    path = io.write(spectrum, tmp_path / "a.zarr")

    def fail(block):
        if block.size:
            msg = "half-way"
            raise RuntimeError(msg)
        return block

    lazy = spectrum.chunk(row=1)
    lazy["signal"] = lazy.signal.copy(data=lazy.signal.data.map_blocks(fail, dtype=float, meta=np.zeros((0, 0, 0))))
    with pytest.raises(RuntimeError, match="half-way"):
        io.write(lazy, path)
    np.testing.assert_array_equal(io.read(path).signal, spectrum.signal)
    io.write(spectrum.isel(row=[0]), path)
    assert io.read(path).sizes["row"] == 1
    assert [item.name for item in tmp_path.iterdir()] == ["a.zarr"]


def test_what_is_no_store_is_not_replaced(spectrum, tmp_path):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "diary.txt").write_text("dear")
    with pytest.raises(FormatError, match="it exists and is no such store"):
        io.write(spectrum, tmp_path / "a.zarr")
    with pytest.raises(FormatError, match=r"does not exist\. Make it first"):
        io.write(spectrum, tmp_path / "b" / "a.zarr")
    assert (tmp_path / "a.zarr" / "diary.txt").read_text() == "dear"


def test_a_project_does_not_go_into_a_store(spectrum, tmp_path):
    with pytest.raises(FormatError, match="holds one Dataset or DataArray; got a dict"):
        io.write({"raw": spectrum}, tmp_path / "a.zarr")


def test_a_data_array_is_written(spectrum, tmp_path):
    back = io.read(io.write(spectrum.signal, tmp_path / "a.zarr"))
    np.testing.assert_array_equal(back.signal, spectrum.signal)


def change(path, array, **entries):
    file = path / array / "zarr.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"codecs": [{"name": "numcodecs.pickle"}]}, r"packed with \['numcodecs.pickle'\], which is not loaded"),
        ({"storage_transformers": [{"name": "odd"}]}, r"packed with \['odd'\], which is not loaded"),
        ({"data_type": {"name": "struct"}}, "which Zarr's specification does not fix"),
        ({"data_type": "string"}, "has data of type 'string', which Zarr's specification does not fix"),
        ({"chunk_key_encoding": {"name": "../../"}}, r"packed with ../../, which is not loaded"),
        ({"chunk_grid": {"configuration": {"chunk_shape": [10**6, 10**3, 40]}}}, "more than 2000000000 bytes each"),
        ({"shape": [50, 3, 40]}, "is incomplete: it holds 1 of 10 chunks"),
        ({"shape": None}, "is damaged: its description lacks"),
        ({"zarr_format": 2}, "is Zarr format 2, wanted 3"),
    ],
)
def test_a_store_that_is_unsafe_or_too_large_is_refused(entries, message, spectrum, tmp_path):
    path = io.write(spectrum, tmp_path / "a.zarr")
    change(path, "signal", **entries)
    with pytest.raises(FormatError, match=message):
        io.read(path)


def test_a_missing_chunk_is_not_read_as_zeros(spectrum, tmp_path):
    path = io.write(spectrum.chunk(row=1), tmp_path / "a.zarr")
    shutil.rmtree(path / "signal" / "c" / "3")
    with pytest.raises(FormatError, match=r"array 'signal' is incomplete: it holds 4 of 5 chunks"):
        io.read(path)


def test_a_damaged_chunk_is_not_read_as_numbers(spectrum, tmp_path):
    path = io.write(spectrum.chunk(row=1), tmp_path / "a.zarr")
    chunk = path / "signal" / "c" / "3" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="checksum"):
        io.read(path).signal.compute()


def test_a_link_out_of_the_store_is_refused(spectrum, tmp_path):
    path = io.write(spectrum, tmp_path / "a.zarr")
    (path / "signal" / "c").rename(tmp_path / "elsewhere")
    (path / "signal" / "c").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FormatError, match="holds the link 'c'; links are not followed"):
        io.read(path)


def test_an_array_alone_and_the_old_format_are_refused(spectrum, tmp_path):
    path = io.write(spectrum, tmp_path / "a.zarr")
    with pytest.raises(FormatError, match="is one Zarr array, wanted a group"):
        io.read(path / "signal")
    (tmp_path / "old.zarr").mkdir()
    (tmp_path / "old.zarr" / ".zgroup").write_text("{}")
    with pytest.raises(FormatError, match="is Zarr format 2, wanted 3"):
        io.read(tmp_path / "old.zarr")


def test_large_coordinates_and_descriptions_are_refused(spectrum, tmp_path, monkeypatch):
    path = io.write(spectrum, tmp_path / "a.zarr")
    monkeypatch.setattr(zarr_check, "MAX_COORDINATE_BYTES", 10)
    with pytest.raises(FormatError, match="bytes of coordinates and text, read up to 10"):
        io.read(path)
    monkeypatch.setattr(zarr_check, "MAX_METADATA_BYTES", 10)
    with pytest.raises(FormatError, match="has more than 10 bytes"):
        io.read(path)
