"""Let nbval compare numbers as numbers; on its own it compares outputs as exact text.

`520.45 ± 0.14` and `520.45(14)`: value and uncertainty within 5 % of the uncertainty.
Other numbers with a point or an exponent: relative tolerance 1e-7.
Whole numbers and all other text: exactly. Runs of spaces count as one, as tables are padded.
Versions after `made with:` may be others.
Not here: how numbers are read (`analysis.verify.numbers`, which `run.py verify` uses too).
"""

from analysis.verify import numbers
from analysis.verify.made_with import without_versions


class Output(str):
    """An output as nbval holds it; equal when it says the same."""

    __slots__ = ()

    def __eq__(self, other):
        return numbers.same(str(self), str(other)) if isinstance(other, str) else NotImplemented

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(numbers.skeleton(self))


def pytest_configure(config):
    if not config.pluginmanager.hasplugin("nbval"):
        return
    from nbval import plugin  # noqa: PLC0415 - an optional tool: the other tests run without it

    exact = plugin.IPyNbCell.sanitize
    if getattr(exact, "knows_numbers", False):
        return

    def sanitize(cell, text):
        clean = exact(cell, text)
        return Output(without_versions(clean)) if isinstance(clean, str) else clean

    sanitize.knows_numbers = True
    plugin.IPyNbCell.sanitize = sanitize
