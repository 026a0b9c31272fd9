"""Counts the functions of the fit that this process compiled itself, and calls those that only compiled code calls."""

import sys
from functools import cache


def functions():
    """Return the compiled functions of `analysis.peaks` that are imported."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("analysis.peaks")]
    members = [each for module in modules for each in vars(module).values()]
    return {id(each): each for each in members if type(each).__name__ == "CPUDispatcher"}.values()


def compilations():
    """Return how many were compiled here."""
    return sum(sum(each.stats.cache_misses.values()) for each in functions())


def loads():
    """Return how many were loaded from the cache on disk."""
    return sum(sum(each.stats.cache_hits.values()) for each in functions())


@cache
def from_python(function):
    """Return a function that calls one for compiled callers, such as those of `analysis.peaks.special`."""
    from numba import njit  # noqa: PLC0415 - the counts above are taken where numba may be missing

    def caller(*given):
        return function(*given)

    return njit(caller)
