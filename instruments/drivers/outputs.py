"""Outputs that are refused until the user has said what the circuit stands.

Not here: what a single source can do (its driver's limits).
"""

from analysis.core import InstrumentError
from instruments.protocols import require_within

__all__ = ["Allowed"]


class Allowed:
    """The range that an output may be set to; nothing until `allow`."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._range: tuple[float, float] | None = None

    def allow(self, low: float, high: float, *, limits: tuple[float, float], units: str) -> None:
        """Allow a range inside the limits of the device."""
        found = tuple(require_within(each, limits, f"{self._device}.allow", units) for each in (low, high))
        if found[0] > found[1]:
            msg = f"{self._device}.allow needs low <= high, got {low:g} and {high:g} {units}"
            raise InstrumentError(msg)
        self._range = (found[0], found[1])

    @property
    def range(self) -> tuple[float, float] | None:
        """The range; None until `allow`."""
        return self._range

    def forget(self) -> None:
        """Allow nothing, as at the start."""
        self._range = None

    def require(self) -> tuple[float, float]:
        """Return the range, or refuse."""
        if self._range is None:
            msg = (
                f"{self._device}: outputs are refused until it is said what the circuit stands; nothing was sent. Call "
                f"{self._device}.allow(low, high) first"
            )
            raise InstrumentError(msg)
        return self._range
