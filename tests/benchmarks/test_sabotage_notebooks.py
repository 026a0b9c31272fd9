"""A function made wrong by 5 % or 1 % turns each notebook that uses it red.

In a copy of the notebook its setup cell also spoils the function; what is stored stays. About 12 minutes.
Run:  python run.py bench -k sabotage_notebooks
"""

import sys

import nbformat
import pytest

from tests import notebooks
from tests.contract.test_notebooks import nbval

SPOIL = """
import dataclasses
from collections.abc import Mapping
import numpy as np


def _times(thing, factor):
    if isinstance(thing, tuple | list):
        return type(thing)(_times(each, factor) for each in thing)
    if hasattr(thing, "data_vars") and "value" in thing:
        return thing.assign(value=thing["value"] * factor)
    if isinstance(thing, Mapping):
        return {name: _times(each, factor) for name, each in thing.items()}
    if isinstance(thing, uncertainty.Quantity):
        return thing * factor
    if isinstance(thing, uncertainty.Budget):
        return dataclasses.replace(thing, value=thing.value * factor)
    if isinstance(thing, uncertainty.Sample):
        return dataclasses.replace(thing, draws=thing.draws * factor)
    if dataclasses.is_dataclass(thing):
        parts = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing)}
        spoiled = {n: _times(v, factor) for n, v in parts.items() if _is_result(v)}
        assert spoiled, f"nothing to spoil in {type(thing).__name__}"
        return dataclasses.replace(thing, **spoiled)
    return thing * factor


def _is_result(value):
    held = list(value.values()) if isinstance(value, Mapping) else [value]
    return bool(held) and all(isinstance(each, uncertainty.Quantity | uncertainty.Budget) for each in held)


def _spoil(owner, name, factor):
    kept = getattr(owner, name)
    setattr(owner, name, lambda *args, **kwargs: _times(kept(*args, **kwargs), factor))


from analysis import calibration, diffraction, peaks, quality, quantum, stability, tensile, uncertainty, waveform
from instruments import acquire
"""
FUNCTIONS = {
    "00_start_here": ("peaks.quantity", "uncertainty.propagate"),
    "01_raman_calibration": ("peaks.quantity", "calibration.laser_zero", "uncertainty.propagate", "uncertainty.sample"),
    "03_uvvis_quantitation": (
        "calibration.CurveCalibration.inverse", "calibration.detection_limits", "uncertainty.propagate",
    ),
    "02_co_gas_band": ("gas.fit", "gas.bond_length", "gas.rydberg"),
    "05_gamma_xrf": ("gamma.activity", "gamma.read_peak"),
    "06_xrd_lattice": ("diffraction.lattice_parameter", "diffraction.williamson_hall", "peaks.quantity"),
    "04_xps_core_levels": ("peaks.quantity", "peaks.integral"),
    "08_instrument_calibration": (
        "calibration.CurveCalibration.predict", "uncertainty.propagate", "calibration.sensors.MeterRange.value",
        "calibration.sensors.ForceTransducer.force",
    ),
    "09_uncertainty_budget": ("uncertainty.propagate", "uncertainty.sample"),
    "10_stability_noise": ("stability.oadev", "stability.drift", "stability.three_cornered_hat"),
    "11_adc_sine_test": ("waveform.dynamic_test", "waveform.jitter"),
    "12_tensile_iso6892": ("tensile.evaluate",),
    "13_daq_and_control": ("acquire.average", "uncertainty.propagate", "peaks.quantity"),
    "14_interlab_certificate": ("quality.interlab", "uncertainty.propagate", "calibration.laser_zero"),
    "16_quantum_sensing": ("quantum.quantity", "quantum.field", "quantum.sensitivity"),
}  # fmt: skip


BROKEN = (".ipynb::Cell 0", "TypeError", "nothing to spoil")  # the spoiling itself failed


def spoiled(name, function, factor, folder):
    notebook = nbformat.read(notebooks.FOLDER / f"{name}.ipynb", as_version=4)
    owner, _, last = function.rpartition(".")
    setup = next(cell for cell in notebook.cells if "setup" in notebooks.tags(cell))
    setup.source += f"\n{SPOIL}\n_spoil({owner}, {last!r}, {factor})"
    path = folder / f"{name}__{function.replace('.', '_')}__{factor}.ipynb".replace("1.0", "1_0")
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_notebook_notices(name, tmp_path, capsys):
    made = [spoiled(name, function, factor, tmp_path) for function in FUNCTIONS[name] for factor in (1.05, 1.01)]
    untouched = tmp_path / f"{name}__untouched.ipynb"
    untouched.write_bytes((notebooks.FOLDER / f"{name}.ipynb").read_bytes())
    text, red = nbval(untouched, *made)
    with capsys.disabled():
        sys.stdout.write(
            "\n" + "\n".join(f"{'red' if p.stem in red else 'GREEN'}  {p.stem}" for p in [untouched, *made])
        )
    assert red == {path.stem for path in made}, text
    assert not [word for word in BROKEN if word in text], text
