"""Recordings: killed, watched, resumed, refused; and opened by other programs."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, LorentzianModel

import instruments
from analysis import io, peaks
from analysis.core import AcquisitionError, FormatError, InstrumentError
from instruments import acquire, record, shots
from instruments.shots import Axis, Channel, Layout, Shot
from instruments.simulators import Bench
from tests import recording

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def forks():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.recording"])
    return context


def kill_after(process, log, seconds):
    """Wait for a first acknowledged shot of this process, a moment more, and kill."""
    before = log.stat().st_size if log.exists() else 0
    end = time.monotonic() + 30
    while process.is_alive() and (not log.exists() or log.stat().st_size == before):
        assert time.monotonic() < end
        time.sleep(0.001)
    assert process.is_alive()
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def acknowledged(log):
    return [int(line) for line in log.read_text().splitlines()]


def test_a_scan_killed_25_times_has_every_acknowledged_shot_and_resumes(forks, tmp_path):
    path, log, random = tmp_path / "scan.nc", tmp_path / "log", np.random.default_rng(1)
    rows, columns = 60, 60
    for _ in range(25):
        process = forks.Process(target=recording.write_scan, args=(path, log, rows, columns))
        process.start()
        kill_after(process, log, random.uniform(0, 0.03))
        kept = record.read(path)
        said = np.array(acknowledged(log))
        found = kept["reader"].values.ravel()
        assert np.isfinite(found[said]).all()
        np.testing.assert_array_equal(found[said], 10.0 * (said // columns) + said % columns)
        assert kept.attrs["missing"] == rows * columns - np.isfinite(found).sum()
    recording.write_scan(path, log, rows, columns)
    whole = io.read(path)
    expected = 10.0 * np.arange(rows)[:, None] + np.arange(columns)
    np.testing.assert_array_equal(whole["reader"], expected)
    assert (whole.attrs["ended"], whole.attrs["missing"]) == ("complete", 0)
    said = acknowledged(log)
    assert len(said) == len(set(said))  # nothing is measured twice
    # one gain for all kills and programs: the sources kept their names
    reader = shots.array(whole, "reader")
    assert [source.label for source in reader.parts if source.id == "gain-of-the-reader"] == ["gain"]
    np.testing.assert_allclose(reader.u, np.hypot(0.01 * expected, 0.1))


def test_a_stream_killed_25_times_has_every_acknowledged_row(forks, tmp_path):
    path, log, random = tmp_path / "stream.nc", tmp_path / "log", np.random.default_rng(2)
    for _ in range(25):
        process = forks.Process(target=recording.write_stream, args=(path, log))
        process.start()
        kill_after(process, log, random.uniform(0, 0.03))
        kept = record.read(path)
        said = acknowledged(log)
        assert kept.sizes["shot"] > said[-1]
        assert said == sorted(set(said))
        np.testing.assert_array_equal(
            kept["signal"], np.arange(kept.sizes["shot"])[:, None] * np.ones(recording.POINTS)
        )
    assert kept.attrs["ended"].startswith(("not ended", "recovered"))  # killed while it recorded, or before it began
    assert record.recover(path) == path
    np.testing.assert_array_equal(io.read(path)["signal"], kept["signal"])
    assert io.read(path).attrs["ended"] == "recovered after the program was killed"


def test_another_program_watches_while_it_grows_and_may_not_write(forks, tmp_path):
    path, log = tmp_path / "growing.nc", tmp_path / "log"
    process = forks.Process(target=recording.write_stream, args=(path, log))
    process.start()
    try:
        sizes = []
        while len(sizes) < 5:
            assert process.is_alive()
            if log.exists() and log.stat().st_size:
                sizes.append(record.read(path).sizes["shot"])
            time.sleep(0.02)
        assert sizes[-1] > sizes[0]
        assert sizes == sorted(sizes)
        with h5py.File(path, "r", swmr=True) as file:  # as any other program does
            assert file["entry/data/signal"].shape[0] >= sizes[-1]
        for act in (lambda: record.Recorder(path, resume=True), lambda: record.recover(path)):
            with pytest.raises(InstrumentError, match="another program is recording"):
                act()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    with record.Recorder(path, resume=True) as recorder:  # the lock went with the program
        assert recorder.count >= sizes[-1]


def test_a_raster_scan_is_recorded_interrupted_resumed_and_fitted_as_a_map(tmp_path):
    bench, path = Bench(seed=1), tmp_path / "raster.nc"

    def scan(device):
        device.laser_power, device.laser, device.exposure = 0.02, True, 0.2
        places = (acquire.steps(device, [0.0, 1e-3, 2e-3], setting=name) for name in ("stage_y", "stage_x"))
        return acquire.grid(list(places), device)

    device = instruments.open("sim://spectrometer", bench=bench)
    task = scan(device)
    bench.fail("spectrometer", "disconnect", after=120)
    with pytest.raises(AcquisitionError, match=r"\.data"):
        record.record(task, path)
    bench.repair("spectrometer")
    part = io.read(path)
    assert 0 < part.attrs["missing"] < 9
    assert "spectrometer" in part.attrs["ended"]
    taken = []
    with instruments.open("sim://spectrometer", bench=bench) as device:
        whole = record.record(scan(device), path, resume=True, told=lambda shot: taken.append(shot.index))
        again = record.record(scan(device), path, resume=True)
    assert len(taken) == part.attrs["missing"]
    assert whole.attrs["missing"] == 0
    xr.testing.assert_equal(again["signal"], whole["signal"])
    top = float(whole["wavelength"][int(whole["signal"].mean(("stage_y", "stage_x")).argmax("channel"))])
    near = whole.isel(channel=abs(whole["wavelength"].values - top) < 3.0)
    model = LorentzianModel() + ConstantModel()
    fit = peaks.fit(near, model, peaks.guess(model, near, axis="wavelength"), axis="wavelength")
    assert fit["value"].dims == ("stage_y", "stage_x", "parameter")
    assert (fit["status"] == peaks.Status.CONVERGED).all()
    assert "history" in fit.attrs


def test_the_file_is_that_of_other_programs(tmp_path):
    nexus = pytest.importorskip("nexusformat.nexus")
    path = tmp_path / "rows.nxs"
    recording.stream(path, 7)
    with xr.open_dataset(path, engine="h5netcdf", group="entry/data") as plain:
        np.testing.assert_array_equal(plain["signal"], np.arange(7)[:, None] * np.ones(recording.POINTS))
        assert plain["signal"].dims == ("shot", "channel")
        assert plain["pixel"].dims == ("channel",)
    data = nexus.nxload(path).plottable_data
    assert data.nxsignal.shape == (7, recording.POINTS)
    assert io.read(path).sizes == {"shot": 7, "channel": recording.POINTS}


FULL = """
import resource, signal, sys
from instruments import record
from tests import recording
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a full disk is an error, not a signal
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    recording.stream(sys.argv[1], 10_000)
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_is_said_and_what_was_acknowledged_is_kept(tmp_path):
    path = tmp_path / "full.nc"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", FULL, str(path)]
    told = subprocess.run(command, check=False, env=environment, capture_output=True, text=True).stdout  # noqa: S603
    assert told.startswith("InstrumentError 'full.nc' does not take shot"), told
    count = int(told.split("; ")[1].split()[0])
    assert count > 100
    kept = record.read(path)
    assert kept.sizes["shot"] >= count
    np.testing.assert_array_equal(kept["signal"][:count, 0], np.arange(count))
    record.recover(path)
    with record.Recorder(path, resume=True) as recorder:
        assert recorder.count == kept.sizes["shot"]


