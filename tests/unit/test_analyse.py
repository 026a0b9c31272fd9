"""The headless job: what it writes, what it says, and what it refuses."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from analysis import io
from analysis.__main__ import main
from analysis.analyse import Settings, analyse, calibrate
from analysis.core import CalibrationError, MetrospecError, SpectrumError
from analysis.replay import replay

ROOT = Path(__file__).parents[2]
DEVICE = "raman_bwtek785"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Packaged spectra as files of a measurement, one of them as text."""
    folder = tmp_path_factory.mktemp("measured")
    for name in ("neon", "silicon", "calcite"):
        io.write(io.sample(f"{DEVICE}_{name}"), folder / f"{name}.nc")
    calcite = io.sample(f"{DEVICE}_calcite")
    chosen = calcite.isel(channel=slice(400, 900))
    rows = zip(chosen["raman_shift"].values, chosen["signal"].values, strict=True)
    text = "Raman shift (cm-1);Counts\n" + "".join(f"{x:.3f};{y:.1f}\n" for x, y in rows)
    (folder / "calcite.txt").write_text(text, encoding="utf-8")
    return folder


def chain(folder, out, *more):
    lamps = ["--lamp", str(folder / "neon.nc"), "--silicon", str(folder / "silicon.nc"), "--laser", "785"]
    return [str(folder / "calcite.nc"), *lamps, "--range", "1050", "1120", "--peaks", "1", "--out", str(out), *more]


