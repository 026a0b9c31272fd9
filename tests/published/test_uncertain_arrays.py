"""Arrays with uncertainty against a published array calculation."""

import numpy as np

from analysis.uncertainty import array

VALIDATION = [
    {
        "what": "Relative spectral response of a photodiode: five wavelengths, four readings of 9 dof each",
        "against": "documentation of GTC 1.3, uarray, example 3 (value, u and degrees of freedom of each element)",
        "agreement": "1e-12 of the value, 1e-11 of u and degrees of freedom",
    }
]

PD = [1.273, 2.741, 2.916, 1.741, 0.442], [0.004, 0.007, 0.003, 0.005, 0.009]
PD_DARK = [0.0004, 0.0006, 0.0002, 0.0003, 0.0004], [0.0003, 0.0002, 0.0001, 0.0004, 0.0003]
REFERENCE = [3.721, 5.825, 6.015, 4.813, 1.421], [0.002, 0.004, 0.003, 0.004, 0.002]
REFERENCE_DARK = [2e-5, 4e-5, 3e-5, 5e-5, 3e-5], [2e-5, 3e-5, 1e-5, 4e-5, 1e-5]

# The printed results, software full precision.
RESPONSE = [0.342006675660713, 0.4704581662363347, 0.4847571974590064, 0.36167007760313324, 0.31077362646642787]
U = [0.0010935674325269068, 0.0012448685947602906, 0.0005545173836499742, 0.0010846673083513545, 0.006352297390618683]
DOF = [9.630065079733788, 10.30987538377716, 13.031921586772652, 10.620461706054874, 9.105944114389143]


def test_the_response_of_a_photodiode_is_that_of_gtc():
    signal, dark, reference, reference_dark = (
        array(value, u=u, dof=9) for value, u in (PD, PD_DARK, REFERENCE, REFERENCE_DARK)
    )
    response = (signal - dark) / (reference - reference_dark)
    np.testing.assert_allclose(response.value, RESPONSE, rtol=1e-12)
    np.testing.assert_allclose(response.u, U, rtol=1e-11)
    np.testing.assert_allclose(response.dof, DOF, rtol=1e-11)
