"""Opening an instrument by its name: a simulated one on the bench, or one on a VISA line.

Not here: lines (`instruments.transports.visa`), drivers (`instruments.drivers`).
"""

import re
from typing import Any

from analysis.core import InstrumentError, did_you_mean
from instruments.drivers import (
    FurnaceController,
    Generator,
    GratingSpectrometer,
    LockIn,
    Multimeter,
    Oscilloscope,
    SourceMeasureUnit,
    UniversalFrame,
)
from instruments.drivers.scpi import ScpiDriver
from instruments.simulators import Bench, default_bench

__all__ = ["open"]

DRIVERS: dict[str, Any] = {
    "dmm": Multimeter, "smu": SourceMeasureUnit, "generator": Generator, "oscilloscope": Oscilloscope, "lockin": LockIn,
    "spectrometer": GratingSpectrometer, "frame": UniversalFrame,
}  # fmt: skip
# What *IDN? says, and which driver speaks that language.
IDENTITIES = (
    (r"34401A|34461A|34465A|34470A", "dmm"), (r"SMU-SIM", "smu"), (r"AFG-SIM", "generator"),
    (r"DSO-SIM", "oscilloscope"), (r"LIA-SIM", "lockin"), (r"CCD-SIM", "spectrometer"), (r"UTM-SIM", "frame"),
)  # fmt: skip
SIMULATED, MODBUS = "sim://", "modbus://"


def open(  # noqa: A001 - instruments.open
    name: str, *, driver: str | None = None, bench: Bench | None = None, timeout: float = 2.0
) -> ScpiDriver | FurnaceController:
    """Open an instrument; use it in a `with` statement.

    Parameters
    ----------
    name:
        `sim://dmm` for a simulated instrument, `modbus://192.0.2.7:502` for a furnace controller, else a VISA name
        such as `TCPIP0::192.0.2.7::5025::SOCKET`.
    driver:
        dmm, smu, generator, oscilloscope, lockin, spectrometer or frame; None asks the instrument who it is.
    bench:
        For `sim://`; None is `simulators.default_bench()`.
    timeout:
        Until the first byte of an answer, s.

    Returns
    -------
    :
        Its driver.

    Raises
    ------
    InstrumentError
        If there is no such instrument, it does not answer, or its driver is not known.
    """
    if driver is not None and driver not in DRIVERS:
        msg = f"no driver {driver!r}; there are {list(DRIVERS)}.{did_you_mean(driver, DRIVERS)}"
        raise InstrumentError(msg)
    if name.startswith(SIMULATED):
        return _simulated(name.removeprefix(SIMULATED), driver, bench or default_bench(), timeout)
    if bench is not None:
        msg = f"a bench has instruments named {SIMULATED}..., got {name!r}; leave bench out for a VISA name"
        raise InstrumentError(msg)
    if name.startswith(MODBUS):
        from instruments.transports.modbus import ModbusTransport  # noqa: PLC0415 - pymodbus is an extra

        return FurnaceController(ModbusTransport(name, timeout=timeout))
    from instruments.transports.visa import VisaTransport  # noqa: PLC0415 - PyVISA is an extra

    return _driven(VisaTransport(name, timeout=timeout), driver)


def _simulated(name: str, driver: str | None, bench: Bench, timeout: float) -> ScpiDriver | FurnaceController:
    from instruments.simulators import register_line, visa_library  # noqa: PLC0415 - PyVISA is an extra
    from instruments.transports.visa import VisaTransport  # noqa: PLC0415 - PyVISA is an extra

    bench.device(name)
    if name == "furnace":
        return FurnaceController(register_line.RegisterLine(bench.furnace, timeout=timeout))
    manager = visa_library.resource_manager(bench)
    resource = visa_library.resource_name(name)
    return _driven(VisaTransport(resource, manager=manager, timeout=timeout, clock=bench.clock), driver)


def _driven(line: Any, driver: str | None) -> ScpiDriver:  # noqa: ANN401 - a transport
    try:
        chosen = driver or _recognised(line)
        found: ScpiDriver = DRIVERS[chosen](line, name=chosen)
    except InstrumentError:
        line.close()
        raise
    return found


def _recognised(line: Any) -> str:  # noqa: ANN401 - a transport
    identity = line.query("*IDN?")
    for shape, driver in IDENTITIES:
        if re.search(shape, identity):
            return driver
    msg = (
        f"{line.resource} says it is {identity[:80]!r}, for which no driver is known; "
        f"give driver=, one of {list(DRIVERS)}"
    )
    raise InstrumentError(msg)