@pytest.fixture(scope="module")
def finished(measured, tmp_path_factory):
    out = tmp_path_factory.mktemp("results") / "new folder"
    command = [sys.executable, "-m", "analysis", *chain(measured, out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_the_command_finds_the_calcite_band_within_its_uncertainty(finished):
    # 1085.91 cm-1, good to 1 cm-1: CWA 18133, as tabulated in ramanchada2
    found = re.search(r"p1  center ([\d.]+) ± ([\d.]+) cm-1", finished[1])
    value, u = (float(each) for each in found.groups())
    assert abs(value - 1085.91) < 1.0
    assert 0.01 < u < 1.0


def test_the_command_says_what_it_left_out_and_what_it_wrote(finished):
    out, said = finished
    assert re.search(r"note: \d+ of 2048 channels kept: the others lie outside the outermost calibration lines", said)
    assert "note: Validity of the calibration: the spectrum was recorded on 2021-10-27" in said
    assert {path.name for path in out.iterdir()} == {"calcite_results.nc", "peaks.csv", "peaks.xlsx", "report.html"}
    for path in out.iterdir():
        assert f"wrote {path}" in said


def test_the_tables_hold_the_same_numbers_as_the_results_file(finished):
    out, _ = finished
    fit = io.read_project(out / "calcite_results.nc")["fit"]
    table = pd.read_csv(out / "peaks.csv").set_index("parameter")
    assert table.loc["p1_center", "value"] == float(fit["value"].sel(parameter="p1_center"))
    assert set(table["file"]) == {"calcite.nc"}
    sheet = openpyxl.load_workbook(out / "peaks.xlsx")["peaks"]
    assert sheet.max_row == len(table) + 1


def test_the_results_file_is_redone_without_the_raw_files(finished):
    out, _ = finished
    assert replay(out / "calcite_results.nc").attrs["replay"].startswith("bit-identical")


def test_the_report_shows_figures_calibration_notes_and_steps(finished):
    page = (finished[0] / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2
    for words in ("channels kept", "inside its validity", "calibration: laser", "calibration.laser_zero", "peaks.fit"):
        assert words in page


def test_results_are_not_replaced_without_force(measured, finished, capsys):
    out, _ = finished
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(chain(measured, out)) == 1
    assert "replace them with --force" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_raw_files_are_never_replaced(measured, tmp_path, capsys):
    raw = tmp_path / "peaks.csv"
    raw.write_bytes((measured / "calcite.txt").read_bytes())
    assert main([str(raw), "--out", str(tmp_path), "--force"]) == 1
    assert "['peaks.csv'] would replace raw files of the same name" in capsys.readouterr().err
    assert raw.read_bytes() == (measured / "calcite.txt").read_bytes()


def test_results_beside_a_raw_netcdf_file_are_redone(tmp_path):
    raw = io.sample(f"{DEVICE}_calcite").isel(channel=slice(400, 900))
    del raw.attrs["history"]
    io.write(raw, tmp_path / "calcite.nc")
    assert main([str(tmp_path / "calcite.nc"), "--out", str(tmp_path), "--peaks", "1"]) == 0
    assert replay(tmp_path / "calcite_results.nc").attrs["replay"] == "bit-identical (raw, fit)"


def test_a_bad_file_is_named_and_the_others_go_on(measured, tmp_path, capsys):
    (measured / "bad.txt").write_text("not a spectrum\n", encoding="utf-8")
    files = [str(measured / name) for name in ("bad.txt", "missing.txt", "calcite.txt")]
    assert main([*files, "--out", str(tmp_path), "--peaks", "1"]) == 1
    said = capsys.readouterr()
    assert "bad.txt: 'bad.txt' holds no table of numbers" in said.err
    assert "missing.txt: there is no file" in said.err
    assert "the axis 'raman_shift' of the file counts as exact" in said.out
    assert {path.name for path in tmp_path.iterdir()} == {
        "calcite_results.nc",
        "peaks.csv",
        "peaks.xlsx",
        "report.html",
    }


def test_nothing_is_written_where_every_file_fails(measured, tmp_path, capsys):
    assert main([str(measured / "missing.txt"), "--out", str(tmp_path / "out")]) == 1
    assert "there is no file" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_files_of_one_name_get_results_of_two_names(measured, tmp_path):
    again = measured / "again"
    again.mkdir()
    (again / "calcite.txt").write_bytes((measured / "calcite.txt").read_bytes())
    files = [str(measured / "calcite.txt"), str(again / "calcite.txt")]
    assert main([*files, "--out", str(tmp_path), "--peaks", "1", "--baseline", "none"]) == 0
    assert {"calcite_results.nc", "calcite_2_results.nc"} <= {path.name for path in tmp_path.iterdir()}


def test_a_map_is_analysed_with_a_stated_laser():
    lamp, silicon = io.sample("raman_neon"), io.sample("raman_silicon_map")
    settings = Settings(laser=532.05, laser_u=0.01, lines_low=530, lines_high=640, peaks=1)
    done = analyse(silicon, settings, calibrated_by=calibrate(lamp, settings=settings))
    assert done.fit["status"].shape == (6, 8)
    centre = done.fit["value"].sel(parameter="p1_center").values
    # u of the laser is 0.35 cm-1 and common to all; the truth is stored with the simulated map
    assert np.abs(centre - silicon["true_shift"].values).max() < 3 * 0.37
    assert not done.failed


def test_an_axis_that_the_file_does_not_name_can_be_named(measured, tmp_path):
    lines = (measured / "calcite.txt").read_text(encoding="utf-8").splitlines()[1:]
    file = tmp_path / "bare.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = ["--axis", "raman_shift", "--units", "cm-1", "--peaks", "1", "--out", str(tmp_path / "out")]
    assert main([str(file), *arguments]) == 0
    assert io.read_project(tmp_path / "out" / "bare_results.nc")["fit"].attrs["axis"] == "raman_shift"


def test_a_fit_that_fails_is_said_once_and_the_exit_code_is_1(measured, tmp_path, capsys):
    assert main([str(measured / "silicon.nc"), "--out", str(tmp_path), "--axis", "raman_shift"]) == 1
    said = capsys.readouterr()
    assert said.out.count("as the fit failed") == 1
    assert "silicon.nc: the fit failed; see the notes" in said.err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "lorentz"}, "Did you mean 'lorentzian'"),
        ({"baseline": "arlps"}, "Did you mean 'arpls'"),
        ({"peaks": 0}, "peaks must be 1 or more, got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, words):
    with pytest.raises(MetrospecError, match=words):
        Settings(**settings)


def test_a_laser_without_uncertainty_is_refused():
    settings = Settings(laser=532.0, lines_low=530, lines_high=640)
    with pytest.raises(CalibrationError, match=r"without its uncertainty; give it in nm, --laser-u"):
        calibrate(io.sample("raman_neon"), settings=settings)


def test_a_lamp_that_does_not_say_its_wavelengths_needs_a_range():
    with pytest.raises(CalibrationError, match=r"which wavelengths it spans; say it in nm: --lines-range"):
        calibrate(io.sample("raman_neon"), settings=Settings())


def test_a_laser_without_a_lamp_is_refused(measured, tmp_path, capsys):
    assert main([str(measured / "calcite.txt"), "--laser", "785", "--out", str(tmp_path / "out")]) == 1
    assert "give its lamp spectrum too: --lamp FILE" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_noise_alone_has_no_peaks():
    noise = io.sample("raman_neon").drop_vars("u_signal")
    noise = noise.assign(signal=("channel", np.random.default_rng(3).normal(100, 1, noise.sizes["channel"])))
    with pytest.raises(SpectrumError, match="no peak stands 5 times out of the noise"):
        analyse(noise, Settings(baseline="none"))
