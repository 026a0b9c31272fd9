"""A panel with several controls over one pure call: move them, see figure and numbers, go back, copy the code.

The panel holds no physics: the settings are the keyword arguments of one function, and `code()` is its call.
Not here: the kinds of controls (`analysis.widgets.controls`), the figures (`analysis.figures`).
"""

import json
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from analysis.core import MetrospecError, did_you_mean
from analysis.widgets.controls import Control, require_value, widget_of
from analysis.widgets.front_panel import Drawer
from analysis.widgets.panel import Panel, ipw

__all__ = ["AdjustPanel", "adjust"]


class AdjustPanel(Panel):
    """Controls over one pure call, with undo, redo and reset."""

    def __init__(self, function: Callable[..., Any], controls: Mapping[str, Control], *, label: str) -> None:
        self._function, self._definitions, self._label = function, dict(controls), label
        self._first = {name: control.start for name, control in controls.items()}
        self._past: list[dict[str, Any]] = []
        self._future: list[dict[str, Any]] = []
        self._quiet = False
        super().__init__(lambda settings: function(**settings), self._first)
        self.controls = {name: widget_of(name, control) for name, control in controls.items()}
        for widget in self.controls.values():
            widget.observe(self._moved, names="value")
        self.buttons = {
            words: ipw.Button(description=words, tooltip=tip, layout=ipw.Layout(width="auto"))
            for words, tip in (
                ("Undo", "back to the settings before"), ("Redo", "forward again"), ("Reset", "the settings at first"),
            )
        }  # fmt: skip
        for words, act in (("Undo", self.undo), ("Redo", self.redo), ("Reset", self.reset)):
            self.buttons[words].on_click(lambda _, act=act: act())
        wrap = ipw.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 18px")
        self.drawer = Drawer(f"{label}.json".replace("/", "_"))
        self.drawer.save.on_click(lambda _: self._guarded(lambda: self.save(self.drawer.path.value)))
        self.drawer.load.on_click(lambda _: self._guarded(lambda: self.load(self.drawer.path.value)))
        bar = ipw.Box([*self.controls.values(), *self.buttons.values(), self.drawer.toggle], layout=wrap)
        self.view = ipw.VBox([bar, self.message, self.drawer.view, self.picture, self.words])
        self._mark_buttons()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of what is shown, by the names of the controls."""
        return MappingProxyType(self._shown)

    def set(self, name: str, value: object) -> None:
        """Set a control as the mouse does.

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
            msg = (
                f"no control named {name!r}; there are {list(self.controls)}.{did_you_mean(name, list(self.controls))}"
            )
            raise MetrospecError(msg)
        require_value(name, self._definitions[name], value)
        self.controls[name].value = value

    def undo(self) -> None:
        """Go back to the settings before."""
        if self._past:
            self._future.append(dict(self._shown))
            self._put(self._past.pop())

    def redo(self) -> None:
        """Take the last undo back."""
        if self._future:
            self._past.append(dict(self._shown))
            self._put(self._future.pop())

    def reset(self) -> None:
        """Go back to the settings at first; it can be undone."""
        if self._shown != self._first:
            self._past.append(dict(self._shown))
            self._future.clear()
            self._put(self._first)

    def save(self, path: str | Path) -> None:
        """Write the settings as JSON.

        Parameters
        ----------
        path:
            The file.
        """
        Path(path).write_text(json.dumps(self._shown, indent=1), encoding="utf-8")

    def load(self, path: str | Path) -> None:
        """Show settings that were saved; it can be undone.

        Parameters
        ----------
        path:
            The file.

        Raises
        ------
        MetrospecError
            If it does not hold a value for each control, one that it can have.
        """
        try:
            held = json.loads(Path(path).read_text(encoding="utf-8"))
            missing = sorted(set(self.controls) ^ set(held))
        except (OSError, ValueError, TypeError) as error:
            msg = f"{Path(path).name!r} does not hold the settings of this panel ({error}); write them with panel.save"
            raise MetrospecError(msg) from error
        if missing:
            msg = f"{Path(path).name!r} does not fit the controls {list(self.controls)}: {missing} are in one only"
            raise MetrospecError(msg)
        for name, value in held.items():
            require_value(name, self._definitions[name], value)
        self._past.append(dict(self._shown))
        self._future.clear()
        self._put(held)

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            One line of Python.
        """
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._shown.items())
        return f"{self._function.__name__}({arguments})"

    def _moved(self, _: object) -> None:
        if self._quiet:
            return
        before = dict(self._shown)
        if self._try({name: widget.value for name, widget in self.controls.items()}):
            self._past.append(before)
            self._future.clear()
        self._mark_buttons()

    def _put(self, settings: Mapping[str, Any]) -> None:
        """Move the controls to settings that were shown before, and show them."""
        self._quiet = True
        for name, value in settings.items():
            self.controls[name].value = value
        self._quiet = False
        self._try(settings)
        self._mark_buttons()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (MetrospecError, OSError) as error:
            self.message.value = f'<p role="alert">{escape(str(error))}</p>'

    def _mark_buttons(self) -> None:
        self.drawer.show(self.code())
        self.buttons["Undo"].disabled = not self._past
        self.buttons["Redo"].disabled = not self._future
        self.buttons["Reset"].disabled = self._shown == self._first

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        settings = ", ".join(f"{name} = {value}" for name, value in self._shown.items())
        return self._still(self.view, f"{self._label}: {settings}\n{self.text()}".rstrip())


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
        If there is no control, or one starts at a value that it cannot have.
    """
    if not controls:
        msg = f"a panel to adjust {label} needs at least one control, got none"
        raise MetrospecError(msg)
    for name, control in controls.items():
        require_value(name, control, control.start)
    return AdjustPanel(function, controls, label=label)
