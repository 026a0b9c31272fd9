"""Processor time of draws: the end gauge of GUM H.1, a million trials with its 95 % interval, alone and jointly.

And of arrays: y = a exp(-b x) + c of a million elements, each with a source of its own in a, b, c and x, against the
package uncertainties on fewer elements in the same run.

The best of three, so that other jobs of the machine count little.
Run:  python run.py bench -k uncertainty
"""

import sys
import time

import numpy as np
from uncertainties import unumpy

from analysis.uncertainty import Quantity, array, distributions, propagate, sample, sample_jointly

FLAT, WAVE = distributions.rectangular(), distributions.arcsine()
MODEL = "l_s + (d0 + d1 + d2) - l_s*(delta_alpha*(theta_bar + delta) + alpha_s*delta_theta)"
TRIALS = 1_000_000


def end_gauge():
    """JCGM 100:2008, H.1, table H.1."""

    def within(value, half_width, units, shape):
        u = distributions.u_from_half_width(half_width, shape)
        return Quantity(value=value, u=u, units=units, distribution=shape)

    inputs = {
        "l_s": Quantity(value=50000623, u=25, units="nm", dof=18),
        "d0": Quantity(value=215, u=5.8, units="nm", dof=24),
        "d1": Quantity(value=0, u=3.9, units="nm", dof=5),
        "d2": Quantity(value=0, u=6.7, units="nm", dof=8),
        "alpha_s": within(11.5e-6, 2e-6, "K-1", FLAT),
        "delta_alpha": within(0, 1e-6, "K-1", FLAT),
        "delta_theta": within(0, 0.05, "K", FLAT),
        "theta_bar": Quantity(value=-0.1, u=0.2, units="K"),
        "delta": within(0, 0.5, "K", WAVE),
    }
    return propagate({"l": MODEL, "d": "d0 + d1 + d2"}, inputs, name="gauge", units={"l": "nm", "d": "nm"})


def best(run):
    times = []
    for _ in range(3):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)


def test_uncertainty(capsys):
    budgets = end_gauge()
    alone = best(lambda: sample(budgets["l"], trials=TRIALS, seed=1).interval())
    shortest = best(lambda: sample(budgets["l"], trials=TRIALS, seed=1).interval(kind="shortest"))
    jointly = best(lambda: sample_jointly(budgets, trials=TRIALS, seed=1).region())
    once = best(end_gauge)
    with capsys.disabled():
        sys.stdout.write(
            f"\nGUM H.1, {TRIALS:.0e} draws: with symmetric interval {alone:.2f} s, with shortest {shortest:.2f} s; "
            f"two results jointly with their ellipse {jointly:.2f} s; both propagated {1e3 * once:.1f} ms "
            "(processor time)\n"
        )
    assert alone <= 1.0
    assert shortest <= 1.0


ELEMENTS, FEWER = 1_000_000, 10_000


def numbers(size):
    spread = {"a": (2.0, 0.1), "b": (0.5, 0.02), "c": (1.0, 0.05)}
    given = {name: (np.full(size, value), np.full(size, u)) for name, (value, u) in spread.items()}
    return {**given, "x": (np.linspace(0.0, 5.0, size), np.full(size, 0.01))}


def test_arrays(capsys):
    ours = {name: array(value, u=u, label=name) for name, (value, u) in numbers(ELEMENTS).items()}
    theirs = {name: unumpy.uarray(value, u) for name, (value, u) in numbers(FEWER).items()}
    one = best(lambda: (ours["a"] * np.exp(-(ours["b"] * ours["x"])) + ours["c"]).u) / ELEMENTS
    other = best(
        lambda: unumpy.std_devs(theirs["a"] * unumpy.exp(-theirs["b"] * theirs["x"]) + theirs["c"])
    ) / FEWER  # fmt: skip
    with capsys.disabled():
        sys.stdout.write(
            f"\na exp(-b x) + c with u: {ELEMENTS:.0e} elements in {one * ELEMENTS:.3f} s of processor time; "
            f"{1e9 * one:.0f} ns an element, uncertainties {1e9 * other:.0f} ns, ratio {other / one:.0f}\n"
        )
    assert one * ELEMENTS <= 0.3
