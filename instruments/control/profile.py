"""Set points over time: ramps and soaks.

Not here: the loop that follows them (`instruments.control.loop`).
"""

from dataclasses import dataclass

from analysis.core import InstrumentError

__all__ = ["Profile", "Ramp", "Soak"]


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """A straight line to another set point."""

    to: float
    """In the units of the process value."""
    rate: float
    """Per s, > 0."""


@dataclass(frozen=True, kw_only=True)
class Soak:
    """The set point stays."""

    seconds: float
    """>= 0."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Ramps and soaks, one after another."""

    start: float
    """Set point at first."""
    steps: tuple[Ramp | Soak, ...]
    """In their order."""

    def __post_init__(self) -> None:
        """Refuse steps without an end."""
        for step in self.steps:
            if (isinstance(step, Ramp) and not step.rate > 0) or (isinstance(step, Soak) and not step.seconds >= 0):
                msg = f"a ramp needs a rate > 0 and a soak a time >= 0, got {step}"
                raise InstrumentError(msg)

    @property
    def duration(self) -> float:
        """Seconds until its end."""
        return self._walk(float("inf"))[1]

    def setpoint(self, seconds: float) -> float:
        """Return the set point at a time.

        Parameters
        ----------
        seconds:
            Since its start.

        Returns
        -------
        :
            The first one before the start, the last one after the end.
        """
        return self._walk(seconds)[0]

    def _walk(self, seconds: float) -> tuple[float, float]:
        """Return where it stands at a time, and how much of that time it used."""
        at, used = self.start, 0.0
        for step in self.steps:
            whole = abs(step.to - at) / step.rate if isinstance(step, Ramp) else step.seconds
            if used + whole > seconds:
                share = max(seconds - used, 0.0) / whole
                return (at + share * (step.to - at) if isinstance(step, Ramp) else at), seconds
            used += whole
            at = step.to if isinstance(step, Ramp) else at
        return at, used
