"""Uncertainty with sources: quantities, propagation (JCGM 100), Monte Carlo (JCGM 101), budgets."""

from analysis.uncertainty import distributions, sources
from analysis.uncertainty.coverage import coverage_factor, effective_dof
from analysis.uncertainty.distributions import Distribution
from analysis.uncertainty.formatting import format_u, format_value
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.sources import Source

__all__ = [
    "Distribution",
    "Quantity",
    "Source",
    "coverage_factor",
    "distributions",
    "effective_dof",
    "format_u",
    "format_value",
    "sources",
]
