"""Tensile tests: truth of simulated materials, coverage of intervals, what is refused and why, verification."""

import dataclasses
import math
import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from analysis import figures, io, tensile
from analysis.core import HistoryError, SpectrumError, UncertaintyError, UnitsError
from analysis.replay import replay
from analysis.uncertainty import Quantity
from tests import pulled

REAL = Path(os.environ.get("METROSPEC_REAL_FILES", "not there")) / "zwick_tensile_invar.TRA"


@pytest.fixture
def steel():
    return pulled.pull("steel")


def evaluated(curve, **changes):
    return tensile.evaluate(curve, specimen=pulled.specimen(**changes))


@pytest.mark.parametrize("material", pulled.MATERIALS)
def test_the_truth_is_recovered_where_machine_and_specimen_are_exact(material):
    found = evaluated(pulled.pull(material, errors=False))
    truth = pulled.MATERIALS[material].truth()
    assert set(truth) == set(found.values)
    for name, value in truth.items():
        part = {"E": 0.02, "Ag": 0.15, "Agt": 0.1}.get(name, 0.002)  # a flat maximum says little of its place
        assert abs(found[name].value - value) < part * value
        assert abs(found[name].value - value) < 3 * found[name].u


def test_intervals_cover_the_truth_over_materials_and_errors():
    hits = []
    for material in pulled.MATERIALS:
        for seed in range(12):
            found = evaluated(pulled.pull(material, seed=100 + seed))
            for name, value in pulled.MATERIALS[material].truth().items():
                low, high = found[name].interval()
                hits.append(low <= value <= high)
    assert np.mean(hits) > 0.93  # binomial: 0.95 less 1.7 standard deviations of 312 results


def test_stresses_share_cross_section_and_force_calibration(steel):
    found = evaluated(steel)
    assert found["Rm"].correlation(found["Rp0.2"]) > 0.98
    labels = [each.name for each in found["Rm"].contributions]
    assert labels[:2] == ["force calibration", "cross-section"]


def test_a_slope_by_crosshead_is_not_stated_as_modulus_until_compliance_is_known():
    curve = pulled.pull("steel", compliance=2e-5)
    found = evaluated(curve)
    assert "not Young's modulus" in found.reasons["E"]
    assert "E" not in found.values
    with pytest.raises(UncertaintyError, match="E is not stated: extension is travel of the crosshead"):
        found["E"]
    known = evaluated(curve, compliance=Quantity(value=2e-5, u=2e-7, units="mm/N", label="compliance"))
    assert abs(known["E"].value - 205) < 2 * known["E"].u
    assert abs(known["Agt"].value - pulled.MATERIALS["steel"].truth()["Agt"]) < 2 * known["Agt"].u
    assert known["Rp0.2"].value == pytest.approx(found["Rp0.2"].value)


def test_what_comes_in_other_units_is_converted(steel):
    other = steel.assign(force=(steel.force / 1000).assign_attrs(units="kN"))
    other["extension"] = (steel.extension / pulled.LENGTH * 100).assign_attrs(units="%")
    assert evaluated(other)["E"].value == pytest.approx(evaluated(steel)["E"].value)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c.assign(force=(c.force / 1000).assign_attrs(units="N")), "force is in N or kN"),
        (lambda c: c.assign(force=(-c.force).assign_attrs(units="N")), "change signs"),
        (lambda c: c.assign(extension=(-c.extension).assign_attrs(units="mm")), "change signs"),
        (lambda c: c.assign(force=c.force.drop_attrs()), "no units"),
        (lambda c: c.drop_vars("force"), "needs force"),
        (lambda c: c.assign(force=c.force * np.nan).assign(force=(c.force * np.nan).assign_attrs(units="N")), "finite"),
        (lambda c: c.isel(channel=slice(None, None, -1)), "time goes back"),
    ],
)
def test_what_cannot_be_a_tensile_test_is_refused(steel, change, match):
    with pytest.raises(SpectrumError, match=match):
        evaluated(change(steel))


def test_per_cent_taken_for_parts_is_said_in_place_of_a_modulus(steel):
    wrong = steel.assign(extension=(steel.extension / pulled.LENGTH * 100).assign_attrs(units="1"))
    assert "% or mm/mm" in evaluated(wrong).reasons["E"]
    small = steel.assign(extension=(steel.extension / pulled.LENGTH).assign_attrs(units="%"))
    assert "% or mm/mm" in evaluated(small).reasons["E"]


