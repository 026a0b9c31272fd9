"""The row of controls of the chosen peak: its shape, what is held, its limits, what it is tied to.

Not here: the panel that shows it (`analysis.widgets.exploring`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from analysis.core import MetrospecError
from analysis.peaks.marked import Held, Mark, Shape
from analysis.widgets.front_panel import NARROW, STYLE, WRAP
from analysis.widgets.panel import ipw

__all__ = ["PeakRow", "choice_of", "limits_from"]

_FREE = 0  # a list that chose None would show nothing


def choice_of(words: str, kind: Any, start: str) -> ipw.Dropdown:  # noqa: ANN401 - a Literal
    """Make a list of the values of a literal type.

    Parameters
    ----------
    words:
        Before it.
    kind:
        The literal type.
    start:
        The one chosen at first.

    Returns
    -------
    :
        As wide as it needs.
    """
    return ipw.Dropdown(options=list(get_args(kind)), value=start, description=words, style=STYLE, layout=NARROW)


class PeakRow:
    """Controls over one mark among several."""

    def __init__(
        self,
        *,
        selected: Callable[[int], None],
        changed: Callable[[Mapping[str, Any]], None],
        removed: Callable[[], None],
    ) -> None:
        self._quiet, self._selected, self._changed = False, selected, changed
        self.number = ipw.Dropdown(description="peak", style=STYLE, layout=NARROW)
        self.shape = choice_of("shape", Shape, "pseudo_voigt")
        self.held = {
            what: ipw.Checkbox(description=f"hold {what}", indent=False, layout=ipw.Layout(width="auto"))
            for what in get_args(Held)
        }
        self.ties = {
            name: ipw.Dropdown(description=words, style=STYLE, layout=NARROW)
            for name, words in (("width_of", "width of"), ("distance_to", "distance to"))
        }
        self.limits = {
            name: ipw.Text(
                description=words, placeholder="low, high", continuous_update=False, style=STYLE, layout=NARROW
            )
            for name, words in (("center_range", "center in"), ("fwhm_range", "fwhm in"))
        }
        self.remove = ipw.Button(description="Remove peak", layout=ipw.Layout(width="auto"))
        self.remove.on_click(lambda _: removed())
        self._observe()
        parts = [
            self.number, self.shape, *self.held.values(), *self.ties.values(), *self.limits.values(), self.remove,
        ]  # fmt: skip
        self.view = ipw.Box(parts, layout=WRAP)

    def show(self, marks: Sequence[Mark], chosen: int) -> None:
        """Put a mark on the controls.

        Parameters
        ----------
        marks:
            All of them.
        chosen:
            Which is shown, from 0.
        """
        self.view.layout.display = "flex" if marks else "none"
        if not marks:
            return
        mark = marks[chosen]
        earlier = [("free", _FREE), *((f"p{k}", k) for k in range(1, chosen + 1))]
        self._quiet = True
        try:
            self.number.options = [(f"p{k}", k - 1) for k in range(1, len(marks) + 1)]
            self.number.value, self.shape.value = chosen, mark.shape
            for what, box in self.held.items():
                box.value = what in mark.held
            for name, tie in self.ties.items():
                tie.options = earlier
                tie.value = getattr(mark, name) or _FREE
            for name, limit in self.limits.items():
                limit.value = _words(getattr(mark, name))
        finally:
            self._quiet = False

    def _observe(self) -> None:
        self.number.observe(lambda change: self._hear(lambda: self._selected(change["new"])), names="value")
        self.shape.observe(lambda change: self._hear(lambda: self._changed({"shape": change["new"]})), names="value")
        for name, tie in self.ties.items():
            tie.observe(
                lambda change, name=name: self._hear(lambda: self._changed({name: change["new"] or None})),
                names="value",
            )
        for box in self.held.values():
            box.observe(lambda _: self._hear(lambda: self._changed({"held": self._all_held()})), names="value")
        for name, limit in self.limits.items():
            limit.observe(
                lambda change, name=name: self._hear(lambda: self._changed({name: change["new"]})), names="value"
            )

    def _hear(self, act: Callable[[], None]) -> None:
        if not self._quiet:
            act()

    def _all_held(self) -> tuple[str, ...]:
        return tuple(what for what, box in self.held.items() if box.value)


def limits_from(text: str, what: str) -> tuple[float, float] | None:
    """Read two limits.

    Parameters
    ----------
    text:
        As typed; nothing means no limits.
    what:
        Has the limits.

    Returns
    -------
    :
        The lower and the upper one.

    Raises
    ------
    MetrospecError
        If they are not two rising numbers.
    """
    if not text.strip():
        return None
    try:
        low, high = (float(part) for part in text.replace(";", ",").split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not low < high:
        msg = f"limits of the {what} are two rising numbers such as '518, 523', got {text!r}; leave empty for none"
        raise MetrospecError(msg)
    return low, high


def _words(limits: Any) -> str:  # noqa: ANN401 - of a mark
    return "" if limits is None else f"{limits[0]!r}, {limits[1]!r}"
