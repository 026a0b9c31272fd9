"""Uncertainty with sources: quantities, propagation (JCGM 100), Monte Carlo (JCGM 101), budgets."""

from analysis.uncertainty import distributions, sources
from analysis.uncertainty.agreement import Agreement, checked, compare, require_agreement
from analysis.uncertainty.anova import Anova, anova
from analysis.uncertainty.array import UncertainArray
from analysis.uncertainty.arrays import array, concat, interpolate
from analysis.uncertainty.budget import Budget, Contribution, Group, InputContribution
from analysis.uncertainty.combination import Combination, combine
from analysis.uncertainty.complex_quantity import ComplexQuantity, type_a_complex
from analysis.uncertainty.conformity import Conformity, Risks, conformity, global_risks, guard_factor
from analysis.uncertainty.coverage import coverage_factor, effective_dof, truncated_dof
from analysis.uncertainty.densities import densities
from analysis.uncertainty.distributions import Distribution
from analysis.uncertainty.empirical import from_draws
from analysis.uncertainty.formatting import format_u, format_value
from analysis.uncertainty.improve import required_u, what_if
from analysis.uncertainty.joint import JointSample, Region, SmallestRegion, sample_jointly
from analysis.uncertainty.propagate import propagate
from analysis.uncertainty.quantity import Quantity
from analysis.uncertainty.regression import Regression, regression
from analysis.uncertainty.sample import Sample, sample
from analysis.uncertainty.sources import Source
from analysis.uncertainty.summary import Description, describe
from analysis.uncertainty.typea import correlated, type_a, type_a_jointly, type_a_series

__all__ = [
    "Agreement",
    "Anova",
    "Budget",
    "Combination",
    "ComplexQuantity",
    "Conformity",
    "Contribution",
    "Description",
    "Distribution",
    "Group",
    "InputContribution",
    "JointSample",
    "Quantity",
    "Region",
    "Regression",
    "Risks",
    "Sample",
    "SmallestRegion",
    "Source",
    "UncertainArray",
    "anova",
    "array",
    "checked",
    "combine",
    "compare",
    "concat",
    "conformity",
    "correlated",
    "coverage_factor",
    "densities",
    "describe",
    "distributions",
    "effective_dof",
    "format_u",
    "format_value",
    "from_draws",
    "global_risks",
    "guard_factor",
    "interpolate",
    "propagate",
    "regression",
    "require_agreement",
    "required_u",
    "sample",
    "sample_jointly",
    "sources",
    "truncated_dof",
    "type_a",
    "type_a_complex",
    "type_a_jointly",
    "type_a_series",
    "what_if",
]
