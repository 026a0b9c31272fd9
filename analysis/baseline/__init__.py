"""Baselines: estimate one by a method, subtract it by `subtract`."""

from analysis.baseline.ensemble import ensemble
from analysis.baseline.morphological import snip
from analysis.baseline.polynomial import modpoly
from analysis.baseline.subtract import subtract
from analysis.baseline.whittaker import airpls, arpls, asls

__all__ = ["airpls", "arpls", "asls", "ensemble", "modpoly", "snip", "subtract"]
