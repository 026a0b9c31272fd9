"""Replay: the same numbers from the raw data, and a refusal wherever a history cannot be trusted."""

import json
import shutil
import sys

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, LorentzianModel

import analysis.replay as module
from analysis import baseline, calibration, io, peaks, preprocess, report, uncertainty
from analysis.core import HistoryError, history
from analysis.replay import replay
from analysis.uncertainty import Budget, Quantity

MODEL = LorentzianModel(prefix="si_") + ConstantModel(prefix="bg_")


@pytest.fixture(scope="module")
def chain():
    neon, silicon = io.sample("raman_bwtek785_neon"), io.sample("raman_bwtek785_silicon")
    axis = calibration.fit_axis(
        calibration.match(neon, calibration.lines("Ne", 792, 952, units="nm")), axis="wavelength", degree=3
    )
    laser = calibration.laser_zero(axis, silicon, laser=785.0)
    raman = axis.to_raman_shift(laser)
    inside = preprocess.crop(silicon, axis=raman.of, low=np.ceil(raman.low), high=np.floor(raman.high))
    spectrum = calibration.apply(raman, inside)
    flat = baseline.subtract(spectrum, baseline.arpls(spectrum, lam=1e5))
    band = preprocess.crop(flat, axis="raman_shift", low=480, high=560)
    fit = peaks.fit(band, MODEL, peaks.guess(MODEL, band, axis="raman_shift"), axis="raman_shift")
    budget = uncertainty.propagate(
        "(shift - free) / slope / n",
        {
            "shift": peaks.quantity(fit, "si_center"),
            "free": Quantity(value=520.45, u=0.14, units="cm-1", source="a certificate"),
            "slope": Quantity(
                value=-1.93, u=0.1, units="cm-1/GPa", distribution=uncertainty.distributions.rectangular()
            ),
            "n": 2.0,
        },
        name="stress",
        units="GPa",
    )
    return {"axis": raman, "band": band, "fit": fit, "budget": budget}


@pytest.mark.parametrize("name", ["axis", "band", "fit", "budget"])
def test_each_result_of_the_chain_from_lamp_to_budget_is_redone_bit_by_bit(chain, name):
    assert replay(chain[name]).attrs["replay"] == "bit-identical"


def points(kind):
    y = (1.2, 2.1, 4.4, 8.7, 17.1)
    if kind == "quantities":
        return {"y": [Quantity(value=each, u=0.1, units="V", label=f"y{k}") for k, each in enumerate(y)]}
    return {"y": xr.DataArray(list(y), dims="point", attrs={"units": "V"}), "u_y": 0.1, "u_x": [0.01] * 5}


@pytest.mark.parametrize("kind", ["quantities", "numbers"])
@pytest.mark.parametrize(
    "fitted",
    [
        lambda **p: calibration.fit_line([0.0, 1.0, 2.0, 3.0, 4.0], propagation="implicit", **p),
        lambda **p: calibration.fit_polynomial([0.0, 1.0, 2.0, 3.0, 4.0], degree=2, **p),
        lambda **p: calibration.fit_function("exponential", [0.0, 1.0, 2.0, 3.0, 4.0], **p),
        lambda **p: calibration.fit_function("a*exp(b*x)", [0.0, 1.0, 2.0, 3.0, 4.0], start={"b": 0.5}, **p),
    ],
)
def test_a_curve_and_what_is_read_from_it_are_redone(fitted, kind, tmp_path):
    curve = fitted(**points(kind))
    assert replay(curve).attrs["replay"] == "bit-identical"
    for read in (curve.inverse(Quantity(value=4.0, u=0.1, units="V")), curve.predict(1.5), curve.parameters[1]):
        assert replay(read).attrs["replay"] == "bit-identical"
    path = tmp_path / "curve.xml"
    path.write_text(report.certificate(curve, format="dcc"), encoding="utf-8")
    assert replay(path).attrs["replay"].startswith("bit-identical")


