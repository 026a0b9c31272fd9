"""Tolerances of tensile tests: the budget of a class 1 machine, and proof strengths with the response of materials."""

import math

import pytest

from analysis import tensile
from analysis.uncertainty import Quantity, distributions, propagate
from tests import pulled

VALIDATION = [
    {
        "what": "Total uncertainty of proof strengths, five materials",
        "against": "ISO 6892:1998, table J.3 (as reprinted in IS 1608:2005)",
        "agreement": "all printed digits",
    },
    {
        "what": "Budget of Rm and Rp0.2 of a class 1 machine",
        "against": "root sum of squares of tolerances, the method of ISO 6892:1998, annex J",
        "agreement": "5e-3 relative for Rm; Rp0.2 between that and 2 %",
    },
]
# scribd.com/document/586682674 (IS 1608:2005, page 38): material, values from tables J.1 and J.2, total, ± %
TABLE_J3 = {
    "pipe steel": (2.0, 0.05, 2.0),
    "plate steel": (2.0, 0.9, 2.2),
    "X5CrNiMo17-12-2": (2.0, 3.4, 3.9),
    "NiCr20Ti": (2.0, 1.4, 2.4),
    "NiCrCoTiAl25-20": (2.0, 0.95, 2.2),
}


def boxed(value, tolerance, units, label):
    box = distributions.rectangular()
    u = distributions.u_from_half_width(tolerance * value, box)
    return Quantity(value=value, u=u, units=units, distribution=box, label=label)


@pytest.mark.parametrize("material", TABLE_J3)
def test_tolerances_of_machine_and_material_combine_as_printed(material):
    machine, response, total = TABLE_J3[material]
    factors = {"machine": boxed(1.0, machine / 100, "1", "table J.1"), "rate": boxed(1.0, response / 100, "1", "J.2")}
    found = propagate("machine*rate", factors, name="Rp0.2", units="1")
    # Annex J adds tolerances as squares; all are rectangular, so their root sum of squares is sqrt(3) u.
    assert round(100 * math.sqrt(3) * found.u, 1) == total


def test_the_budget_of_a_class_1_machine_is_the_root_sum_of_its_tolerances():
    area, length = (boxed(value, 0.01, unit, "1 %") for value, unit in ((pulled.AREA, "mm2"), (pulled.LENGTH, "mm")))
    specimen = pulled.specimen(area=area, gauge_length=length, force_class=1.0, extension_class=1.0)
    found = tensile.evaluate(pulled.pull("steel", errors=False, noise=(0.1, 1e-5)), specimen=specimen)
    tolerance = {name: 100 * math.sqrt(3) * found[name].u / found[name].value for name in ("Rm", "Rp0.2")}
    assert tolerance["Rm"] == pytest.approx(math.sqrt(2.0), rel=5e-3)  # force and cross-section
    assert math.sqrt(2.0) <= tolerance["Rp0.2"] <= 2.0  # strain and gauge length in full would make 2
