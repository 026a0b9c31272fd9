"""A panel with one control: choose from a list, see the figure of that choice.

The panel holds no physics: it calls one function and shows what comes back, and `code()` is that call.
Not here: the figures themselves (`analysis.figures`).
"""

import base64
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from analysis.core import MetrospecError, did_you_mean
from analysis.figures import png

try:
    import ipywidgets as ipw
    from matplotlib.figure import Figure
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "panels need ipywidgets: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error


class ChoicePanel:
    """A drop-down list over one pure call."""

    def __init__(self, function: Callable[[str], Figure], options: Sequence[str], *, label: str) -> None:
        self._function, self._options, self._label = function, tuple(options), label
        self.control = ipw.Dropdown(options=list(options), description=label, style={"description_width": "initial"})
        self.message = ipw.HTML()
        self.picture = ipw.Image(format="png", layout=ipw.Layout(max_width="100%"))
        self.view = ipw.VBox([self.control, self.message, self.picture])
        self.result = function(self._options[0])
        self._show(self._options[0])
        self.control.observe(self._changed, names="value")

    @property
    def choice(self) -> str:
        """What is chosen and shown."""
        return self._shown

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
        return f"{self._function.__name__}({self._shown!r})"

    def _changed(self, change: dict[str, Any]) -> None:
        try:
            self.result = self._function(change["new"])
        except Exception as error:  # noqa: BLE001 - a callback must not fail unseen; the last good result stays
            self.message.value = f'<p role="alert"><b>{escape(type(error).__name__)}</b>: {escape(str(error))}</p>'
            return
        self._show(change["new"])

    def _show(self, option: str) -> None:
        self._shown = option
        self.message.value = ""
        self._bytes = png(self.result)
        self.picture.value = self._bytes

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        live: dict[str, Any] = self.view._repr_mimebundle_() or {}
        still = {
            "image/png": base64.b64encode(self._bytes).decode("ascii"),
            "text/plain": f"{self._label}: {self._shown}",
        }
        return {**live, **still}


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
