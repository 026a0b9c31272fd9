"""Uncertainty with sources: quantities, propagation (JCGM 100), Monte Carlo (JCGM 101), budgets."""

from analysis.uncertainty import distributions, sources
from analysis.uncertainty.agreement import Agreement, compare, require_agreement
from analysis.uncertainty.anova import Anova, anova
from analysis.uncertainty.budget import Budget, Contribution, Group, InputContribution
from analysis.uncertainty.coverage import coverage_factor, effective_dof, truncated_dof
from analysis.uncertainty.distributions import Distribution
from analysis.uncertainty.formatting import format_u, format_value
from analysis.uncertainty.propagate import propagate
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.regression import Regression, regression
from analysis.uncertainty.sample import Sample, sample
from analysis.uncertainty.sources import Source
from analysis.uncertainty.summary import Description, describe
from analysis.uncertainty.typea import correlated, type_a, type_a_jointly

__all__ = [
    "Agreement",
    "Anova",
    "Budget",
    "Contribution",
    "Description",
    "Distribution",
    "Group",
    "InputContribution",
    "Quantity",
    "Regression",
    "Sample",
    "Source",
    "anova",
    "compare",
    "correlated",
    "coverage_factor",
    "describe",
    "distributions",
    "effective_dof",
    "format_u",
    "format_value",
    "propagate",
    "regression",
    "require_agreement",
    "sample",
    "sources",
    "truncated_dof",
    "type_a",
    "type_a_jointly",
]
