"""Constants of the nitrogen-vacancy centre in diamond (ground state, room temperature), each with its source.

The ratio is g μB/h with g = 2.0028(3) (Loubser and van Wyk, Rep. Prog. Phys. 41 (1978) 1201,
doi:10.1088/0034-4885/41/8/002, as tabulated in Doherty et al., Phys. Rep. 528 (2013) 1,
doi:10.1016/j.physrep.2013.02.001) and μB/h = 13.996 244 9171 GHz/T (CODATA 2022). The value 28.02 GHz/T that is often
quoted is 4e-4 lower, near that of the free electron (28.025 GHz/T).
Not here: fits (`analysis.quantum.odmr`).
"""

from typing import Literal

from analysis.uncertainty import Quantity, distributions

__all__ = ["SPLITTING", "SPREAD", "Isotope", "gyromagnetic_ratio", "zero_field_splitting"]

Isotope = Literal["14N", "15N"]
SPLITTING = {"14N": 2.16, "15N": 3.03}
"""Hyperfine splitting in MHz, where a fit begins (magnitudes; Felton et al., Phys. Rev. B 79 (2009) 075203,
doi:10.1103/PhysRevB.79.075203: 2.14(7) and 3.03(3))."""
SPREAD = {"14N": (-1.0, 0.0, 1.0), "15N": (-0.5, 0.5)}
"""Projection of the nuclear spin: where its lines stand, in units of the splitting."""
_MU_B_OVER_H = 13.9962449171
"""In MHz/mT, CODATA 2022."""


def gyromagnetic_ratio() -> Quantity:
    """Return g μB/h of the electron spin of the centre.

    Returns
    -------
    :
        28.0317(42) MHz/mT; the same source each time.
    """
    return Quantity(
        value=2.0028 * _MU_B_OVER_H,
        u=0.0003 * _MU_B_OVER_H,
        units="MHz/mT",
        label="g μB/h of the centre",
        source="Loubser and van Wyk 1978, doi:10.1088/0034-4885/41/8/002; CODATA 2022",
    )


def zero_field_splitting() -> Quantity:
    """Return the splitting D without a field, for a sample of which nothing is known.

    Returns
    -------
    :
        2870 MHz, rectangular ± 2 MHz: strain moves it from sample to sample, and temperature by -0.074 MHz/K (Acosta
        et al., Phys. Rev. Lett. 104 (2010) 070801, doi:10.1103/PhysRevLett.104.070801). Measure that of your sample
        without a field where it matters.
    """
    return Quantity(
        value=2870.0,
        u=2.0 / 3.0**0.5,
        units="MHz",
        distribution=distributions.rectangular(),
        label="zero-field splitting D",
        source="Doherty et al. 2013, doi:10.1016/j.physrep.2013.02.001; half-width 2 MHz for unknown strain",
    )
