"""The options with which the functions of the fit kernel are compiled.

`_nrt=False` leaves out numba's counting of references: these functions allocate nothing, and counting took a third
of the time of a small fit and of the compilation. Not here: what they write into, which `analysis.peaks.solve` and
others allocate in Python.
"""

from functools import partial

from numba import njit

from analysis.peaks.kernel_cache import drop_stale

__all__ = ["ELEMENTWISE", "REASSOCIATED", "compiled", "entry", "inlined"]

drop_stale()  # all compiled modules import this one first

# Elementwise loops: everything but reassociation, which would undo the rounding trick in `fast_exp`.
ELEMENTWISE = {"contract", "nnan", "ninf", "nsz", "arcp"}
REASSOCIATED = {"contract", "nsz", "arcp", "reassoc"}
# Functions that compiled functions call; from Python they cannot be called.
compiled = partial(njit, error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
# Functions that Python calls. They hold all that they call, so only they are kept on disk.
entry = partial(njit, cache=True, nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True)
# Parts of one function, with a name each: compiled by themselves, each would optimise all that it calls once more.
inlined = njit(error_model="numpy", inline="always")
