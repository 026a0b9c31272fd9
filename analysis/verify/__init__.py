"""Verdicts on notebooks that are run again, number by number, and what a notebook was made with."""

from analysis.verify.compare import Finding, Verdict
from analysis.verify.made_with import MadeWith, made_with
from analysis.verify.running import Verified, verify

__all__ = ["Finding", "MadeWith", "Verdict", "Verified", "made_with", "verify"]
