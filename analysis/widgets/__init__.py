"""Panels for notebooks: thin views over one pure call each."""

from analysis.widgets.adjusting import AdjustPanel, adjust
from analysis.widgets.background import RunPanel, run
from analysis.widgets.baselining import BaselinePanel, BaselineSettings, baseline
from analysis.widgets.budgeting import BudgetPanel, budget
from analysis.widgets.budgeting_words import BudgetSettings
from analysis.widgets.calibrating import CalibratePanel, calibrate
from analysis.widgets.calibrating_words import CalibrateSettings
from analysis.widgets.certifying import CertifyPanel, CertifySettings, certify
from analysis.widgets.choice import ChoicePanel, choose
from analysis.widgets.controls import Choice, Range, Switch
from analysis.widgets.explore_parts import ExploreSettings
from analysis.widgets.exploring import ExplorePanel, explore
from analysis.widgets.loading import LoadPanel, LoadSettings, load
from analysis.widgets.spectrum_view import Handle, Series, SpectrumView

__all__ = [
    "AdjustPanel",
    "BaselinePanel",
    "BaselineSettings",
    "BudgetPanel",
    "BudgetSettings",
    "CalibratePanel",
    "CalibrateSettings",
    "CertifyPanel",
    "CertifySettings",
    "Choice",
    "ChoicePanel",
    "ExplorePanel",
    "ExploreSettings",
    "Handle",
    "LoadPanel",
    "LoadSettings",
    "Range",
    "RunPanel",
    "Series",
    "SpectrumView",
    "Switch",
    "adjust",
    "baseline",
    "budget",
    "calibrate",
    "certify",
    "choose",
    "explore",
    "load",
    "run",
]
