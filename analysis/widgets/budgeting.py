"""The panel of an uncertainty budget: its sources, what better inputs would bring, and whether its interval holds.

Its settings are one frozen dataclass, and what it does is one call, `uncertainty.what_if`, which `code()` writes down.
Not here: the numbers (`analysis.uncertainty`), the rows (`analysis.widgets.input_rows`), the words
(`analysis.widgets.budgeting_words`).
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from analysis import figures, uncertainty
from analysis.core import MetrospecError, UncertaintyError
from analysis.uncertainty import Budget, Sample
from analysis.widgets.budgeting_words import (
    BudgetSettings,
    Drawn,
    code_of,
    draw,
    legend,
    number_from,
    rows_of,
    said_of,
    tables_of,
    why_fixed,
)
from analysis.widgets.front_panel import FrontPanel
from analysis.widgets.input_rows import InputRows
from analysis.widgets.panel import Figure, ipw
from analysis.widgets.spectrum_view import Series, SpectrumView

__all__ = ["BudgetPanel", "budget"]

_WIDE = {"description_width": "initial"}
_LEVELS = (0.90, 0.95, 0.99, 0.9973)
_DRAWN, _LINEAR, _BEFORE = 0, 1, 2  # colours
_REACH = 4.5  # standard uncertainties to either side of the value


class BudgetPanel(FrontPanel[BudgetSettings]):
    """What if an input were better: a budget, its densities, its verdict."""

    def __init__(self, given: Budget, settings: BudgetSettings, *, name: str) -> None:
        self.budget, self._name = given, name
        self.drawn: Drawn | None = None
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._sampling: tuple[object, Future[Drawn]] | None = None
        self._fixed = {each: why_fixed(given, each) for each in given.inputs}
        self._build(given, settings)
        super().__init__(settings, name=f"budget of {given.name}")

    def _build(self, given: Budget, settings: BudgetSettings) -> None:
        units = "" if given.units == "1" else f" ({given.units})"
        self.level = ipw.Dropdown(
            options=[(f"{100 * each:g} %", each) for each in sorted({*_LEVELS, settings.level})], value=settings.level,
            description="level of U", style=_WIDE, layout=ipw.Layout(width="11em"),
        )  # fmt: skip
        self.digits = ipw.Dropdown(
            options=sorted({1, 2, settings.digits}), value=settings.digits, description="digits of u", style=_WIDE,
            layout=ipw.Layout(width="9em"),
        )  # fmt: skip
        self.target = ipw.Text(
            description=f"target U{units}", placeholder="none", continuous_update=False, style=_WIDE,
            layout=ipw.Layout(width="14em"),
        )  # fmt: skip
        self.level.observe(lambda change: self._change(level=change["new"]), names="value")
        self.digits.observe(lambda change: self._change(digits=change["new"]), names="value")
        self.target.observe(lambda change: self._aim(change["new"]), names="value")
        self.plot = SpectrumView(
            x_label=given.name, x_units=given.units, y_label="density", y_units="1", modes=("zoom",),
            described=f"Probability densities of {given.name}: linear propagation and Monte Carlo, with the ends of "
            "their intervals; the words beside say the same",
        )  # fmt: skip
        heads = (
            "input",
            "value ± u as it is",
            "what if u were",
            "in numbers",
            "share of the variance",
            "u for the target",
        )
        self.rows = InputRows(
            rows_of(given, given, settings, self._fixed), heads=heads,
            caption=f"Inputs of {given.name} = {given.formula}",
        )  # fmt: skip
        self.rows.on_change(lambda event: self._guarded(lambda: self._moved(event)))
        self.verdict = ipw.HTML()

    def _bar(self) -> list[ipw.Widget]:
        return [self.level, self.digits, self.target]

    def _body(self) -> list[ipw.Widget]:
        return [self.rows, self.verdict, self.plot]

    def code(self) -> str:
        """Return the call that makes what is shown.

        Returns
        -------
        :
            Python that needs `uncertainty` and the budget.
        """
        return code_of(self.settings, self._name)

    def text(self) -> str:
        """Return the results in words.

        Returns
        -------
        :
            The result, what was supposed, the verdict on linear propagation, and one line for each input.
        """
        self._draw_now()
        return said_of(self.budget, self.result, self.settings, self.drawn)

    # -- events
    def _moved(self, event: Mapping[str, Any]) -> None:
        name, value = str(event["name"]), event["value"]
        if not isinstance(value, int | float):
            msg = f"u of {name!r} must be a number, got nothing; write 0 for an exact input, or press Undo"
            raise UncertaintyError(msg)
        supposed = {**dict(self.settings.u), name: float(value)}
        ordered = tuple((each, supposed[each]) for each in self.budget.inputs if each in supposed)
        self._step(replace(self.settings, u=ordered), final=bool(event["final"]))

    def _aim(self, text: str) -> None:
        if not self._quiet:
            self._guarded(lambda: self.set(replace(self.settings, target=number_from(text, "target U"))))

    # -- the call and its picture
    def _call(self, settings: BudgetSettings) -> Budget:
        settings.require()
        return uncertainty.what_if(self.budget, dict(settings.u)) if settings.u else self.budget

    def _show(self) -> None:
        now = self.settings
        self.level.value, self.digits.value = now.level, now.digits
        self.target.value = "" if now.target is None else f"{now.target:g}"
        if self.result is None:
            return
        self.rows.show(
            rows_of(self.budget, self.result, replace(now, target=None) if self.dragging else now, self._fixed)
        )
        if self._stale() and not self.dragging:
            self._draw_later()
        self._picture()

    def _picture(self) -> None:
        drawn = None if self._stale() else self.drawn
        self.plot.show(self._series(drawn.sample if drawn else None))
        self.verdict.value = legend(self.budget, self.result, self.settings, drawn)
        if not self.dragging:
            self.words.value = tables_of(self.result)

    def _series(self, drawn: Sample | None) -> list[Series]:
        made, level = self.result, self.settings.level
        reach = _REACH * max(made.u, self.budget.u)
        over = (made.value - reach, made.value + reach)
        series = []
        if made.u > 0:
            table = uncertainty.densities(made, drawn, over=over)
            x, y = table["value"].values, table["gum"].values
            series = [Series(x=x, y=y, colour=_LINEAR), *_ends(made.interval(level), float(y.max()), _LINEAR)]
            if drawn is not None:
                counts = table["monte_carlo"].values
                series.append(Series(x=x, y=np.zeros_like(x), upper=counts, kind="band", colour=_DRAWN))
                series += _ends(drawn.interval(level), float(y.max()), _DRAWN)
        if self.settings.u and self.budget.u > 0:
            before = uncertainty.densities(self.budget, over=over)
            series.append(Series(x=before["value"].values, y=before["gum"].values, colour=_BEFORE))
        return series

    def _figure(self) -> Figure:
        self._draw_now()
        if self.drawn is None or self.drawn.sample is None or self.drawn.agreement is None:
            return figures.draw_budget(self.result)
        return figures.draw_densities(self.result, self.drawn.sample, level=self.settings.level)

    # -- draws, beside the kernel's own work
    def _stale(self) -> bool:
        return self.drawn is None or self.drawn.of != self.settings.drawn_by

    def _draw_later(self) -> None:
        """Draw in a thread where there is a loop to come back to; draws that nobody waits for are dropped."""
        key = self.settings.drawn_by
        if self._sampling is not None and self._sampling[0] == key:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._draw_now()
            return
        if self._sampling is not None:
            self._sampling[1].cancel()
        self._sampling = (key, self._pool.submit(draw, self.result, self.settings))
        asyncio.wrap_future(self._sampling[1], loop=loop).add_done_callback(self._came)

    def _came(self, done: "asyncio.Future[Drawn]") -> None:
        if not done.cancelled():
            self._guarded(lambda: self._take(done.result()))

    def _take(self, drawn: Drawn) -> None:
        if self._sampling is not None and self._sampling[0] == drawn.of:
            self._sampling = None
        if drawn.of == self.settings.drawn_by:
            self.drawn = drawn
            self._picture()

    def _draw_now(self) -> None:
        """Have the draws of what is shown, and wait for them."""
        if self._stale():
            under_way = self._sampling is not None and self._sampling[0] == self.settings.drawn_by
            future = self._sampling[1] if under_way and self._sampling else None
            self.drawn = future.result() if future else draw(self.result, self.settings)


def _ends(ends: tuple[float, float], height: float, colour: int) -> list[Series]:
    return [Series(x=np.array([end, end]), y=np.array([0.0, height]), colour=colour) for end in ends]


def budget(
    given: Budget,
    *,
    u: Mapping[str, float] | None = None,
    level: float = 0.95,
    target: float | None = None,
    digits: int = 2,
    seed: int = 1,
    name: str = "budget",
) -> BudgetPanel:
    """Look at a budget, and ask what better inputs would bring.

    Parameters
    ----------
    given:
        Made by `uncertainty.propagate`.
    u:
        Supposed standard uncertainties at first, by input, in its units.
    level:
        Coverage probability of U and of the intervals, in (0, 1).
    target:
        Wanted expanded uncertainty at `level`, in the units of the result; the panel then says the u that each input
        would need.
    digits:
        Significant digits of u to which the intervals are compared (JCGM 101, clause 8).
    seed:
        Seed of the draws.
    name:
        Of the variable that holds the budget, for `code()`.

    Returns
    -------
    :
        The panel: `settings`, `result` (a `Budget`), `drawn`, `code()`, `undo`, `redo`, `reset`, `save`, `load`.

    Raises
    ------
    MetrospecError
        If this is no budget, or a setting is out of range.
    """
    checked: object = given
    if not isinstance(checked, Budget):
        msg = f"the panel shows a budget, as uncertainty.propagate returns; got a {type(checked).__name__}"
        msg += "; choose one of them" if isinstance(checked, Mapping) else ""
        raise MetrospecError(msg)
    settings = BudgetSettings(u=tuple((u or {}).items()), level=level, target=target, digits=digits, seed=seed)
    settings.require()
    return BudgetPanel(given, settings, name=name)
