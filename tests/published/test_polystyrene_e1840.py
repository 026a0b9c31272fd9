"""Measured polystyrene after calibration with neon and silicon, against ASTM E1840; calcite judges the calibration.

Published bands: ASTM E1840, with u from NMIJ RM 8158-a (Analytical Sciences 37 (2021) 1533, U = 1.2 cm-1, k = 2).
Spectra: ramanchada2 data (MIT), in `sample_data`.
"""

import numpy as np
import pytest

from analysis import calibration, io
from analysis.calibration import Verdict
from analysis.core import CalibrationError
from analysis.uncertainty import Quantity
from tests import measured

VALIDATION = [
    {
        "what": "Raman shift of polystyrene bands on five measured instruments (532, 633 and 785 nm)",
        "against": "ASTM E1840: 620.9, 1001.4, 1031.8, 1155.3, 1602.3 cm-1",
        "agreement": "absolute E_n at most 1 with own U (k = 2) at most 1 cm-1 for at least 90 % of the bands",
    },
    {
        "what": "Polystyrene on the instrument with the largest raw error, 5 cm-1",
        "against": "ASTM E1840",
        "agreement": "within 1 cm-1 on each of the five bands",
    },
    {
        "what": "A calibration used on spectra of eight months before it",
        "against": "silicon 520.45 cm-1 (NMIJ RM 8156) and calcite",
        "agreement": "refused by date; without dates found by the bands",
    },
]
JUDGED = ("bwtek532a", "bwtek785", "horiba633", "horiba785_op1", "horiba785_op3")


@pytest.fixture(scope="module")
def outcomes():
    return {name: measured.outcome(name) for name in JUDGED}


def test_polystyrene_agrees_with_e1840_on_the_instruments_judged_valid(outcomes):
    valid = [name for name, found in outcomes.items() if found.verdict.verdict is Verdict.VALID]
    assert valid == list(JUDGED)
    bands = [band for name in valid for band in outcomes[name].after]
    assert len(bands) == 25
    assert sum(map(measured.agrees, bands)) >= 0.9 * len(bands)
    assert all(abs(band.en) <= 1 for band in bands)


def test_the_largest_raw_error_ends_below_1_wavenumber_on_each_band(outcomes):
    def largest(bands):
        return max(abs(band.deviation) for band in bands)

    raw = {name: largest(found.before) for name, found in outcomes.items()}
    assert max(raw, key=raw.get) == "horiba785_op3"
    worst = outcomes["horiba785_op3"]
    assert np.mean([abs(band.deviation) for band in worst.before]) == pytest.approx(5, abs=0.5)
    assert largest(worst.after) < 1.0
    assert all(2 * band.measured.u < 1.0 for band in worst.after)


def test_an_instrument_whose_check_bands_prove_nothing_is_undecided():
    raman, calcite = measured.raman_axis("horiba785_op2"), io.sample("raman_horiba785_op2_calcite")
    verdict = calibration.check(raman, calcite, measured.calcite_lines())
    assert verdict.verdict is Verdict.UNDECIDED
    assert not verdict


def test_samples_of_eight_months_before_the_lamp_are_refused_by_date():
    axis = measured.wavelength_axis("bwtek532b")
    assert axis.acquired.startswith("2022-07")
    silicon = io.sample("raman_bwtek532b_silicon")
    assert silicon.attrs["acquired"].startswith("2021")
    with pytest.raises(CalibrationError, match=r"stale calibration: .* 2021-.* before the calibration of 2022-07"):
        calibration.laser_zero(axis, silicon, laser=532.14)
    later = silicon.assign_attrs(acquired="2023-03-20")
    with pytest.raises(CalibrationError, match=r"stale calibration: .* days after the calibration of 2022-07"):
        calibration.laser_zero(axis, later, laser=532.14)


def test_without_dates_the_bands_find_the_stale_calibration():
    # laser line as the header of the lamp file says, 532.14 nm; 0.01 nm is 0.35 cm-1
    laser = Quantity(value=532.14, u=0.01, units="nm", label="laser", source="header of the lamp file")
    raman = measured.wavelength_axis("bwtek532b").to_raman_shift(laser)
    tables = {"silicon": calibration.lines("silicon", 500, 540, units="cm-1"), "calcite": measured.calcite_lines()}
    for name, table in tables.items():
        spectrum = io.sample(f"raman_bwtek532b_{name}")
        dated = calibration.check(raman, spectrum, table)
        assert dated.verdict is Verdict.STALE
        del spectrum.attrs["acquired"]
        undated = calibration.check(raman, spectrum, table)
        assert undated.by_date == "unknown"
        assert undated.verdict is Verdict.DRIFTED, undated.message
