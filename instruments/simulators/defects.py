"""What goes wrong with simulated instruments, by name.

On the line: `drop` (no answer), `garble` (bytes changed), `truncate` (the end is missing), `late` (the answer comes
`size` seconds later), `timeout` (deaf: neither carries out nor answers), `disconnect` (the line is cut until it is
opened again). In the device: `drift` (its readings move by `size` of the reading and hour), `saturate` (its input ends
at `size` of full scale).
Not here: how a line or a device shows them.
"""

from dataclasses import dataclass

import numpy as np

from analysis.core import InstrumentError, did_you_mean

__all__ = ["DEVICE_DEFECTS", "LINE_DEFECTS", "Defect", "Defects"]

LINE_DEFECTS = {"drop": 0.0, "garble": 0.25, "truncate": 0.5, "late": 5.0, "timeout": 0.0, "disconnect": 0.0}
DEVICE_DEFECTS = {"drift": 1e-4, "saturate": 0.5}


@dataclass(kw_only=True)
class Defect:
    """One thing that goes wrong, from the message after `after` on, `times` times."""

    kind: str
    size: float
    after: int = 0
    times: float = 1.0

    def due(self) -> bool:
        """Count a message and tell whether it is hit."""
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return self.times >= 0


class Defects:
    """The defects of one instrument."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._line: list[Defect] = []
        self._device: dict[str, float] = {}
        self._rng = rng

    def add(self, kind: str, *, after: int = 0, times: float = 1.0, size: float | None = None) -> None:
        """Arrange for a defect.

        Parameters
        ----------
        kind:
            One of `LINE_DEFECTS` or `DEVICE_DEFECTS`.
        after:
            Messages that go well before, on the line.
        times:
            Messages that are hit, on the line; `math.inf` for all from then on.
        size:
            Seconds for `late`, the part of the bytes for `garble` and `truncate`, per hour for `drift`, of full scale
            for `saturate`; None takes the usual one.

        Raises
        ------
        InstrumentError
            If there is no such defect.
        """
        every = LINE_DEFECTS | DEVICE_DEFECTS
        if kind not in every:
            msg = f"no defect {kind!r}; there are {sorted(every)}.{did_you_mean(kind, every)}"
            raise InstrumentError(msg)
        chosen = every[kind] if size is None else float(size)
        if kind in DEVICE_DEFECTS:
            self._device[kind] = chosen
        else:
            self._line.append(Defect(kind=kind, size=chosen, after=after, times=times))

    def clear(self) -> None:
        """Repair everything."""
        self._line.clear()
        self._device.clear()

    def device(self, kind: str, default: float) -> float:
        """Return the size of a defect in the device, or `default` where it has none."""
        return self._device.get(kind, default)

    def line(self) -> Defect | None:
        """Count one message and return the defect that hits it, if any."""
        hit = next((defect for defect in self._line if defect.due()), None)
        self._line = [defect for defect in self._line if defect.times > 0]
        return hit

    def spoil(self, answer: bytes, defect: Defect) -> bytes:
        """Return a garbled or truncated answer."""
        if defect.kind == "truncate":
            return answer[: int(len(answer) * (1.0 - defect.size))]
        data = np.frombuffer(answer, dtype=np.uint8).copy()
        hit = self._rng.random(data.size) < max(defect.size, 1.0 / max(data.size, 1))
        hit[: 1 if data.size else 0] = True
        data[hit] = self._rng.integers(0x80, 0xFF, int(hit.sum()), dtype=np.uint8)
        return data.tobytes()
