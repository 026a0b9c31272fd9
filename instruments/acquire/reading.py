"""What a device brings at one moment: numbers with their noise, arrays, and the errors that all its readings share.

Not here: when and where it is read (`instruments.acquire.tasks`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import InstrumentError
from analysis.uncertainty import Quantity
from analysis.uncertainty.sources import Source
from instruments.protocols import Controller, Device, Frame, Meter
from instruments.shots import Axis, Channel

__all__ = ["Taken", "read"]

NOISE = "noise"


@dataclass(frozen=True, kw_only=True, eq=False)
class Taken:
    """What some devices brought at one moment."""

    channels: tuple[Channel, ...] = ()
    """What there is."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """By channel."""
    parts: Mapping[str, Mapping[Source, float]] = field(default_factory=dict)
    """By channel, contributions that readings share."""
    coordinates: tuple[Axis, ...] = ()
    """Along the dims of arrays."""


def read(devices: Sequence[Device], *, readings: int) -> Taken:
    """Read devices, one after the other.

    Parameters
    ----------
    devices:
        Meters, controllers, frames, and whatever has `acquire()` or `quantities()`.
    readings:
        Of each meter, averaged.

    Returns
    -------
    :
        Numbers `<name>` with `u_<name>`, their noise, unless they are exact. Of the only device that takes arrays
        `signal` and `u_signal` along `channel`; where there are several `<name>` along `<name>_channel`.
    """
    arrays = [device for device in devices if hasattr(device, "acquire")]
    each = [_array(d, alone=len(arrays) == 1) if d in arrays else _numbers(d, readings) for d in devices]
    return Taken(
        channels=tuple(channel for taken in each for channel in taken.channels),
        values={key: value for taken in each for key, value in taken.values.items()},
        parts={key: value for taken in each for key, value in taken.parts.items()},
        coordinates=tuple(axis for taken in each for axis in taken.coordinates),
    )


def _array(device: Any, *, alone: bool) -> Taken:  # noqa: ANN401 - whatever has `acquire`
    found: xr.Dataset = device.acquire()
    name, dim = ("signal", "channel") if alone else (device.name, f"{device.name}_channel")
    renamed = {"signal": name, "u_signal": f"u_{name}"}
    return Taken(
        channels=tuple(
            Channel(name=renamed[old], units=str(found[old].attrs["units"]), dims=(dim,), shape=found[old].shape)
            for old in renamed if old in found
        ),
        values={renamed[old]: found[old].values for old in renamed if old in found},
        coordinates=tuple(
            Axis(
                name=str(key) if alone else f"{device.name}_{key}", values=axis.values, dim=dim,
                units=str(axis.attrs["units"]),
                attrs={str(k): str(v) for k, v in axis.attrs.items() if k != "units"},
            )
            for key, axis in found.coords.items()
        ),
    )  # fmt: skip


def _numbers(device: Device, readings: int) -> Taken:
    quantities = _quantities(device, readings)
    if quantities is None:
        return _bare(device)
    values: dict[str, float] = {}
    parts: dict[str, dict[Source, float]] = {}
    for name, quantity in quantities.items():
        lasting = _lasting(device, quantity)
        own = {
            source: part for source, part in quantity.parts().items()
            if (NOISE in source.tags or source.kind == "A") and source not in lasting
        }  # fmt: skip
        parts[name] = {source: part for source, part in quantity.parts().items() if source not in own}
        noise = {f"u_{name}": float(np.hypot.reduce([*own.values(), 0.0]))} if quantity.u else {}
        values |= {name: quantity.value, **noise}
    dof = {"dof": readings - 1} if readings > 1 else {}
    channels = tuple(
        Channel(name=f"{prefix}{name}", units=quantity.units, attrs=attrs)
        for name, quantity in quantities.items() for prefix, attrs in (("", {}), ("u_", dof))
        if f"{prefix}{name}" in values
    )  # fmt: skip
    return Taken(channels=channels, values=values, parts=parts)


def _lasting(device: Any, quantity: Quantity) -> frozenset[Source]:  # noqa: ANN401 - a sensor, or a loop over one
    return device.lasting(quantity) if quantity.u and hasattr(device, "lasting") else frozenset()


def _quantities(device: Any, readings: int) -> Mapping[str, Quantity] | None:  # noqa: ANN401 - any device
    if hasattr(device, "quantities"):
        found: Mapping[str, Quantity] = device.quantities()
        return found
    if isinstance(device, Meter):
        return {device.name: device.quantity([device.reading() for _ in range(readings)])}
    if isinstance(device, Frame):
        names = ("force", "extension", "position")
        return {name: getattr(device, name)() for name in names}
    return {device.name: device.measure()} if isinstance(device, Controller) else None


def _bare(device: Device) -> Taken:
    """Read a device that says nothing of its uncertainty."""
    keys, found = device.describe(), device.read()
    if any(key["shape"] for key in keys.values()):
        msg = f"{device.name} brings arrays without axes; give it acquire(), which returns a spectrum"
        raise InstrumentError(msg)
    return Taken(
        channels=tuple(Channel(name=name, units=key["units"]) for name, key in keys.items()),
        values={name: float(found[name]["value"]) for name in keys},
    )
