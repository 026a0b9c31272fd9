"""A PID controller: derivative of the measurement, anti-windup, rate limit, bumpless transfer.

Not here: when it is called (`instruments.control.loop`), its tuning (`instruments.control.tuning`).
"""

import math
from dataclasses import dataclass

from analysis.core import InstrumentError

__all__ = ["Pid", "PidSettings"]


@dataclass(frozen=True, kw_only=True)
class PidSettings:
    """The standard (ISA) form: output = gain * (error + integral / Ti - Td * derivative of the value) + bias."""

    gain: float
    """Output per unit of the process value; negative where more output lowers the value."""
    integral_time: float = math.inf
    """Ti in s, > 0; infinite for no integral action."""
    derivative_time: float = 0.0
    """Td in s, >= 0."""
    derivative_filter: float = 8.0
    """The derivative is filtered with a time constant of Td over this, > 0."""
    low: float = 0.0
    """Least output."""
    high: float = 1.0
    """Greatest output."""
    rate: float = math.inf
    """Greatest change of the output, per s, > 0."""
    bias: float = 0.0
    """Output where error and integral are zero."""

    def __post_init__(self) -> None:
        """Refuse settings that make no controller."""
        positive = {"integral_time": self.integral_time, "derivative_filter": self.derivative_filter, "rate": self.rate}
        wrong = [f"{name} = {value!r}, wanted > 0" for name, value in positive.items() if not value > 0]
        finite = {"gain": self.gain, "bias": self.bias, "derivative_time": self.derivative_time}
        wrong += [
            f"{name} = {value!r}, wanted a finite number" for name, value in finite.items() if not math.isfinite(value)
        ]
        wrong += [] if self.derivative_time >= 0 else [f"derivative_time = {self.derivative_time!r}, wanted >= 0"]
        wrong += [] if self.low < self.high else [f"low = {self.low!r} and high = {self.high!r}, wanted low < high"]
        if wrong:
            msg = f"these settings make no controller: {'; '.join(wrong)}"
            raise InstrumentError(msg)


class Pid:
    """The controller and its memory: integral, filtered derivative, last output."""

    def __init__(self, settings: PidSettings) -> None:
        self.settings = settings
        self.output = min(max(settings.bias, settings.low), settings.high)
        self._integral = 0.0
        self._slope = 0.0
        self._value: float | None = None
        self._error = 0.0

    def update(self, setpoint: float, value: float, seconds: float) -> float:
        """Take one measurement and return the output.

        Parameters
        ----------
        setpoint, value:
            In the units of the process value, finite.
        seconds:
            Since the last call, > 0.

        Returns
        -------
        :
            Within `low` and `high`, at most `rate * seconds` from the last one. While it is limited the integral does
            not wind up: it follows the limit with the tracking time sqrt(Ti * Td), or Ti without derivative action.

        Raises
        ------
        InstrumentError
            If an input is not finite, or no time has passed; nothing changes then.
        """
        if not (math.isfinite(setpoint) and math.isfinite(value) and 0 < seconds < math.inf):
            msg = f"a PID step needs finite numbers and time > 0, got {setpoint!r}, {value!r} and {seconds!r} s"
            raise InstrumentError(msg)
        now, error = self.settings, setpoint - value
        self._follow(value, seconds)
        self._integral += now.gain * seconds / now.integral_time * error
        wanted = now.bias + now.gain * error + self._integral - now.gain * now.derivative_time * self._slope
        self.output, before = self._limited(wanted, seconds), wanted
        if math.isfinite(now.integral_time):
            tracking = math.sqrt(now.integral_time * now.derivative_time) or now.integral_time
            self._integral += min(seconds / tracking, 1.0) * (self.output - before)
        self._value, self._error = value, error
        return self.output

    def hold(self, output: float, *, setpoint: float, value: float) -> None:
        """Follow a hand, so that the next `update` goes on from its output without a bump.

        Parameters
        ----------
        output:
            Set by hand.
        setpoint, value:
            Of the process, at that moment.
        """
        now = self.settings
        self.output, self._value, self._slope, self._error = output, value, 0.0, setpoint - value
        self._integral = output - now.bias - now.gain * self._error

    def retune(self, settings: PidSettings) -> None:
        """Take other settings, without a bump of the output.

        Parameters
        ----------
        settings:
            Used from the next `update` on.
        """
        slope = settings.gain * settings.derivative_time * self._slope
        self.settings = settings
        self._integral = self.output - settings.bias - settings.gain * self._error + slope

    def _follow(self, value: float, seconds: float) -> None:
        """Filter the derivative of the measurement."""
        if self._value is None:
            return
        filtering = self.settings.derivative_time / self.settings.derivative_filter
        raw = (value - self._value) / seconds
        self._slope += seconds / (filtering + seconds) * (raw - self._slope)

    def _limited(self, wanted: float, seconds: float) -> float:
        now = self.settings
        step = now.rate * seconds
        return min(max(wanted, now.low, self.output - step), now.high, self.output + step)
