"""Photoelectron spectroscopy: reference energies, the universal cross section of losses, lines in closed form."""

import numpy as np
import pytest
from scipy.special import voigt_profile

from analysis import xps
from analysis.peaks.models import CoreLevelModel, TougaardModel
from analysis.uncertainty import Quantity

VALIDATION = [
    {
        "what": "Energy scale of photoelectron spectrometers",
        "against": "ISO 15472 reference energies of Au, Ag and Cu (monochromated Al Kα, ±0.02 eV), published lists",
        "agreement": "exact",
    },
    {
        "what": "Universal cross section of Tougaard",
        "against": "Surf. Interface Anal. 11 (1988) 453: B = 2866, C = 1643 eV², maximum and integral",
        "agreement": "1e-3 relative",
    },
    {
        "what": "Convolved line of a core level",
        "against": "Voigt profile of scipy, without asymmetry",
        "agreement": "1e-11 relative",
    },
]


@pytest.mark.parametrize(("line", "energy"), [("Au 4f7/2", 83.96), ("Ag 3d5/2", 368.21), ("Cu 2p3/2", 932.62)])
def test_the_reference_energies_are_those_of_the_standard_with_a_half_width_of_20_mev(line, energy):
    # xpslibrary.com/be-energy-calibration-values, xpsfitting.com/2008/10/spectrometer-calibration.html
    found = xps.reference_energy(line)
    assert (found.value, found.units) == (energy, "eV")
    np.testing.assert_allclose(found.u * np.sqrt(3.0), 0.02, rtol=1e-12)


def test_a_spectrometer_that_shows_the_reference_energies_has_no_error():
    shown = [Quantity(value=value, u=0.0, units="eV") for value in (83.96, 932.62, 368.21)]
    scale = xps.energy_scale(gold=shown[0], copper=shown[1], silver=shown[2])
    assert (scale.at_gold.value, scale.at_copper.value) == (0.0, 0.0)
    assert abs(scale.linearity.value) < 1e-12
    assert scale.is_within(0.05)


def test_the_universal_cross_section_has_its_published_maximum_and_integral():
    loss = np.linspace(0.0, 4000.0, 400_001)
    kernel = TougaardModel().eval(x=loss, b=2866.0, c=1643.0, d=4 * 1643.0) / (loss[1] - loss[0])
    np.testing.assert_allclose(loss[np.argmax(kernel)], np.sqrt(1643.0 / 3.0), rtol=1e-3)
    np.testing.assert_allclose(np.trapezoid(kernel, loss), 2866.0 / (2 * 1643.0), rtol=1e-3)


def test_a_symmetric_core_level_is_a_voigt_profile():
    x = np.linspace(-4.0, 4.0, 161)
    made = CoreLevelModel().eval(x=x, amplitude=3.0, center=0.2, sigma=0.25, gamma=0.15, asymmetry=0.0)
    np.testing.assert_allclose(made, 3.0 * voigt_profile(x - 0.2, 0.25, 0.15), rtol=1e-11)
