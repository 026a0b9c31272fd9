"""Panels for notebooks: thin views over one pure call each."""

from analysis.widgets.choice import ChoicePanel, choose

__all__ = ["ChoicePanel", "choose"]
