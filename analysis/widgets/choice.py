"""A panel with one control: choose from a list, see the figure of that choice.

The panel holds no physics: it calls one function and shows what comes back, and `code()` is that call.
Not here: the figures themselves (`analysis.figures`), panels of several controls (`analysis.widgets.adjusting`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.core import MetrospecError, did_you_mean
from analysis.widgets.front_panel import STYLE, FrontPanel
from analysis.widgets.panel import Figure, ipw, picture_of

__all__ = ["ChoicePanel", "ChoiceSettings", "choose"]


@dataclass(frozen=True, kw_only=True)
class ChoiceSettings:
    """What is chosen."""

    choice: str
    """One of the options."""


class ChoicePanel(FrontPanel[ChoiceSettings]):
    """A drop-down list over one pure call."""

    def __init__(self, function: Callable[[str], Figure], options: Sequence[str], *, label: str) -> None:
        self._function, self._options = function, tuple(options)
        self.control = ipw.Dropdown(options=list(options), description=label, style=STYLE)
        self.control.observe(lambda change: self._change(choice=change["new"]), names="value")
        self.picture = ipw.HTML()
        super().__init__(ChoiceSettings(choice=self._options[0]), name=label)

    @property
    def choice(self) -> str:
        """What is chosen and shown."""
        return self.settings.choice

    def choose(self, option: str) -> None:
        """Choose as the control does; it can be undone.

        Parameters
        ----------
        option:
            One of the options.

        Raises
        ------
        MetrospecError
            If it is not one of them.
        """
        self.set(self._settings_from({"choice": option}))

    def text(self) -> str:
        """Return what the panel says in words.

        Returns
        -------
        :
            Nothing: the figure says it.
        """
        return ""

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            One line of Python.
        """
        return f"{self._function.__name__}({self.choice!r})"

    def _call(self, settings: ChoiceSettings) -> Figure:
        return self._function(settings.choice)

    def _show(self) -> None:
        self.control.value = self.choice
        if self.result is not None:
            self.picture.value = picture_of(self.result)

    def _figure(self) -> Figure | None:
        drawn: Figure | None = self.result
        return drawn

    def _bar(self) -> list[ipw.Widget]:
        return [self.control]

    def _body(self) -> list[ipw.Widget]:
        return [self.picture]

    def _headline(self) -> str:
        return f"{self.name}: {self.choice}"

    def _settings_from(self, held: Mapping[str, Any]) -> ChoiceSettings:
        settings = ChoiceSettings(**held)
        if settings.choice not in self._options:
            hint = did_you_mean(str(settings.choice), self._options)
            msg = f"{self.name} must be one of {list(self._options)}, got {settings.choice!r}.{hint}"
            raise MetrospecError(msg)
        return settings


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
