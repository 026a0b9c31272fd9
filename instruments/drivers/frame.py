"""Driver of universal testing frames that speak SCPI: a `Frame`.

Messages: `CROS:SPE`, `CROS:LIM:LOW`, `CROS:LIM:HIGH`, `FORC:LIM`, `REC:RATE`, `DRIV`, `CROS:MOVE`, `CROS:POS?`,
`FORC?`, `FORC:TARE`, `EXT?`, `REC:DATA?`, `SPEC:BROK?`, `*IDN?`, `SYST:ERR?`.
"""

import json

import numpy as np
import xarray as xr

from analysis.core import InstrumentError
from analysis.uncertainty import Quantity
from instruments.datasheets import testing_frame
from instruments.drivers.device import Number, exactly
from instruments.drivers.measuring import Accuracy, measured
from instruments.drivers.outputs import Allowed
from instruments.drivers.scpi import ScpiDriver
from instruments.protocols import Finished, Status, Transport, require_within

__all__ = ["UniversalFrame"]

TRAVEL, SPEEDS = (-0.5, 0.5), (1e-7, 0.01)
UNITS = {"force": "N", "extension": "m", "position": "m"}
MESSAGES = {"force": "FORC?", "extension": "EXT?", "position": "CROS:POS?"}
MOST, COLUMNS = 1 << 23, 4


class UniversalFrame(ScpiDriver):
    """A testing frame: crosshead, load cell, extensometer. It does not move until `allow`."""

    messages = ("CROS:MOVE", "CROS:POS?", "FORC?", "FORC:TARE", "EXT?", "REC:DATA?", "SPEC:BROK?", "*IDN?", "SYST:ERR?")
    force_limit = Number("FORC:LIM", units="N", limits=(0.0, 100e3), doc="Where the crosshead stops.")
    record_rate = Number("REC:RATE", units="Hz", limits=(0.1, 1000.0), doc="Rows recorded in a second of movement.")

    def __init__(self, line: Transport, *, name: str = "frame") -> None:
        super().__init__(line, name=name)
        self._allowed = Allowed(name)
        self._accuracy = {
            key: Accuracy(limits, device=f"{name} {key}", units=UNITS[key]) for key, limits in testing_frame.items()
        }

    def _quantity(self, key: str) -> Quantity:
        value = self.number(MESSAGES[key])
        return measured([value], units=UNITS[key], device=f"{self.name} {key}", noise=testing_frame[key].noise,
                        accuracy=self._accuracy[key].parts(value), settings=self.snapshot())  # fmt: skip

    def force(self) -> Quantity:
        """Return the force, N."""
        return self._quantity("force")

    def extension(self) -> Quantity:
        """Return the extension, m."""
        return self._quantity("extension")

    def position(self) -> Quantity:
        """Return where the crosshead is, m."""
        return self._quantity("position")

    def tare(self) -> None:
        """Take the present force as zero."""
        self.send("FORC:TARE")

    def allow(self, low: float, high: float) -> None:
        """Say between which positions the crosshead may move; the frame holds them too.

        Parameters
        ----------
        low, high:
            m.
        """
        self._allowed.allow(low, high, limits=TRAVEL, units="m")
        self.send(f"CROS:LIM:LOW {exactly(low)};:CROS:LIM:HIGH {exactly(high)}")

    def move(self, position: float, *, speed: float) -> Status:
        """Move the crosshead, and wait; it stops at the force limit and when the specimen breaks.

        Parameters
        ----------
        position:
            m, inside what is allowed.
        speed:
            m/s, > 0.

        Returns
        -------
        :
            Has ended.
        """
        target = require_within(position, self._allowed.require(), f"{self.name}.move", "m")
        pace = require_within(speed, SPEEDS, f"{self.name}.speed", "m/s")
        self.send(f"DRIV ON;:CROS:SPE {exactly(pace)};:CROS:MOVE {exactly(target)}")
        return Finished()

    def recorded(self) -> xr.Dataset:
        """Return what was recorded during the last movement.

        Returns
        -------
        :
            `force` (N), `extension` (m) and `position` (m) along `channel` with the coordinate `time` (s).

        Raises
        ------
        InstrumentError
            If the block is not made of whole rows.
        """
        data = np.frombuffer(self._line.query_block("REC:DATA?", limit=MOST), dtype="<f8")
        if data.size % COLUMNS:
            msg = f"{self.resource} ({self.name}): {data.size} numbers came, not whole rows of {COLUMNS}; read it again"
            raise InstrumentError(msg)
        time, position, force, extension = data.reshape(-1, COLUMNS).T
        columns = {"force": force, "extension": extension, "position": position}
        return xr.Dataset(
            {key: ("channel", column, {"units": UNITS[key]}) for key, column in columns.items()},
            coords={"time": ("channel", time, {"units": "s", "long_name": "time"})},
            attrs={"settings": json.dumps(self.snapshot())},
        )

    def broken(self) -> bool:
        """Return whether the specimen is broken."""
        return bool(self.number("SPEC:BROK?"))

    def values(self) -> dict[str, tuple[float, str]]:
        """Measure force, extension and position."""
        return {f"{self.name}_{key}": (self.number(MESSAGES[key]), UNITS[key]) for key in UNITS}

    def keys(self) -> dict[str, tuple[str, list[int | None]]]:
        """Say what `values` returns."""
        return {f"{self.name}_{key}": (units, []) for key, units in UNITS.items()}

    def safe_state(self) -> None:
        """Switch the drive off; the crosshead stays where it is."""
        self.send("DRIV OFF")
