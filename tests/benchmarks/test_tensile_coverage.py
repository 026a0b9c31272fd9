"""Coverage of the 95 % intervals of a tensile test: cross-section, gauge length, calibrations and noise drawn anew.

With the right specimen the share of each property must hold the exact binomial bound; where bounds of a class rule the
budget, an interval of 1.96 u of a rectangular source holds nearly always. A compliance of the machine that is not known
to the evaluation shows what a wrong model costs.
Run:  python run.py bench -k tensile_coverage
"""

import sys
from collections import defaultdict

import numpy as np

from analysis import tensile
from analysis.uncertainty import Quantity
from tests import pulled
from tests.coverages import bounds

TRIALS = 200
WRONG = 40


def coverage(material, trials, **given):
    """Return how often the interval of each property held the truth, and its mean relative error."""
    truth, held, error = pulled.MATERIALS[material].truth(), defaultdict(int), defaultdict(float)
    specimen = {name: value for name, value in given.items() if name == "compliance"}
    for seed in range(trials):
        curve = pulled.pull(material, seed=1000 + seed, compliance=given.get("truth", 0.0))
        found = tensile.evaluate(curve, specimen=pulled.specimen(**specimen))
        for name in found.values.keys() & truth.keys():
            held[name] += abs(found[name].value - truth[name]) <= found[name].U(0.95)
            error[name] += (found[name].value / truth[name] - 1.0) / trials
    return dict(held), dict(error)


def test_tensile_coverage(capsys):
    lines = [f"coverage of 95 % intervals, {TRIALS} trials a material (mean relative error)"]
    low = bounds(TRIALS)[0]
    short = []
    for material in pulled.MATERIALS:
        held, error = coverage(material, TRIALS)
        lines.append(
            f"{material:10} "
            + ", ".join(
                f"{name} {100 * held[name] / TRIALS:.1f} % ({100 * error[name]:+.2f} %)" for name in sorted(held)
            )
        )
        short += [(material, name, hits) for name, hits in held.items() if hits < low]
    stiff = Quantity(value=1e-5, u=1e-7, units="mm/N", label="compliance")
    held, error = coverage("steel", WRONG, truth=2e-5, compliance=stiff)
    lines.append(
        f"compliance said to be half of what it is: E {100 * held['E'] / WRONG:.1f} % ({100 * error['E']:+.1f} %)"
    )
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert not short
    assert held["E"] == 0
    assert np.abs(error["E"]) > 0.1