def test_wrong_dimensions_are_refused(steel):
    with pytest.raises(UnitsError):
        evaluated(steel.assign(force=steel.force.assign_attrs(units="mm")))


def test_empty_rows_are_left_out_and_gaps_are_said(steel):
    holed = steel.copy(deep=True)
    holed["force"][500:520] = np.nan
    cut = holed.isel(channel=np.r_[0:2000, 2300 : holed.sizes["channel"]])
    found = evaluated(cut)
    assert any("20 of" in note and "left out" in note for note in found.notes)
    assert any("gaps" in note for note in found.notes)
    assert found["Rm"].value == pytest.approx(evaluated(steel)["Rm"].value, rel=1e-4)


def test_a_clipped_record_has_no_strength_and_says_so(steel):
    clipped = steel.assign(force=steel.force.clip(max=35e3).assign_attrs(units="N"))
    found = evaluated(clipped)
    assert "clipped" in found.reasons["Rm"]
    assert "clipped" in found.reasons["A"]
    assert "Rp0.2" in found.values


def test_a_curve_without_elastic_part_keeps_its_strength(steel):
    found = evaluated(steel.isel(channel=slice(1500, None)))
    assert "no elastic part" in found.reasons["E"]
    assert abs(found["Rm"].value - 520) < 3 * found["Rm"].u


def test_a_record_without_fracture_has_no_elongation(steel):
    found = evaluated(steel.isel(channel=slice(None, -10)))
    assert found.reasons["A"] == "no fracture was recorded"


def test_the_guarded_decision_is_stricter_than_the_simple_one(steel):
    found = evaluated(steel)
    limit = found["Rm"].value - 0.5 * found["Rm"].U()
    assert found.conformity("Rm", lower=limit, guard=0).accepted
    assert not found.conformity("Rm", lower=limit).accepted


def test_rates_are_named(steel):
    assert "range 2" in evaluated(steel).checks["strain rate, Rp0.2"]
    assert "range 4" in evaluated(steel).checks["strain rate, Rm"]


def test_the_rate_at_the_greatest_force_is_that_before_it_where_the_specimen_breaks_there(steel):
    top = int(steel["force"].values.argmax())
    broken = xr.concat([steel.isel(channel=slice(None, top + 1)), steel.isel(channel=slice(-5, None))], "channel")
    broken["extension"][-5:] = steel["extension"].values[top]
    assert "range 4" in evaluated(broken).checks["strain rate, Rm"]


def test_inputs_are_not_changed(steel):
    before = steel.copy(deep=True)
    evaluated(steel)
    xr.testing.assert_identical(steel, before)


def test_a_specimen_refuses_numbers_without_units_and_unknown_classes():
    with pytest.raises(UncertaintyError, match="must be a Quantity"):
        pulled.specimen(area=78.5)
    with pytest.raises(UncertaintyError, match=r"force_class must be one of .* got 0.7"):
        pulled.specimen(force_class=0.7)


def test_force_is_classified_by_its_worst_step():
    true = np.array([10.0, 20.0, 50.0, 100.0])
    runs = np.array([1.004, 1.006, 1.005])[:, None] * true
    found = tensile.verify_force(true, runs, resolution=0.01, zero=[0.0, 0.01, 0.02], falling=1.006 * true)
    assert found.achieved == 0.5
    np.testing.assert_allclose(found.steps["q"], 0.5)
    np.testing.assert_allclose(found.steps["b"], 0.2)
    np.testing.assert_allclose(found.steps["v"], 0.1)
    assert tensile.verify_force(true, runs + 0.07, resolution=0.01).achieved == 2.0
    assert tensile.verify_force(true, 1.1 * runs, resolution=0.01).achieved is None


def test_extension_is_classified_by_percentage_or_micrometres():
    true = np.array([0.05, 0.3, 1.0])
    assert tensile.verify_extension(true, [true + 0.0014, true - 0.001], resolution=1e-4).achieved == 0.5
    assert tensile.verify_extension(true, [true * 1.009, true], resolution=1e-4).achieved == 1.0
    with pytest.raises(UncertaintyError, match="at least 2 runs"):
        tensile.verify_extension(true, [true], resolution=1e-4)


