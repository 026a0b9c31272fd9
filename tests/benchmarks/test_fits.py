"""The fit engine beside its peers in one run: speed, optima, intervals; and the time to the first fit.

Peers that are not installed are left out (extra `metrospec[peers]`). `python docs/make_performance.py` keeps the same
text as a page. What is asserted leaves room for a busy machine.
Run:  python run.py bench -k fits
"""

import sys

import pytest

from tests import measuring, peers


@pytest.fixture
def show(capsys):
    def write(section):
        with capsys.disabled():
            sys.stdout.write(f"\n\n{section.title}\n{section.text}\n")
        return section.numbers

    return write


def test_fits_speed(show):
    found = show(measuring.speed())
    for (case, points), wanted in measuring.MUST.items():
        assert found[f"{case}{points}"] >= 0.5 * wanted


def test_fits_door_threads_and_growth(show):
    found = show(measuring.door())
    assert found["growth"] <= 1.3


def test_fits_voigt(show):
    assert show(measuring.voigt())["voigt"] <= 2.5


def test_fits_optima(show):
    found = show(measuring.optima())
    assert min(found["a_near"], found["b_near"]) >= 0.999
    assert min(found["a_far"], found["b_far"]) >= 0.99
    assert found["starts"] >= 30_000
    assert found["wrong"] <= 1e-4 * found["starts"]


def test_fits_coverage(show):
    found = show(measuring.coverage())
    poisson = [share for name, share in found.items() if name.startswith("poisson")]
    assert len(poisson) == 18
    assert min(poisson) >= 0.66
    assert max(poisson) <= 0.70


def test_fits_first(show):
    found = show(measuring.first())
    assert found["compiled"] == 0
    assert found["first"] <= 1.0


def test_fits_jacobian_of_the_peers_is_right():
    measured = peers.check()
    assert measured <= 1e-6