def test_a_digital_certificate_is_redone_from_the_raw_data(chain, tmp_path):
    path = tmp_path / "certificate.xml"
    path.write_text(report.certificate(chain["budget"], format="dcc"), encoding="utf-8")
    redone = replay(path)
    assert redone.attrs["replay"] == "bit-identical"
    assert float(redone["value"]) == chain["budget"].value
    calibrated = tmp_path / "axis.xml"
    calibrated.write_text(report.certificate(chain["axis"], format="dcc"), encoding="utf-8")
    assert replay(io.read_calibration(calibrated)).attrs["replay"] == "bit-identical"


def test_a_redone_budget_gives_the_same_certificate(chain):
    given = Budget.from_dataset(chain["budget"].to_dataset())
    redone = Budget.from_dataset(replay(chain["budget"]))
    pages = [report.certificate(each, format="html", issued="2026-11-22") for each in (given, redone)]
    assert pages[0] == pages[1]


def test_results_are_redone_from_a_file_that_was_moved(chain, tmp_path):
    written = io.write(chain, tmp_path / "chain.nc")
    other = tmp_path / "elsewhere"
    other.mkdir()
    redone = replay(shutil.move(written, other / "renamed.nc"))
    assert redone.attrs["replay"] == "bit-identical (axis, band, fit, budget)"
    assert replay(other / "renamed.nc", item="fit").attrs["replay"] == "bit-identical"
    with pytest.raises(HistoryError, match=r"no item 'fits'.*Did you mean 'fit'"):
        replay(other / "renamed.nc", item="fits")


def gaussian_file(folder, name="measured.txt"):
    x = np.linspace(0, 100, 201)
    y = 10 + 500 * np.exp(-(((x - 40) / 5) ** 2)) + np.random.default_rng(1).normal(0, 2, x.size)
    rows = "\n".join(f"{a:.2f},{b:.4f}" for a, b in zip(x, y, strict=True))
    (folder / name).write_text("Raman shift (cm-1),Intensity (counts)\n" + rows + "\n", encoding="utf-8")
    return folder / name


def fitted(spectrum):
    return peaks.fit(spectrum, MODEL, peaks.guess(MODEL, spectrum, axis="raman_shift"), axis="raman_shift")


def test_a_raw_file_is_looked_up_in_the_folder_and_by_its_hash(tmp_path):
    file = gaussian_file(tmp_path)
    fit = fitted(io.read(file))
    assert replay(fit, folder=tmp_path).attrs["replay"] == "bit-identical"
    with pytest.raises(HistoryError, match=r"'measured.txt' is not in the folder.*replay\(\.\.\., folder=\.\.\.\)"):
        replay(fit, folder=tmp_path.parent)
    file.write_text(file.read_text(encoding="utf-8") + "101,3\n", encoding="utf-8")
    with pytest.raises(HistoryError, match="has changed: got SHA-256"):
        replay(fit, folder=tmp_path)


