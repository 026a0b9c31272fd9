"""The configuration assistant: answers about a test become a testing system, with the reason for every choice.

Not here: panels (`instruments.widgets`), the simulated instruments (`instruments.simulators`).
"""

from instruments.advisor.asking import Question, ask, read
from instruments.advisor.configuration import Beaten, Configuration, Selected
from instruments.advisor.knowledge import Rule, catalogue, rules

__all__ = ["Beaten", "Configuration", "Question", "Rule", "Selected", "ask", "catalogue", "read", "rules"]
