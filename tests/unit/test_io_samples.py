"""The packaged spectra: complete, small, with provenance, and true to their makers' numbers."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from analysis import io
from analysis.core import FormatError, history

FOLDER = Path(__file__).parents[2] / "sample_data"
MEASURED = [name for name in io.sample_names() if name.count("_") > 2 or "bwtek" in name or "horiba" in name]
NEON_NM = np.array([585.24878, 607.43376, 614.30627, 640.2248, 650.65277, 703.24128, 724.51665, 743.8898, 837.7607])


def test_all_samples_together_are_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.nc")) <= 3_000_000


def test_every_instrument_has_a_lamp_silicon_polystyrene_and_calcite():
    names = set(io.sample_names())
    for instrument in ("bwtek532a", "bwtek532b", "bwtek785", "horiba633", *(f"horiba785_op{n}" for n in (1, 2, 3))):
        assert {f"raman_{instrument}_{sample}" for sample in ("neon", "silicon", "polystyrene", "calcite")} <= names


@pytest.mark.parametrize("name", MEASURED)
def test_a_measured_sample_says_where_it_is_from(name):
    attrs = io.sample(name).attrs
    assert attrs["licence"] == "MIT"
    assert attrs["copyright"].startswith("Copyright (c) 2021-2024 CHARISMA")
    assert "Permission is hereby granted" in attrs["licence_text"]
    assert attrs["source_package"] == "ramanchada2"
    assert attrs["source_version"] == "1.5.0"
    assert len(attrs["source_sha256"]) == len(attrs["source_file_sha256"]) == 64
    assert {"instrument", "sample", "technique", "laser_wavelength_nm", "title"} <= set(attrs)


@pytest.mark.parametrize("name", io.sample_names())
def test_a_sample_is_a_spectrum_with_finite_axes_and_units(name):
    found = io.sample(name)
    assert found["signal"].dims[-1] == "channel"
    assert found["signal"].attrs["units"] == "counts"
    assert np.isfinite(found["signal"]).all()
    for coord in found.coords.values():
        assert np.isfinite(coord).all()
        assert coord.attrs["units"]
    (step,) = history.parse(found.attrs["history"])["steps"].values()
    assert step["function"] == "io.sample"
    assert step["settings"] == {"name": name}


def test_the_nominal_wavelengths_of_the_lamps_are_near_the_neon_lines():
    found = io.sample("raman_bwtek532a_neon")
    wavelength, signal = found["wavelength"].values, found["signal"].values
    for line in NEON_NM[:5]:
        near = np.abs(wavelength - line) < 1.0
        assert abs(wavelength[near][np.argmax(signal[near])] - line) < 0.7


def test_the_polystyrene_band_at_1001_is_seen_by_all_instruments():
    for name in (name for name in MEASURED if name.endswith("polystyrene")):
        found = io.sample(name)
        near = found.isel(channel=np.abs(found["raman_shift"].values - 1001.4) < 12)
        assert abs(float(near["raman_shift"][int(near["signal"].values.argmax())]) - 1001.4) < 8


def test_an_unknown_sample_gets_a_hint():
    with pytest.raises(FormatError, match=r"no sample named 'raman_neo'; .* Did you mean 'raman_neon'\?"):
        io.sample("raman_neo")


def test_the_simulated_pair_is_what_its_script_makes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["simulate_map.py", "--out", str(tmp_path)])
    runpy.run_path(str(FOLDER / "make" / "simulate_map.py"), run_name="__main__")
    assert "raman_silicon_map.nc" in capsys.readouterr().out
    for name in ("raman_neon", "raman_silicon_map"):
        made = io.read_project(tmp_path / f"{name}.nc")["entry"]
        xr.testing.assert_allclose(made, io.sample(name), rtol=1e-12)


def test_the_noise_of_the_simulated_map_is_what_it_says():
    found = io.sample("raman_silicon_map")
    far = found.isel(channel=slice(300, None))
    steps = far["signal"].diff("channel").values
    pulls = steps / np.hypot(far["u_signal"].values[..., 1:], far["u_signal"].values[..., :-1])
    assert pulls.std() == pytest.approx(1.0, abs=4 * np.sqrt(0.75 / pulls.size))


def test_the_true_silicon_line_stands_where_the_map_has_its_maximum():
    found = io.sample("raman_silicon_map").isel(row=0, col=0)
    top = int(found["signal"].values.argmax())
    n = 1.000278
    shift = 1e7 / n / found.attrs["true_laser_wavelength_nm"] - 1e7 / n / float(found["true_wavelength"][top])
    assert shift == pytest.approx(float(found["true_shift"]), abs=2.5)
