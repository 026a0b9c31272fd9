"""Platinum thermometers, thermocouples, load cells, extensometers and whatever has a calibration curve, on a meter.

What a certificate or a class says of a sensor is one source for all its readings, so that it falls out of differences.
Not here: the functions of the sensors (`analysis.calibration.sensors`, `analysis.calibration.CurveCalibration`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.calibration import CurveCalibration
from analysis.calibration.sensors import ForceTransducer, ResistanceThermometer, pt100, without_leads
from analysis.calibration.sensors import thermocouple as thermocouple_of
from analysis.core import InstrumentError
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity
from instruments.protocols import Meter
from instruments.sensing.sensor import Kind, Sensor

__all__ = ["calibrated", "extensometer", "load_cell", "resistance_thermometer", "thermocouple"]

Way = Callable[[Quantity], Quantity]
TWO, FOUR = 2, 4


@dataclass(frozen=True, kw_only=True)
class _Ways:
    """Both ways as functions."""

    forward: Way
    back: Way


def resistance_thermometer(
    meter: Meter, *, thermometer: ResistanceThermometer | None = None, grade: str | None = None,
    leads: Quantity | None = None, name: str = "pt100",
) -> Sensor:  # fmt: skip
    """Read a platinum resistance thermometer.

    Parameters
    ----------
    meter:
        Measures resistance.
    thermometer:
        With the coefficients of its certificate; None is the one of IEC 60751.
    grade:
        `AA`, `A`, `B` or `C`: the tolerance of the class is a source; None for a thermometer with a certificate.
    leads:
        Resistance of both leads where two wires are measured; None for four wires.
    name:
        Prefix of its keys.

    Returns
    -------
    :
        In degC: sources of the meter, the leads, the coefficients and the class.

    Raises
    ------
    CalibrationError
        On reading, if it lies outside the range of the thermometer or of its class.
    InstrumentError
        If neither a certificate nor a class says how good it is, or the meter does not measure resistance.
    """
    if (thermometer is None) == (grade is None):
        msg = (
            f"{name} needs either a thermometer with the coefficients of its certificate or a grade, got {_got(grade)}"
        )
        raise InstrumentError(msg)
    known = pt100() if thermometer is None else thermometer
    one = None if grade is None else Quantity(value=0.0, u=1.0, units="1", label=f"{name}: class {grade}")
    wires = FOUR if leads is None else TWO

    def forward(signal: Quantity) -> Quantity:
        found = known.temperature(without_leads(signal, wires=wires, leads=leads))
        if one is None or grade is None:
            return found
        return _plus(found, {s: c * known.tolerance(found.value, grade=grade).u for s, c in one.parts().items()})

    def back(seen: Quantity) -> Quantity:
        alone = known.resistance(seen)
        return alone if leads is None else alone + leads

    settings = {"sensor": "platinum resistance thermometer", "grade": grade, "wires": wires}
    return _sensor(meter, forward, back, signal="ohm", units="degC", settings=settings, name=name)


def thermocouple(
    meter: Meter, kind: str, *, reference: Quantity | Meter, deviation: Quantity, name: str = "thermocouple"
) -> Sensor:
    """Read a thermocouple.

    Parameters
    ----------
    meter:
        Measures voltage.
    kind:
        Letter of its type.
    reference:
        Temperature of the reference junction, or what measures it: it is then read with every reading.
    deviation:
        Of this thermocouple from the reference function, added: from its certificate, or 0 with the tolerance of its
        class.
    name:
        Prefix of its keys.

    Returns
    -------
    :
        In degC: sources of the meter, the reference junction and the deviation.

    Raises
    ------
    CalibrationError
        If there is no such type; on reading, if it lies outside the reference function.
    InstrumentError
        If the meter does not measure voltage, or the deviation is no difference of temperatures.
    """
    known = thermocouple_of(kind)
    offset = _required(deviation, deviation.units if deviation.units == "degC" else "K", f"{name}: deviation")

    def junction() -> Quantity:
        return reference if isinstance(reference, Quantity) else reference.measure()

    def forward(signal: Quantity) -> Quantity:
        return _plus(known.temperature(signal, reference=junction()), offset.parts(), offset.value)

    def back(seen: Quantity) -> Quantity:
        return known.emf(_plus(seen, {}, -offset.value), reference=junction())

    settings = {"sensor": f"thermocouple of type {kind}"}
    return _sensor(meter, forward, back, signal="V", units="degC", settings=settings, name=name)


def load_cell(
    meter: Meter, transducer: ForceTransducer, *, supply: Quantity | Meter, zero: Quantity, name: str = "load_cell"
) -> Sensor:
    """Read a load cell with a strain gauge bridge.

    Parameters
    ----------
    meter:
        Measures the output of the bridge, V.
    transducer:
        Its calibration (`calibration.sensors.force_transducer`) with deflections in mV/V.
    supply:
        Of the bridge, V, or what measures it.
    zero:
        Output without force, measured with the same meter: errors that both readings share fall out.
    name:
        Prefix of its keys.

    Returns
    -------
    :
        In the units of the calibration forces: sources of the meter, supply, zero and calibration.

    Raises
    ------
    CalibrationError
        On reading, if the force lies outside the calibration.
    InstrumentError
        If the meter does not measure voltage, or zero, supply or deflections have other units.
    """
    nothing = _required(zero, "V", f"{name}: zero")
    if isinstance(supply, Quantity):
        _required(supply, "V", f"{name}: supply")
    if not unit_rules.same_dimension(transducer.runs.deflection_units, "mV/V"):
        msg = f"{name} needs a calibration with deflections in mV/V, got {transducer.runs.deflection_units!r}"
        raise InstrumentError(msg)

    def supplied() -> Quantity:
        return supply if isinstance(supply, Quantity) else supply.measure()

    def forward(signal: Quantity) -> Quantity:
        deflection = (signal - nothing).to("V") / supplied().to("V")
        return transducer.force(deflection.to(transducer.runs.deflection_units))

    def back(seen: Quantity) -> Quantity:
        return transducer.deflection(seen).to("1") * supplied() + nothing

    settings = {"sensor": "load cell", "zero": nothing.value, "zero_units": "V"}
    return _sensor(meter, forward, back, signal="V", units=transducer.runs.units, settings=settings, name=name)


def extensometer(meter: Meter, curve: CurveCalibration, *, zero: Quantity, name: str = "extensometer") -> Sensor:
    """Read an extensometer.

    Parameters
    ----------
    meter:
        Measures its output.
    curve:
        Its calibration: output against length.
    zero:
        Output where the extension is zero, measured with the same meter.
    name:
        Prefix of its keys.

    Returns
    -------
    :
        Extension, in the units of the lengths of the curve: sources of the meter, the zero and the calibration.

    Raises
    ------
    CalibrationError
        On reading, if the length lies outside the calibration.
    InstrumentError
        If the curve is not one of length, or the meter does not measure its output.
    """
    if not unit_rules.same_dimension(curve.of_units, "m"):
        msg = f"{name} needs a calibration of its output against length, got one against {curve.of_units!r}"
        raise InstrumentError(msg)
    return calibrated(meter, curve, zero=zero, name=name)


def calibrated(meter: Meter, curve: CurveCalibration, *, zero: Quantity | None = None, name: str = "sensor") -> Sensor:
    """Read a sensor with a calibration curve.

    Parameters
    ----------
    meter:
        Measures its output.
    curve:
        Its calibration: x is what it sees, y its output.
    zero:
        Output where what it sees is taken as zero; None reads the curve as it is.
    name:
        Prefix of its keys.

    Returns
    -------
    :
        In the units of x: sources of the meter, the zero and the calibration.

    Raises
    ------
    CalibrationError
        On reading, if it lies outside the calibration.
    InstrumentError
        If the meter does not measure what the curve gives.
    """
    start = None if zero is None else curve.inverse(_required(zero, curve.units, f"{name}: zero"))

    def forward(signal: Quantity) -> Quantity:
        found = curve.inverse(signal)
        return found if start is None else found - start

    def back(seen: Quantity) -> Quantity:
        found = curve.predict(seen.value if start is None else seen.value + start.value)
        return found if isinstance(found, Quantity) else found[0]

    settings = {"sensor": "calibration curve", "zero": None if zero is None else zero.value}
    return _sensor(meter, forward, back, signal=curve.units, units=curve.of_units, settings=settings, name=name)


def _sensor(
    meter: Meter, forward: Way, back: Way, *, signal: str, units: str, settings: Mapping[str, Any], name: str
) -> Sensor:
    ways = _Ways(forward=forward, back=back)
    return Sensor(meter, Kind(linearisation=ways, signal=signal, units=units, settings=settings), name=name)


def _plus(found: Quantity, parts: Mapping[Any, float], value: float = 0.0) -> Quantity:
    """Add to a temperature what its sensor is off; degC is no unit that adds."""
    total = dict(found.parts())
    for source, part in parts.items():
        total[source] = total.get(source, 0.0) + part
    return Quantity.from_components(
        found.value + value, total, units=found.units, label=found.label, history=found.history
    )


def _required(given: Quantity, units: str, what: str) -> Quantity:
    something: object = given
    if not isinstance(something, Quantity) or not unit_rules.same_dimension(something.units, units):
        got = something.units if isinstance(something, Quantity) else type(something).__name__
        msg = (
            f"{what} must be a Quantity in {units}, got {got}; write uncertainty.Quantity(value=..., u=..., units=...)"
        )
        raise InstrumentError(msg)
    return something if something.units == units else something.to(units)


def _got(grade: str | None) -> str:
    return "neither" if grade is None else "both"
