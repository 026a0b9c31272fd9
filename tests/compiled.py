"""Counts the functions of the fit that this process has compiled itself, instead of loading them from disk."""

import sys


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