def invar():
    lines = REAL.read_text(encoding="latin-1").splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith('"Time"'))
    names, units = (line.replace('"', "").split(",") for line in lines[start : start + 2])
    table = np.array([[float(cell) for cell in line.split(",")] for line in lines[start + 2 :] if line])
    columns = {name: ("channel", table[:, k], {"units": units[k]}) for k, name in enumerate(names)}
    return xr.Dataset(columns)


@pytest.mark.skipif(not REAL.exists(), reason="METROSPEC_REAL_FILES does not name the folder of real files")
def test_the_crosshead_slope_of_invar_is_said_not_to_be_its_modulus():
    found = tensile.evaluate(
        invar(),
        specimen=tensile.Specimen(
            area=Quantity(value=7.335, u=0.02, units="mm2"), gauge_length=Quantity(value=30, u=0.1, units="mm")
        ),
    )
    assert "E" not in found.values
    assert "not Young's modulus" in found.reasons["E"]
    assert abs(found["slope"].value - 79.4) < 2  # index.json of the real files; the slope depends on the window
    assert abs(found["Rm"].value - 1009.9) < 0.5
    assert any("gaps" in note for note in found.notes)


def test_the_figure_shows_curve_lines_and_points(steel):
    axes = figures.draw_tensile(evaluated(steel), near_yield=True).axes[0]
    assert {"curve", "elastic line", "0.2 % offset"} <= {each.get_label() for each in axes.lines}
    assert axes.get_xlim()[1] < 1.5


def test_the_uncertainty_of_a_verification_is_that_of_a_hand_calculation():
    """At 2 kN: runs 0.10, 0.20, 0.00 %, s/sqrt(3) = 0.0577 %; resolution 0.1 %/sqrt(12) = 0.0289 %; standard 0.03 %."""
    runs = np.array([[2.002, 10.02], [2.004, 10.01], [2.000, 10.03]])
    transducer = Quantity(value=0.01, u=0.03, units="percent", label="force standard")
    found = tensile.verify_force([2.0, 10.0], runs, resolution=0.002, standard=transducer)
    assert found.errors[0].value == pytest.approx(0.10 - 0.01)
    assert found.errors[0].u == pytest.approx(math.hypot(0.1 / math.sqrt(3), 0.1 / math.sqrt(12), 0.03), rel=1e-9)
    assert found.steps["u_q"][0] == found.errors[0].u
    shared = (found.errors[0] - found.errors[1]).u
    assert shared < math.hypot(found.errors[0].u, found.errors[1].u) - 1e-3
    without = tensile.verify_force([2.0, 10.0], runs, resolution=0.002)
    assert "force standard" in without.sentence
    with pytest.raises(UncertaintyError, match="percent"):
        tensile.verify_force([2.0, 10.0], runs, resolution=0.002, standard=Quantity(value=0, u=1.0, units="N"))


def test_the_same_record_gives_the_same_sources_and_another_specimen_others(steel):
    specimen = pulled.specimen()
    one, two = (tensile.evaluate(steel, specimen=specimen) for _ in range(2))
    assert (one["Rm"].to_quantity() - two["Rm"].to_quantity()).u == 0.0
    other = tensile.evaluate(steel, specimen=pulled.specimen())
    assert (one["Rm"].to_quantity() - other["Rm"].to_quantity()).u > 0.0
    assert one["Rp0.2"].correlation(one["E"]) != 0.0


def test_a_property_is_redone_from_the_record_bit_by_bit(steel, tmp_path):
    specimen = pulled.specimen(compliance=None, name="bar 7")
    found = tensile.evaluate(steel, specimen=specimen, window=(0.15, 0.4), offset=0.001)
    io.write({"raw": steel, "Rp": found["Rp0.1"], "E": found["E"]}, tmp_path / "bar.nc")
    assert replay(tmp_path / "bar.nc").attrs["replay"].startswith("bit-identical")
    text = found["Rp0.1"].history.replace('"offset": 0.001', '"offset": 0.002')
    with pytest.raises(HistoryError, match="does not have the id of what it says"):
        replay(dataclasses.replace(found["Rp0.1"], history=text))
