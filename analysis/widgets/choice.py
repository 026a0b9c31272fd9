"""A panel with one control: choose from a list, see the figure of that choice.

The panel holds no physics: it calls one function and shows what comes back, and `code()` is that call.
Not here: the figures themselves (`analysis.figures`), panels of several controls (`analysis.widgets.adjusting`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from analysis.core import MetrospecError, did_you_mean
from analysis.widgets.panel import Figure, Panel, ipw

__all__ = ["ChoicePanel", "choose"]


class ChoicePanel(Panel):
    """A drop-down list over one pure call."""

    def __init__(self, function: Callable[[str], Figure], options: Sequence[str], *, label: str) -> None:
        self._function, self._options, self._label = function, tuple(options), label
        self.control = ipw.Dropdown(options=list(options), description=label, style={"description_width": "initial"})
        super().__init__(lambda settings: function(settings[label]), {label: self._options[0]})
        self.view = ipw.VBox([self.control, self.message, self.picture])
        self.control.observe(lambda change: self._try({label: change["new"]}), names="value")

    @property
    def choice(self) -> str:
        """What is chosen and shown."""
        return str(self._shown[self._label])

    def choose(self, option: str) -> None:
        """Choose as the control does.

        Parameters
        ----------
        option:
            One of the options.

        Raises
        ------
        MetrospecError
            If it is not one of them.
        """
        if option not in self._options:
            hint = did_you_mean(option, self._options)
            msg = f"{self._label} must be one of {list(self._options)}, got {option!r}.{hint}"
            raise MetrospecError(msg)
        self.control.value = option

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            One line of Python.
        """
        return f"{self._function.__name__}({self.choice!r})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        return self._still(self.view, f"{self._label}: {self.choice}")


def choose(function: Callable[[str], Figure], options: Sequence[str], *, label: str) -> ChoicePanel:
    """Show a drop-down list, and the figure of what is chosen.

    Parameters
    ----------
    function:
        Makes the figure of an option; named, so that `code()` can show the call.
    options:
        What can be chosen, at least one.
    label:
        What stands before the list.

    Returns
    -------
    :
        The panel; the saved notebook keeps a picture and a line of text of it. If the function refuses an option, the
        panel says so and keeps what it showed.

    Raises
    ------
    MetrospecError
        If there is no option.
    """
    if not options:
        msg = f"a panel to choose {label} needs at least one option, got none"
        raise MetrospecError(msg)
    return ChoicePanel(function, options, label=label)
