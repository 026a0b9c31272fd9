"""What the panels of one instrument front share: settings, one pure call, undo and redo, save and load, code, a still.

A panel says what its call is and how the result is shown; everything else stands here.
Not here: the panels, the plot (`analysis.widgets.spectrum_view`).
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from html import escape
from pathlib import Path
from typing import Any, Generic, TypeVar

from analysis.core import MetrospecError
from analysis.figures import png
from analysis.widgets.panel import Figure, ipw

__all__ = ["NARROW", "STYLE", "WRAP", "Drawer", "FrontPanel", "tuples_of"]

S = TypeVar("S")
_AUTO = ipw.Layout(width="auto")
NARROW = ipw.Layout(width="auto", max_width="15em")
STYLE = {"description_width": "initial"}
WRAP = ipw.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 10px", overflow="visible")


class FrontPanel(ABC, Generic[S]):
    """One pure call over frozen settings; what it returned last without an error is shown."""

    def __init__(self, settings: S, *, name: str) -> None:
        self.name = name
        self.settings = self._first = settings
        self.result: Any = None
        self._past: list[S] = []
        self._future: list[S] = []
        self._held: S | None = None
        self._quiet = False
        self.message, self.words = ipw.HTML(), ipw.HTML()
        acts = {"Undo": self.undo, "Redo": self.redo, "Reset": self.reset}
        self.buttons = {words: self._button(words, act) for words, act in acts.items()}
        self.drawer = Drawer(f"{name}.json".replace("/", "_"))
        bar = ipw.Box([*self._bar(), *(self.buttons[words] for words in acts), self.drawer.toggle], layout=WRAP)
        self.view = ipw.VBox([bar, self.message, self.drawer.view, *self._body(), self.words])
        self.drawer.toggle.observe(lambda _: self._guarded(self._redraw), names="value")
        self.drawer.save.on_click(lambda _: self._guarded(self._save_here))
        self.drawer.load.on_click(lambda _: self._guarded(lambda: self.load(self.drawer.path.value)))
        self._guarded(lambda: self._put(settings))
        self._mark_buttons()

    # -- what a panel says
    @abstractmethod
    def _call(self, settings: S) -> Any:  # noqa: ANN401 - the result of a panel is its own
        """Make the result of settings: the one pure call."""

    @abstractmethod
    def _show(self) -> None:
        """Put `settings` and `result` on the widgets; while `dragging`, only what must follow the hand."""

    @abstractmethod
    def _figure(self) -> Figure | None:
        """Draw what the saved notebook keeps; None if there is nothing yet."""

    @abstractmethod
    def _body(self) -> list[ipw.Widget]:
        """Return what stands between the bar and the words."""

    def _bar(self) -> list[ipw.Widget]:
        """Return the controls before Undo, Redo and Reset."""
        return []

    def _headline(self) -> str:
        """Return the first line of what the saved notebook keeps."""
        return self.name

    @abstractmethod
    def text(self) -> str:
        """Return the results in words.

        Returns
        -------
        :
            The same for the same settings; the saved notebook keeps it.
        """

    @abstractmethod
    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            Python.
        """

    def _settings_from(self, held: Mapping[str, Any]) -> S:
        """Make settings of what a file holds."""
        return type(self.settings)(**{key: tuples_of(value) for key, value in held.items()})

    # -- what every panel does
    @property
    def dragging(self) -> bool:
        """Whether a drag is under way, of which only the end counts."""
        return self._held is not None

    def set(self, settings: S) -> None:
        """Show other settings; it can be undone.

        Parameters
        ----------
        settings:
            All of them.
        """
        before = self.settings
        self._put(settings)
        self._past.append(before)
        self._future.clear()
        self._mark_buttons()

    def undo(self) -> None:
        """Go back to the settings before."""
        if self._past:
            before = self.settings
            self._put(self._past[-1])
            self._past.pop()
            self._future.append(before)
            self._mark_buttons()

    def redo(self) -> None:
        """Take the last undo back."""
        if self._future:
            before = self.settings
            self._put(self._future[-1])
            self._future.pop()
            self._past.append(before)
            self._mark_buttons()

    def reset(self) -> None:
        """Go back to the settings at first; it can be undone."""
        if self.settings != self._first:
            self.set(self._first)

    def save(self, path: str | Path) -> None:
        """Write the settings as JSON.

        Parameters
        ----------
        path:
            The file.
        """
        Path(path).write_text(json.dumps(asdict(self.settings), indent=1), encoding="utf-8")  # type: ignore[call-overload]

    def load(self, path: str | Path) -> None:
        """Show settings that were saved; it can be undone.

        Parameters
        ----------
        path:
            The file.

        Raises
        ------
        MetrospecError
            If it does not hold such settings.
        """
        try:
            settings = self._settings_from(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"{Path(path).name!r} does not hold the settings of this panel ({error}); write them with panel.save"
            raise MetrospecError(msg) from error
        self.set(settings)

    def _change(self, **parts: Any) -> None:  # noqa: ANN401 - as the settings have them
        """Change some settings as a control does; nothing while the panel itself moves its controls."""
        if not self._quiet:
            self._guarded(lambda: self.set(replace(self.settings, **parts)))  # type: ignore[type-var]

    def _step(self, settings: S, *, final: bool) -> None:
        """Follow a drag; only its end can be undone."""
        before = self.settings if self._held is None else self._held
        try:
            self._put(settings, held=None if final else before)
        finally:
            if final and self.settings != before:
                self._past.append(before)
                self._future.clear()
                self._mark_buttons()

    def _put(self, settings: S, *, held: S | None = None) -> None:
        self._held = held
        made = self._call(settings)
        self.result, self.settings = made, settings
        self.message.value = ""
        self._redraw()

    def _redraw(self) -> None:
        self._quiet = True
        try:
            self._show()
            if self.drawer.toggle.value and not self.dragging and self.result is not None:
                self.drawer.show(self.code())
        finally:
            self._quiet = False

    def _guarded(self, act: Callable[[], object]) -> None:
        """Do something for a control; a refusal appears in place, and the last good result stays."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - a callback must not fail unseen
            self.message.value = f'<p role="alert"><b>{escape(type(error).__name__)}</b>: {escape(str(error))}</p>'
            self._redraw()

    def _save_here(self) -> None:
        self.save(self.drawer.path.value)
        self.message.value = f'<p role="status">saved: {escape(str(Path(self.drawer.path.value).resolve()))}</p>'

    def _button(self, words: str, act: Callable[[], object]) -> ipw.Button:
        button = ipw.Button(description=words, layout=_AUTO)
        button.on_click(lambda _: self._guarded(act))
        return button

    def _mark_buttons(self) -> None:
        self.buttons["Undo"].disabled = not self._past
        self.buttons["Redo"].disabled = not self._future
        self.buttons["Reset"].disabled = self.settings == self._first

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        """Show the live view; a notebook without a kernel keeps a picture and the results in words."""
        live: dict[str, Any] = self.view._repr_mimebundle_() or {}
        drawn = self._figure()
        still = {} if drawn is None else {"image/png": base64.b64encode(png(drawn)).decode("ascii")}
        return {**live, **still, "text/plain": f"{self._headline()}\n{self.text()}".rstrip()}


class Drawer:
    """What is put away at first: the code of what is shown, and the file of its settings."""

    def __init__(self, path: str) -> None:
        self.toggle = ipw.ToggleButton(description="Code and settings", layout=_AUTO)
        self.path = ipw.Text(value=path, description="settings file", style={"description_width": "initial"})
        self.save, self.load = (ipw.Button(description=words, layout=_AUTO) for words in ("Save", "Load"))
        self._code = ipw.HTML()
        row = ipw.Box([self.path, self.save, self.load], layout=WRAP)
        self.view = ipw.VBox([self._code, row], layout=ipw.Layout(display="none"))
        self.toggle.observe(lambda change: self._open(is_open=change["new"]), names="value")

    def _open(self, *, is_open: bool) -> None:
        self.view.layout.display = "flex" if is_open else "none"

    def show(self, code: str) -> None:
        """Show code as text."""
        self._code.value = f'<pre style="white-space: pre-wrap">{escape(code)}</pre>'


def tuples_of(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return lists as the tuples that settings have.

    Parameters
    ----------
    value:
        From JSON.

    Returns
    -------
    :
        The same, its lists tuples all the way down.
    """
    return tuple(tuples_of(each) for each in value) if isinstance(value, list) else value