def test_what_does_not_fit_is_refused_and_nothing_is_lost(tmp_path):
    path = tmp_path / "scan.nc"
    record.record(recording.scan(2, 3), path)
    before = path.read_bytes()
    with pytest.raises(InstrumentError, match="is there already; nothing was written"):
        record.record(recording.scan(2, 3), path)
    with pytest.raises(InstrumentError, match="its axes differ; nothing was written"):
        record.record(recording.scan(2, 4), path, resume=True)
    with pytest.raises(InstrumentError, match=r"its (axes|channels) differ"):
        record.Recorder(path, resume=True).begin(recording.PIXELS)
    assert path.read_bytes() == before
    other = tmp_path / "other.nc"
    other.write_bytes(b"not HDF5")
    with pytest.raises(FormatError, match="no recording, or damaged"):
        record.Recorder(other, resume=True)
    io.write(io.sample("raman_neon"), tmp_path / "sample.nc")
    with pytest.raises(FormatError, match=r"read it with io\.read"):
        record.read(tmp_path / "sample.nc")
    with pytest.raises(FormatError, match="no recording 'gone"):
        record.read(tmp_path / "gone.nc")
    with record.Recorder(tmp_path / "rows.nc") as recorder:
        with pytest.raises(InstrumentError, match="call begin"):
            recorder.put(Shot(index=0, timestamp=0.0, values={}))
        recorder.begin(recording.PIXELS)
        with pytest.raises(InstrumentError, match="has shape"):
            recorder.put(Shot(index=0, timestamp=0.0, values={"signal": np.zeros(3)}))
        recorder.put(Shot(index=0, timestamp=0.0, values={"signal": recording.row(5)}))
    np.testing.assert_array_equal(io.read(tmp_path / "rows.nc")["signal"][0], recording.row(5))


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.999])
def test_a_recording_that_was_cut_off_never_gives_a_row_that_was_not_measured(tmp_path, share):
    path = tmp_path / "rows.nc"
    recording.stream(path, 200)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    kept = record.read(record.recover(path))["signal"]
    np.testing.assert_array_equal(kept, np.arange(kept.sizes["shot"])[:, None] * np.ones(recording.POINTS))
    assert kept.sizes["shot"] >= 200 * share - 64 - 32  # the head of the file and a chunk of rows


