"""The options with which the inner functions of the fit kernel are compiled.

`_nrt=False` leaves out numba's counting of references: these functions allocate nothing, and counting took a third
of the time of a small fit. Not here: the functions that allocate, which use `numba.njit`.
"""

from functools import partial

from numba import njit

__all__ = ["ELEMENTWISE", "REASSOCIATED", "compiled", "inlined"]

# Elementwise loops: everything but reassociation, which would undo the rounding trick in `fast_exp`.
ELEMENTWISE = {"contract", "nnan", "ninf", "nsz", "arcp"}
REASSOCIATED = {"contract", "nsz", "arcp", "reassoc"}
compiled = partial(njit, cache=True, error_model="numpy", _nrt=False)
# Parts of one function, with a name each: compiled by themselves, each would optimise all that it calls once more.
inlined = njit(error_model="numpy", inline="always")
