"""A panel with several controls over one pure call: move them, see figure and numbers, go back, copy the code.

The panel holds no physics: the settings are the keyword arguments of one function, and `code()` is its call.
Not here: the kinds of controls (`analysis.widgets.controls`), the figures (`analysis.figures`).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, make_dataclass
from html import escape
from typing import Any

from analysis.core import MetrospecError, did_you_mean
from analysis.widgets.controls import Control, Range, require_value, widget_of
from analysis.widgets.front_panel import FrontPanel
from analysis.widgets.panel import Figure, ipw, picture_of

__all__ = ["AdjustPanel", "adjust"]


class AdjustPanel(FrontPanel[Any]):
    """Controls over one pure call; the settings are a frozen dataclass with a field for each."""

    def __init__(self, function: Callable[..., Any], controls: Mapping[str, Control], *, label: str) -> None:
        self._function, self._definitions = function, dict(controls)
        self._kind = make_dataclass("Settings", list(controls), frozen=True, kw_only=True)
        self.controls = {name: widget_of(name, control) for name, control in controls.items()}
        self.picture = ipw.HTML()
        for name, widget in self.controls.items():
            widget.observe(lambda change, name=name: self._change(**{name: change["new"]}), names="value")
        super().__init__(self._settings_from({name: each.start for name, each in controls.items()}), name=label)

    def move(self, name: str, value: object) -> None:
        """Move a control as the mouse does; it can be undone.

        Parameters
        ----------
        name:
            Of the control.
        value:
            One that it can have.

        Raises
        ------
        MetrospecError
            If there is no such control, or it cannot have that value.
        """
        if name not in self.controls:
            names = list(self.controls)
            msg = f"no control named {name!r}; there are {names}.{did_you_mean(name, names)}"
            raise MetrospecError(msg)
        self.set(self._settings_from({**asdict(self.settings), name: value}))

    def text(self) -> str:
        """Return what the function says in words.

        Returns
        -------
        :
            Plain text; empty if the function returns a figure only.
        """
        return self.result[1] if isinstance(self.result, tuple) else ""

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            One line of Python.
        """
        arguments = ", ".join(f"{name}={value!r}" for name, value in asdict(self.settings).items())
        return f"{self._function.__name__}({arguments})"

    def _call(self, settings: Any) -> Any:  # noqa: ANN401 - made for the controls
        return self._function(**asdict(settings))

    def _show(self) -> None:
        for name, value in asdict(self.settings).items():
            self.controls[name].value = value
        if (drawn := self._figure()) is not None:
            self.picture.value = picture_of(drawn)
            self.words.value = f'<pre aria-live="polite" style="white-space: pre-wrap">{escape(self.text())}</pre>'

    def _figure(self) -> Figure | None:
        return self.result[0] if isinstance(self.result, tuple) else self.result

    def _bar(self) -> list[ipw.Widget]:
        return list(self.controls.values())

    def _body(self) -> list[ipw.Widget]:
        return [self.picture]

    def _headline(self) -> str:
        return f"{self.name}: " + ", ".join(f"{name} = {value}" for name, value in asdict(self.settings).items())

    def _settings_from(self, held: Mapping[str, Any]) -> Any:  # noqa: ANN401 - made for the controls
        missing = sorted(set(self._definitions) ^ set(held))
        if missing:
            msg = f"the controls are {list(self._definitions)}, got {list(held)}: {missing} are in one only"
            raise MetrospecError(msg)
        for name, value in held.items():
            require_value(name, self._definitions[name], value)
        own = {name: float(held[name]) for name, each in self._definitions.items() if isinstance(each, Range)}
        return self._kind(**{**held, **own})


def adjust(function: Callable[..., Any], controls: Mapping[str, Control], *, label: str) -> AdjustPanel:
    """Show controls, and the figure and words of a function of their values.

    Parameters
    ----------
    function:
        Called with the values of all controls as keyword arguments; returns a figure, or a figure and text. Named, so
        that `code()` can show the call.
    controls:
        By the names of the arguments, at least one.
    label:
        What the panel is about.

    Returns
    -------
    :
        The panel; the saved notebook keeps a picture and the words of it. If the function refuses some values, the
        panel says why and keeps what it showed.

    Raises
    ------
    MetrospecError
        If there is no control, one has a name that no argument can have, or one starts at a value that it cannot have.
    """
    if not controls:
        msg = f"a panel to adjust {label} needs at least one control, got none"
        raise MetrospecError(msg)
    for name, control in controls.items():
        if not name.isidentifier():
            msg = f"a control of {label} is named as an argument of the function, got {name!r}; use letters and _"
            raise MetrospecError(msg)
        require_value(name, control, control.start)
    return AdjustPanel(function, controls, label=label)