def test_a_map_that_was_cut_off_keeps_its_whole_places_and_resumes(tmp_path):
    path = tmp_path / "map.nc"
    places = Axis(name="place", values=np.arange(100.0), units="m")
    held = Layout(axes=(places,), channels=recording.PIXELS.channels, count=100)
    with record.Recorder(path) as recorder:
        recorder.begin(held)
        for k in range(100):
            recorder.put(Shot(index=k, timestamp=1e9 + k, values={"signal": recording.row(k)}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with record.Recorder(path, resume=True) as recorder:
        assert 0 < recorder.count < 100
        recorder.begin(held)
        for k in set(range(100)) - recorder.done():
            recorder.put(Shot(index=k, timestamp=1e9 + k, values={"signal": recording.row(k)}))
    again = io.read(path)
    np.testing.assert_array_equal(again["signal"], np.arange(100)[:, None] * np.ones(recording.POINTS))
    assert again.attrs["missing"] == 0


def test_damage_in_the_head_of_a_file_is_said_at_once(tmp_path):
    path = tmp_path / "rows.nc"
    recording.stream(path, 3)
    whole = path.read_bytes()
    for place in range(48, 6000, 450):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        for act in (record.read, record.recover):
            try:
                act(path)
            except FormatError as error:
                assert "rows.nc" in str(error)  # noqa: PT017 - a byte that nothing needs is no error


def layout(name="v", dtype="float64", units="m"):
    places = Axis(name="place", values=np.arange(3.0), units=units)
    return Layout(axes=(places,), channels=(Channel(name=name, units="V", dtype=dtype),))


@pytest.mark.parametrize(
    ("held", "message"),
    [(layout(dtype="int32"), "wanted float32 or float64"), (layout("timestamp"), "which the file needs")],
)
def test_a_file_that_cannot_hold_the_shots_is_refused_before_it_is_made(tmp_path, held, message):
    with record.Recorder(tmp_path / "scan.nc") as recorder, pytest.raises(InstrumentError, match=message):
        recorder.begin(held)
    assert not (tmp_path / "scan.nc").exists()


def test_a_shot_that_does_not_fit_is_refused_and_counts_as_missing(tmp_path):
    path, link = tmp_path / "scan.nc", tmp_path / "link.nc"
    with record.Recorder(path) as recorder:
        recorder.begin(layout())
        recorder.put(Shot(index=0, timestamp=1e9, values={"v": 1.0}))
        for index, stamp, name, message in (
            (3, 1e9, "v", "outside the grid"), (1, np.nan, "v", "finite"), (1, 1e9, "w", "the layout wants 'v'"),
        ):  # fmt: skip
            with pytest.raises(InstrumentError, match=message):
                recorder.put(Shot(index=index, timestamp=stamp, values={name: 1.0}))
        with pytest.raises(InstrumentError, match="has begun"):
            recorder.begin(layout())
        link.symlink_to(path)
        with pytest.raises(InstrumentError, match="another program is recording"):
            record.Recorder(link, resume=True)
    assert io.read(path).attrs["missing"] == 2
    with pytest.raises(InstrumentError, match="has begun or ended"):
        recorder.begin(layout())
    with record.Recorder(path, resume=True) as again, pytest.raises(InstrumentError, match="its axes differ"):
        again.begin(layout(units="mm"))


def test_memory_does_not_grow_with_the_rows(tmp_path):
    def used():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    recording.stream(tmp_path / "warm.nc", 2_000)
    before = used()
    recording.stream(tmp_path / "rows.nc", 20_000)  # 41 MB; 10^6 rows in the benchmark
    assert used() - before < 20_000  # kB
