"""What every sensor does with a quantity: take it in its units, refuse what lies outside, give one back.

Not here: the functions of the sensors.
"""

from collections.abc import Mapping, Sequence

from analysis.core import CalibrationError, history
from analysis.core import units as unit_rules
from analysis.uncertainty import Quantity, Source

__all__ = ["backward", "combined", "forward", "made", "require_inside", "taken"]

Terms = Sequence[tuple[float, Quantity]]


def taken(given: Quantity, units: str, what: str) -> Quantity:
    """Return a quantity in the units of a sensor.

    Parameters
    ----------
    given:
        Perhaps in other units.
    units:
        Of the sensor.
    what:
        Its name in errors.

    Returns
    -------
    :
        The same quantity with the same sources.

    Raises
    ------
    CalibrationError
        If it is no Quantity, or its units do not convert.
    """
    something: object = given
    if not isinstance(something, Quantity):
        msg = (
            f"the {what} must be a Quantity, so that its uncertainty is known; got {type(something).__name__}. Write "
            f"uncertainty.Quantity(value=..., u=..., units={units!r})"
        )
        raise CalibrationError(msg)
    if not unit_rules.same_dimension(given.units, units):
        msg = f"the {what} must be in {units!r}, got {given.units!r}"
        raise CalibrationError(msg)
    return given if given.units == units else given.to(units)


def require_inside(
    value: float, low: float, high: float, what: str, *, where: str = "where the reference function is defined"
) -> None:
    """Refuse a value outside the range of a sensor.

    Parameters
    ----------
    value, low, high:
        In one unit.
    what:
        Name and units, for the error.
    where:
        Why there is such a range, for the error.

    Raises
    ------
    CalibrationError
        If it lies outside.
    """
    if not low <= value <= high:
        msg = f"{what} {value:g} lies outside [{low:g}, {high:g}], {where}"
        raise CalibrationError(msg)


def combined(*terms: tuple[float, Quantity]) -> dict[Source, float]:
    """Add the contributions of quantities, each times its sensitivity.

    Parameters
    ----------
    terms:
        Pairs of sensitivity and quantity.

    Returns
    -------
    :
        Contribution by source.
    """
    total: dict[Source, float] = {}
    for sensitivity, quantity in terms:
        for source, part in quantity.parts().items():
            total[source] = total.get(source, 0.0) + sensitivity * part
    return total


def made(
    value: float, components: Mapping[Source, float], units: str, *, step: str, sensor: str,
    inputs: Mapping[str, Quantity],
) -> Quantity:  # fmt: skip
    """Return the result of a sensor with its history.

    Parameters
    ----------
    value, components, units:
        As in `Quantity.from_components`.
    step, sensor:
        What was done, by which sensor.
    inputs:
        The quantities it came from.

    Returns
    -------
    :
        The quantity.
    """
    said = history.extend(f"calibration.sensors.{step}", settings={"sensor": sensor}, inputs=dict(inputs))
    return Quantity.from_components(value, components, units=units, label=step, history=said)


def forward(
    value: float, units: str, *, slope: float, given: Quantity, own: Terms, step: str, sensor: str,
    inputs: Mapping[str, Quantity],
) -> Quantity:  # fmt: skip
    """Return f(given; own), the function of a sensor.

    Parameters
    ----------
    value, units:
        Of the function.
    slope:
        Its derivative by what is given.
    given:
        In the units of the sensor.
    own:
        Its derivatives by the coefficients of the sensor, with them.
    step, sensor, inputs:
        As in `made`.

    Returns
    -------
    :
        The value with the sources of all.
    """
    return made(value, combined((slope, given), *own), units, step=step, sensor=sensor, inputs=inputs)


def backward(
    found: float, units: str, *, slope: float, given: Quantity, own: Terms, step: str, sensor: str,
    inputs: Mapping[str, Quantity],
) -> Quantity:  # fmt: skip
    """Return where the function of a sensor has a given value.

    Parameters
    ----------
    found, units:
        The place.
    slope, own:
        Derivatives of the function there, as in `forward`.
    given:
        The value, in the units of the sensor.
    step, sensor, inputs:
        As in `made`.

    Returns
    -------
    :
        The place with the sources of all.
    """
    terms = [(-sensitivity / slope, quantity) for sensitivity, quantity in own]
    return made(found, combined((1.0 / slope, given), *terms), units, step=step, sensor=sensor, inputs=inputs)