def test_a_project_that_holds_its_raw_data_needs_no_file(tmp_path):
    spectrum = io.read(gaussian_file(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    path = io.write({"raw": spectrum, "fit": fitted(spectrum)}, other / "project.nc")
    assert replay(path, item="fit").attrs["replay"] == (
        "bit-identical; in place of raw files the items raw were used as they are"
    )


def test_changed_raw_data_in_a_project_are_found(tmp_path):
    spectrum = io.read(gaussian_file(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    changed = spectrum.assign(signal=spectrum["signal"] * 1.001)
    path = io.write({"raw": changed, "fit": fitted(spectrum)}, other / "project.nc")
    with pytest.raises(HistoryError, match=r"fit: '.*' is not what its history gives"):
        replay(path)


def test_a_spectrum_is_not_proof_of_itself(tmp_path):
    spectrum = io.read(gaussian_file(tmp_path))
    with pytest.raises(HistoryError, match="is not in the folder"):
        replay(spectrum, folder=tmp_path.parent)


def test_data_made_in_memory_are_found_in_the_project_or_said_to_be_missing(tmp_path):
    spectrum = io.read(gaussian_file(tmp_path))
    del spectrum.attrs["history"]
    fit = fitted(spectrum)
    with pytest.raises(HistoryError, match=r"data that came from no file.*io\.write\(\{'raw': spectrum"):
        replay(fit)
    path = io.write({"raw": spectrum, "fit": fit}, tmp_path / "project.nc")
    assert replay(path, item="fit").attrs["replay"].startswith("bit-identical")


def test_a_changed_number_is_found_and_named(chain):
    fit = chain["fit"]
    moved = fit.assign(value=fit["value"] + 1e-3 * fit["stderr"])
    with pytest.raises(HistoryError, match=r"'value' is not what its history gives: redone it is .* given it is"):
        replay(moved)


def test_numbers_within_a_millionth_of_u_pass_and_the_versions_are_said(chain):
    fit = chain["fit"]
    graph = history.parse(fit.attrs["history"])
    graph["steps"][graph["head"]]["versions"]["numpy"] = "1.0"
    near = fit.assign(value=fit["value"] + 1e-7 * fit["stderr"]).assign_attrs(history=json.dumps(graph))
    said = replay(near).attrs["replay"]
    assert said == f"within 1e-6 u; made with numpy 1.0, now {np.__version__}"


def test_a_changed_setting_is_found(chain):
    graph = history.parse(chain["band"].attrs["history"])
    graph["steps"][graph["head"]]["settings"]["low"] = 490
    with pytest.raises(HistoryError, match="does not have the id of what it says"):
        replay(chain["band"].assign_attrs(history=json.dumps(graph)))


@pytest.mark.parametrize("name", ["os.system", "preprocess.__init__", "io.write", "uncertainty.frompyfunc"])
def test_no_function_outside_the_registry_is_run(chain, name):
    text = history.extend(name, settings={}, inputs={})
    with pytest.raises(HistoryError, match=r"none of .* known ones, and nothing else is run"):
        replay(chain["band"].assign_attrs(history=text))


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname", "..", ""])
def test_a_file_is_looked_for_in_the_folder_only(chain, path, tmp_path):
    text = history.extend("io.read", settings={"path": path, "sha256": "0", "format": "ascii"}, inputs={})
    with pytest.raises(HistoryError, match="wanted a plain name"):
        replay(chain["band"].assign_attrs(history=text), folder=tmp_path)


def test_a_step_that_fails_says_which_and_why(chain):
    text = history.extend("io.sample", settings={"name": "raman_neom"}, inputs={})
    with pytest.raises(HistoryError, match=r"step io.sample could not be done again.*Did you mean 'raman_neon'"):
        replay(chain["band"].assign_attrs(history=text))


DAMAGED = [
    "[]",
    '{"head": "a", "steps": {"a": {}}}',
    '{"head": "a", "steps": {"a": 3}}',
    '{"head": "a", "steps": {"a": {"function": ["io.read"], "settings": {}, "inputs": {}}}}',
    '{"head": "a", "steps": {"a": {"function": "io.read", "settings": {}, "inputs": {"x": "a"}}}}',
    '{"head": "a", "steps": {"a": {"function": "raw", "settings": {"content": "a"}, "inputs": {"x": "b"}}}}',
    '{"head": "a", "steps": {"a": {"function": "raw", "settings": {"content": "a"}, "inputs": {"x": "a"}}}}',
    history.extend("calibration.predict", settings={}, inputs={}),
    history.extend("uncertainty.correlated", settings={"output": 5}, inputs={}),
    history.extend("peaks.quantity", settings={"name": "x", "more": 1}, inputs={}),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_history_is_refused_and_never_a_crash(chain, text):
    with pytest.raises(HistoryError):
        replay(chain["band"].assign_attrs(history=text))


def test_the_steps_beside_the_chain_are_redone_too(tmp_path):
    rows = "".join(f"{x}\t{100 + 50 * np.exp(-(((x - 30) / 4) ** 2)) + x % 3:.4f}\n" for x in range(80))
    (tmp_path / "bare.txt").write_text(rows, encoding="utf-8")
    named = io.name_axis(io.read(tmp_path / "bare.txt"), name="energy", units="keV")
    clean = preprocess.smooth(preprocess.despike(named), window=5, order=2)
    flat = baseline.subtract(clean, baseline.snip(clean, half_window=20))
    found = peaks.find(flat, axis="energy", max_peaks=2, sigma=1.0)
    start = peaks.guess_each(MODEL, flat, axis="energy")
    params = peaks.guess(MODEL, flat, axis="energy")
    curve = peaks.evaluate(peaks.fit(flat, MODEL, params, axis="energy", start=start, sigma=1.0, engine="lmfit"))
    for each in (
        found,
        start,
        curve,
        *(family(clean) for family in (baseline.asls, baseline.airpls, baseline.modpoly)),
    ):
        assert replay(each, folder=tmp_path).attrs["replay"] == "bit-identical"


def test_a_fit_from_starts_too_many_for_the_text_of_a_history_is_redone(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["analysis.peaks.fit"], "LARGEST_SETTING", 1)
    rows = "".join(f"{x}\t{100 + 50 * np.exp(-(((x - 30) / 4) ** 2)) + x % 3:.4f}\n" for x in range(80))
    (tmp_path / "bare.txt").write_text(rows, encoding="utf-8")
    named = io.name_axis(io.read(tmp_path / "bare.txt"), name="energy", units="keV")
    params = peaks.guess(MODEL, named, axis="energy")
    start = peaks.guess_each(MODEL, named, axis="energy")
    made = peaks.fit(named, MODEL, params, axis="energy", start=start)
    assert "start" in history.parse(made.attrs["history"])["steps"][history.head(made)]["inputs"]
    assert replay(made, folder=tmp_path).attrs["replay"] == "bit-identical"
    by_hand = peaks.fit(named, MODEL, params, axis="energy", start={"si_center": 29.0, "si_sigma": 5.0})
    with pytest.raises(HistoryError):
        replay(by_hand, folder=tmp_path)


def test_a_verdict_and_a_monte_carlo_are_redone(chain):
    polystyrene = io.sample("raman_bwtek785_polystyrene")
    bands = calibration.lines("polystyrene", 600, 1700, units="cm-1")
    verdict = calibration.check(chain["axis"].valid_between("2021-01-01", "2022-12-31"), polystyrene, bands)
    drawn = uncertainty.sample(chain["budget"], trials=1000, seed=1)
    for each in (verdict, drawn):
        assert replay(each).attrs["replay"] == "bit-identical"


def test_a_result_without_history_is_refused():
    with pytest.raises(HistoryError, match="without a history; plain arithmetic drops it"):
        replay(xr.Dataset({"signal": ("channel", [1.0, 2.0])}))


def test_quantities_are_redone_with_their_sources():
    readings = uncertainty.type_a([1.0, 2.0, 4.0], units="K", label="t")
    first, second = uncertainty.correlated([1.0, 2.0], [[1.0, 0.5], [0.5, 2.0]], units="K", labels=["a", "b"])
    joined = np.sqrt(readings**2 + 2.0 * (first * second).to("mK2")) - readings
    assert replay(joined).attrs["replay"] == "bit-identical"
    several = uncertainty.propagate(
        {"p": "a + b", "m": "a - b"}, {"b": second, "a": first}, name="", units={"p": "K", "m": "K"}
    )
    assert replay(several["m"]).attrs["replay"] == "bit-identical"


def test_statistics_are_redone_with_their_sources():
    rng = np.random.default_rng(1)
    line = uncertainty.regression([1.0, 2.0, 4.0, 7.0], [2.1, 3.9, 8.3, 13.8], units="V", x_units="s")
    read = uncertainty.type_a_series(rng.normal(7, 1, 20), units="V")
    days = uncertainty.anova(rng.normal(7, 1, (3, 4)), units="V")
    joined = uncertainty.combine([line.predict(3.0), read, days.mean + 0.0 * line.parameters[0]]).quantity
    assert replay(joined).attrs["replay"] == "bit-identical"


def test_every_numpy_function_of_the_algebra_can_be_redone():
    known = {function.__name__ for function in module._UFUNCS}
    assert known == set(uncertainty.quantity.algebra.names())
