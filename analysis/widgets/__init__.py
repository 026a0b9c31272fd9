"""Panels for notebooks: thin views over one pure call each."""

from analysis.widgets.adjusting import AdjustPanel, adjust
from analysis.widgets.choice import ChoicePanel, choose
from analysis.widgets.controls import Choice, Range, Switch

__all__ = ["AdjustPanel", "Choice", "ChoicePanel", "Range", "Switch", "adjust", "choose"]
