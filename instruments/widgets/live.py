"""The live panel: an acquisition in a thread, watched at most five times a second, steered, and stopped at once.

Its one call is `acquire.run(task, sinks=...)`: without the panel the same shots are taken. Nothing is drawn where
samples are taken. Not here: what is acquired (`instruments.acquire`), what the view keeps (`instruments.widgets.tail`).
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis import figures
from analysis.core import InstrumentError, did_you_mean
from analysis.widgets import Series, SpectrumView
from analysis.widgets.front_panel import NARROW, STYLE, WRAP, FrontPanel
from analysis.widgets.panel import Figure, ipw
from analysis.widgets.tables import table
from instruments import acquire
from instruments.acquire import Running, Task
from instruments.control import ClosedLoop
from instruments.record import Recorder, read
from instruments.shots import Channel, Sink
from instruments.widgets.tail import Tail, alarms_of

try:
    from IPython.display import display
except ImportError as error:  # pragma: no cover - panels need it anyway
    _MESSAGE = "panels need ipywidgets: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["LivePanel", "LiveSettings", "live"]

_PAUSE = 0.2  # s between two looks: at most 5 in a second
_SPANS = (("all", 0.0), ("10 s", 10.0), ("1 min", 60.0), ("10 min", 600.0), ("1 h", 3600.0))
_NONE = ("", "")
_KEY = "solid: measured, with a band of ± u; dashed: set point; below: output"
_ALARM = "margin: 4px 0; padding: 4px 10px; border-left: 5px solid #d55e00; line-height: 1.5"


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """What is drawn."""

    channel: str = ""
    """Name of the channel; empty for the first."""
    seconds: float = 0.0
    """Of the past, in s; 0 for all."""


class LivePanel(FrontPanel[LiveSettings]):
    """An acquisition that is started, watched and stopped; `result` is what it read."""

    def __init__(
        self, task: Task, settings: LiveSettings, *, sinks: Sequence[Sink], path: Path | None,
        limits: Mapping[str, tuple[float, float]], name: str,
    ) -> None:  # fmt: skip
        self.task, self.sinks, self.path, self.limits = task, tuple(sinks), path, dict(limits)
        self.running: Running | None = None
        self._recorder: Recorder | None = None
        self.loop = next((each for each in task.detectors if isinstance(each, ClosedLoop)), None)
        self._tail, self._lock = Tail(), threading.RLock()
        self._watcher: threading.Thread | None = None
        self._drawn: tuple[str, LiveSettings] | None = None
        self._labelled = ""
        self._asked = False
        self._shown: Any = None
        self.start_button, self.stop_button = self._button("Start", self.start), self._button("Stop", self.stop)
        self.state, self.counted, self.alarms = ipw.HTML(), ipw.HTML(), ipw.HTML()
        self.setpoint = ipw.FloatText(value=0.0, description="set point", style=STYLE, layout=NARROW)
        self.set_button = self._button("Set", lambda: self.steer(self.setpoint.value))
        self.channel = ipw.Dropdown(options=[_NONE], description="shown", style=STYLE, layout=NARROW)
        self.span = ipw.Dropdown(options=list(_SPANS), description="of the past", style=STYLE, layout=NARROW)
        self.channel.observe(lambda change: self._change(channel=change["new"]), names="value")
        self.span.observe(lambda change: self._change(seconds=change["new"]), names="value")
        self.readings = ipw.HTML(layout=ipw.Layout(margin="0 0 8px 0"))
        self.plot = SpectrumView(
            x_label="time since the start", x_units="s", y_label="reading", y_units="1", modes=("zoom",),
            strip_label="output", described=f"{name}: the readings so far with their standard uncertainty",
        )  # fmt: skip
        super().__init__(settings, name=name)

    # -- what the user does
    def start(self) -> None:
        """Begin the acquisition in a thread of its own.

        Raises
        ------
        InstrumentError
            If it runs already, or its file is complete, of another acquisition, or written by another program.
        """
        if self.running is not None and self.running.state == "running":
            msg = f"{self.name} is running already, at shot {self.running.count}; stop() it first, or wait()"
            raise InstrumentError(msg)
        self._tail, self._drawn, self._asked = Tail(), None, False
        self._recorder = self._opened()
        own = () if self._recorder is None else (self._recorder,)
        self.running = acquire.start(self.task, sinks=(*self.sinks, *own), told=self._tail.take)
        self.message.value = ""
        self._refresh()
        self._watcher = threading.Thread(target=self._watch, args=(self.running,), daemon=True, name="metrospec view")
        self._watcher.start()

    def _opened(self) -> Recorder | None:
        """Open the file of a recording, to go on with what it has."""
        if self.path is None:
            return None
        recorder = Recorder(self.path, resume=True)
        if self.task.count is not None and recorder.count >= self.task.count:
            recorder.end()
            msg = f"{self.path.name!r} has all {self.task.count} shots; read it with record.read, or take another name"
            raise InstrumentError(msg)
        return recorder

    def stop(self) -> None:
        """Stop after the exchange that is under way, and make all devices safe; what was read stays."""
        if self.running is not None:
            self._asked = True
            self.running.stop()
            self._say(self._state())

    def steer(self, setpoint: float) -> None:
        """Change the set point of the closed loop, also while it runs.

        Parameters
        ----------
        setpoint:
            In the units of the process value; refused beyond an interlock.

        Raises
        ------
        InstrumentError
            If there is no loop, or the set point is refused.
        """
        if self.loop is None:
            msg = f"{self.name} has no closed loop; acquire a control.ClosedLoop to steer it"
            raise InstrumentError(msg)
        self.loop.setpoint = setpoint
        self.message.value = f'<p role="status">set point: {self.loop.setpoint:g} {escape(self.loop.units)}</p>'

    def wait(self, timeout: float | None = None) -> xr.Dataset:
        """Wait for the end.

        Parameters
        ----------
        timeout:
            In s of the real clock; None waits as long as it takes.

        Returns
        -------
        :
            What was read, also if it was stopped; of a recording all that is in its file.

        Raises
        ------
        InstrumentError
            If it has not been started, still runs after the timeout, or failed: `AcquisitionError.data` has what was
            read.
        """
        if self.running is None or self._watcher is None:
            msg = f"{self.name} has not been started; start() it first"
            raise InstrumentError(msg)
        try:
            run = self.running.wait(timeout)
        finally:
            if self.running.state != "running":
                self._watcher.join()
        return run if self.path is None else self.result

    # -- what every panel says
    def text(self) -> str:
        """Return how it stands; after the end, with the last readings.

        Returns
        -------
        :
            The same for the same shots.
        """
        words = self._state()
        if words in ("ready", "running", "stopping"):
            return words
        rows = [f"  {row['reading']}: {row['value']} {row['units']}".rstrip() for row in self._tail.rows()]
        return "\n".join(
            [f"{words}, {self._tail.count} shots", *rows, *(f"  alarm: {each}" for each in self._alarms())]
        )

    def code(self) -> str:
        """Return the call that takes the same shots without a panel.

        Returns
        -------
        :
            Python that needs `acquire` or `record`, the task and, where there are, the sinks.
        """
        if self.path is not None:
            return f"record.record({self.name}, {str(self.path)!r}, resume=True)"
        return f"acquire.run({self.name}{', sinks=sinks' if self.sinks else ''})"

    def _call(self, settings: LiveSettings) -> Any:  # noqa: ANN401 - None before the first run
        if settings.channel and self._tail.layout is not None and settings.channel not in self._tail.names:
            names = self._tail.names
            msg = f"no channel {settings.channel!r}; there are {list(names)}.{did_you_mean(settings.channel, names)}"
            raise InstrumentError(msg)
        if settings.seconds not in dict(_SPANS).values():
            msg = f"seconds must be one of {[span for _, span in _SPANS]}, got {settings.seconds!r}"
            raise InstrumentError(msg)
        return self.result

    def _bar(self) -> list[ipw.Widget]:
        steering = [self.setpoint, self.set_button] if self.loop is not None else []
        return [self.start_button, self.stop_button, *steering, self.channel, self.span]

    def _body(self) -> list[ipw.Widget]:
        head = ipw.Box([self.state, self.counted], layout=WRAP)
        return [head, self.alarms, self.readings, self.plot]

    def _headline(self) -> str:
        return f"{self.name}: live"

    def _show(self) -> None:
        if self.loop is not None and self.running is None:
            self.setpoint.description = f"set point ({self.loop.units})"
            self.setpoint.value = self.loop.setpoint
        self._offer()
        self.span.value = self.settings.seconds
        self._refresh()

    def _offer(self) -> None:
        names = self._tail.names
        options = [(name.replace("_", " "), name if k else "") for k, name in enumerate(names)] or [_NONE]
        if list(self.channel.options) != options:
            self.channel.options = options
        chosen = "" if self.settings.channel in names[:1] else self.settings.channel
        if chosen in [name for _, name in options]:
            self.channel.value = chosen

    def _figure(self) -> Figure | None:
        channel = self._tail.channel(self.settings.channel)
        if channel is None:
            return None
        label, units, x, y, u = self._line(channel)
        spectrum = xr.Dataset(
            {"signal": ("channel", y, {"units": channel.units, "long_name": channel.name.replace("_", " ")})},
            coords={"x": ("channel", x, {"units": units, "long_name": label})},
        )
        spectrum = spectrum if u is None or not u.any() else spectrum.assign(u_signal=("channel", u))
        return figures.draw_spectrum(spectrum, axis="x", title=f"{self.name}: {self._state()}")

    def _guarded(self, act: Callable[[], object]) -> None:
        with self._lock:  # the view has a thread of its own
            super()._guarded(act)

    # -- the view
    def _watch(self, running: Running) -> None:
        """Look from time to time; the sampling knows nothing of it."""
        while running.state == "running":
            threading.Event().wait(_PAUSE)
            self._guarded(self._look)
        self._guarded(lambda: self._finish(running))
        if self._shown is not None:
            self._shown.update(self._repr_mimebundle_(), raw=True)

    def _look(self) -> None:
        before = self._tail.layout
        self._refresh()
        if before is None and self._tail.layout is not None:
            self._redraw()  # what can be drawn is known from now on

    def _finish(self, running: Running) -> None:
        self._look()
        if self._recorder is not None:
            self._recorder.end()
        self.result = None if running.layout is None else running.dataset() if self.path is None else read(self.path)
        self._say(running.state)

    def _refresh(self) -> None:
        """Bring readings, state, alarms and plot up to date."""
        with self._lock:
            layout = None if self.running is None else self.running.layout
            if self._tail.update(layout) or self._drawn != (self._state(), self.settings):
                self._draw()
            self._drawn = (self._state(), self.settings)
            self._say(self._state())

    def _state(self) -> str:
        if self.running is None:
            return "ready"
        return "stopping" if self._asked and self.running.state == "running" else self.running.state

    def _say(self, word: str) -> None:
        """Say the state where it changed; a screen reader reads each change out."""
        running = self.running
        why = f": {running.reason}" if running is not None and word in ("failed", "stopped") else ""
        safe = "; all devices were made safe" if word == "stopped" else ""
        _write(self.state, f'<span role="status"><b>{escape(word)}</b>{escape(why + safe)}</span>')
        _write(self.counted, f"<span>{self._counted()}</span>")
        said = "<br>".join(f"<b>Alarm</b>: {escape(each)}" for each in self._alarms())
        _write(self.alarms, f'<div role="alert" style="{_ALARM}">{said}</div>' if said else "no alarms")
        self.start_button.disabled, self.stop_button.disabled = word in ("running", "stopping"), word != "running"

    def _counted(self) -> str:
        of = f" of {self.task.count}" if self.task.count else ""
        return f"{self._tail.count}{of} shots" if self._tail.count else ""

    def _alarms(self) -> list[str]:
        tail, running = self._tail, self.running
        units = {channel.name: channel.units for channel in tail.numbers}
        found = [] if tail.last is None else alarms_of(tail.last, self.limits, units)
        if self.loop is not None:
            found += [f"{self.loop.name}: {each}" for each in self.loop.alarms]
        if running is not None and running.dropped:
            found.append(f"{running.dropped} shots were dropped: what takes them is slower than the stream")
        return found

    def _line(self, channel: Channel) -> tuple[str, str, Any, Any, Any]:
        if channel.dims:
            return self._tail.array(channel)
        return "time since the first shot", "s", *self._tail.column(channel.name, seconds=self.settings.seconds)

    def _draw(self) -> None:
        _write(self.readings, table(self._tail.rows(), caption="last readings"))
        channel = self._tail.channel(self.settings.channel)
        if channel is None:
            return
        label, units, x, y, u = self._line(channel)
        if self._labelled != channel.name:
            self._labelled = channel.name
            self.plot.relabel(
                x_label=label, x_units=units, y_label=channel.name.replace("_", " "), y_units=channel.units
            )
        if x.size > 1 and x[-1] > x[0]:
            self.plot.show([Series(x=x, y=y, u=u), *self._others(channel, x, y, u)])
        steered = self.loop is not None and channel.name == self.loop.name
        _write(self.words, f"<p>{_KEY if steered else _KEY.partition(';')[0]}</p>")

    def _others(self, channel: Channel, x: Any, y: Any, u: Any) -> list[Series]:  # noqa: ANN401 - arrays
        """Return the band of ± u, and of a loop set point and output."""
        band = [] if u is None or not np.any(u) else [Series(x=x, y=y - u, upper=y + u, kind="band")]
        if self.loop is None or channel.name != self.loop.name:
            return band
        wanted, output = (
            self._tail.column(f"{self.loop.name}_{part}", seconds=self.settings.seconds)[1]
            for part in ("setpoint", "output")
        )
        return [*band, Series(x=x, y=wanted, colour=1), Series(x=x, y=output, strip=True, colour=2)]

    def _ipython_display_(self) -> None:
        """Show the live view; at the end, what the notebook keeps is written anew."""
        self._shown = display(self._repr_mimebundle_(), raw=True, display_id=True)  # type: ignore[no-untyped-call]


def _write(widget: ipw.HTML, text: str) -> None:
    if widget.value != text:
        widget.value = text


def live(
    task: Task, *, path: str | Path | None = None, sinks: Sequence[Sink] = (),
    limits: Mapping[str, tuple[float, float]] | None = None, settings: LiveSettings | None = None, name: str = "task",
) -> LivePanel:  # fmt: skip
    """Show an acquisition to start, watch, steer and stop; it begins with Start, or `start()`.

    Parameters
    ----------
    task:
        What is acquired (`acquire.stream`, `grid`, ...). A `control.ClosedLoop` in it can be steered.
    path:
        File that every shot is recorded in as it comes; Start goes on with what it has. None records nothing.
    sinks:
        Take every shot as it comes, beside the file.
    limits:
        Lowest and highest value by channel, beyond which an alarm is shown; it does not stop anything, an
        `control.Interlock` does.
    settings:
        What is drawn at first; None draws the first channel.
    name:
        Of the variable that holds the task, for `code()`.

    Returns
    -------
    :
        The panel: `start()`, `stop()`, `steer(setpoint)`, `wait()`, `running`, `result`.

    Raises
    ------
    InstrumentError
        If the limits are none.
    """
    for key, (low, high) in (limits or {}).items():
        if not low < high:
            msg = f"limits of {key} must rise, got [{low:g}, {high:g}]"
            raise InstrumentError(msg)
    return LivePanel(task, settings or LiveSettings(), sinks=sinks, limits=limits or {}, name=name,
                     path=None if path is None else Path(path))  # fmt: skip
