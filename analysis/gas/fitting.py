"""Temperature, pressures and amount of a gas from one global fit over spectra at several pressures, with budgets.

The spectra stand one after the other in one fit of `analysis.peaks`, whose second axis says which record a channel is
of. What molecular data, path and a held temperature do to the results follows from the same derivatives.
Not here: the physics (`analysis.gas.transmittance`), checks of what comes in (`analysis.gas.door`).
References: Benner et al., JQSRT 53 (1995) 705, doi:10.1016/0022-4073(95)00015-D (fits of several spectra together).
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import lmfit
import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import peaks
from analysis.core import CHANNEL, history
from analysis.gas.band import REFERENCE, Band, Numbers
from analysis.gas.door import require_absorption, require_path, require_records, require_temperature
from analysis.gas.interferometer import Interferometer
from analysis.gas.transmittance import Conditions, Grid, grid_of
from analysis.uncertainty import Budget, Quantity, Source, distributions, propagate

__all__ = ["GasFit", "fit"]

Floats = npt.NDArray[np.float64]
STEP = 1e-20
KEPT = 64
USUAL = 500.0
RECTANGULAR = 3.0**-0.5
HITRAN = "bounds that HITRAN states, doi:10.1016/j.jqsrt.2021.107949"
BOUNDS = {
    "width": (1.0, 0.02, "widths of {} in air", HITRAN),
    "own": (1.0, 0.05, "widths of {} by itself", HITRAN),
    "exponent": (0.0, 0.035, "exponents of {} widths", HITRAN),
    "trend": (0.0, 0.0025, "ratios of {} strengths", "judged: well within the bound of 1 to 2 % of each strength"),
}
"""What factors of the molecular data are taken to be, the half-width of their bounds, and who says so."""
UNITS = {"temperature": "K", "fraction": "1", "pressure": "hPa", "shift": "cm-1"}


@dataclass(frozen=True, kw_only=True)
class GasFit:
    """What a band tells about a gas."""

    temperature: Budget
    """K."""
    fraction: Budget
    """Amount of the molecule over that of all gas."""
    pressures: tuple[Budget, ...]
    """Of each record, hPa."""
    shifts: tuple[Budget, ...]
    """Of all lines of each record, cm-1: shift by pressure and error of the axis together."""
    fit: xr.Dataset
    """As `peaks.fit` returns it, of all records one after the other."""
    curves: xr.Dataset
    """`signal`, `model` and `residual` (over `u_signal` if there is one), dims `(record, channel)`."""

    def __str__(self) -> str:
        """Say the results in lines."""
        return "\n".join(str(each) for each in (self.temperature, self.fraction, *self.pressures))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Joint:
    """All records as one function of all parameters."""

    grid: Grid
    path: float
    records: int
    known: Mapping[str, float] = field(default_factory=dict)
    memory: dict[tuple[Any, ...], Numbers] = field(default_factory=dict)

    def names(self) -> list[str]:
        own = [f"{each}_{k}" for k in range(self.records) for each in ("pressure", "shift", "level", "slope")]
        return ["temperature", "fraction", *own]

    def __call__(self, given: Mapping[str, complex], **facts: complex) -> Numbers:
        """Evaluate all channels of all records; `facts` replace what is known."""
        across = np.linspace(-1.0, 1.0, self.grid.channels)
        rows = []
        for k in range(self.records):
            seen = self._clear(given, k, facts)
            rows.append((given[f"level_{k}"] + given[f"slope_{k}"] * across) * seen)
        return np.concatenate(rows)

    def _clear(self, given: Mapping[str, complex], k: int, facts: Mapping[str, complex]) -> Numbers:
        factors = {**self.known, **facts}
        path = self.path * factors.pop("path", 1.0)
        state = (given["temperature"], given[f"pressure_{k}"], given["fraction"], given[f"shift_{k}"])
        key = (*state, path, *factors.items())
        if key not in self.memory:
            if len(self.memory) >= KEPT:
                self.memory.pop(next(iter(self.memory)))
            gas = Conditions(
                temperature=state[0], pressure=state[1], fraction=state[2], shift=state[3], **factors
            )  # fmt: skip
            self.memory[key] = self.grid.transmitted(gas, path)
        return self.memory[key]

    def slope(self, values: Mapping[str, float], name: str) -> Floats:
        """Differentiate to a parameter or to what is taken as known."""
        at = values[name] if name in values else BOUNDS[name][0] if name in BOUNDS else 1.0
        step = STEP * (abs(at) or 1.0)
        moved = {name: at + 1j * step}
        seen = self({**values, **moved}) if name in values else self(values, **moved)
        return np.asarray(seen.imag / step)


def fit(
    spectra: xr.Dataset,
    band: Band,
    *,
    path: Quantity,
    interferometer: Interferometer,
    temperature: Quantity | None = None,
) -> GasFit:
    """Fit one gas at one or several pressures: one temperature and amount, and a pressure for each record.

    Parameters
    ----------
    spectra:
        Transmittance against `wavenumber` in cm-1, dims `(channel,)` or `(record, channel)`, with `u_signal` where it
        is known. A coordinate `pressure` (hPa) along `record` tells where to begin.
    band:
        From `band(name)`.
    path:
        Through the gas, a length.
    interferometer:
        What measured it.
    temperature:
        Measured, K: it is held and its u carried. None fits it.

    Returns
    -------
    :
        Budgets of noise, molecular data and path. Each record has its own shift of the lines and a background that is
        a straight line. Widths of lines are in the budget as one factor for all lines.

    Raises
    ------
    SpectrumError
        If this is no transmittance against wavenumber, nothing absorbs, or most lines are black.
    CalibrationError
        If no line of the band lies in the range, or path or temperature are not what they should be.
    UncertaintyError
        If the fit does not determine a result.
    """
    dataset, nominal = require_records(spectra, usual=USUAL)
    x = np.asarray(dataset["wavenumber"].values, dtype=float)
    length = require_path(path)
    start = REFERENCE if temperature is None else require_temperature(temperature)
    grid = grid_of(x, band, interferometer)
    rows = np.asarray(dataset["signal"].values, dtype=float)
    require_absorption(x, rows, band.lines(x[0], x[-1])["wavenumber"].values, interferometer.path_difference)
    joint = _Joint(grid=grid, path=length.value, records=len(rows))
    params = _start(joint, rows, nominal, start, held=temperature is not None)
    fitted = peaks.fit(_one_after_other(dataset, x), _model(joint), params, axis=["wavenumber", "record_number"])
    return _results(joint, dataset, fitted, _facts(band, length, temperature), held=temperature)


def _model(joint: _Joint) -> lmfit.Model:
    def transmitted(wavenumber: Floats, record_number: Floats, **given: complex) -> Numbers:  # noqa: ARG001
        return joint({name: np.asarray(value).item() for name, value in given.items()})

    # lmfit reads the parameters from the signature, and how many there are is known only here.
    taken = ["wavenumber", "record_number", *joint.names()]
    plain = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in taken]
    transmitted.takes_complex = True  # type: ignore[attr-defined]
    transmitted.__signature__ = inspect.Signature(plain)  # type: ignore[attr-defined]
    return lmfit.Model(transmitted, independent_vars=taken[:2])


def _start(joint: _Joint, rows: Floats, nominal: Floats, temperature: float, *, held: bool) -> lmfit.Parameters:
    params = lmfit.Parameters()
    levels = np.nanquantile(rows, 0.95, axis=1)
    first = {f"pressure_{k}": float(p) for k, p in enumerate(nominal)} | {"temperature": temperature}
    first |= {f"shift_{k}": 0.0 for k in range(joint.records)} | {f"slope_{k}": 0.0 for k in range(joint.records)}
    first |= {f"level_{k}": float(level) for k, level in enumerate(levels)}
    first["fraction"] = _amount(joint, first, float(np.nanmean(rows)))
    for name in joint.names():
        params.add(name, value=first[name])
    params["temperature"].set(min=50.0, max=2000.0, vary=not held)
    params["fraction"].set(min=0.0, max=1.0)
    for k in range(joint.records):
        params[f"pressure_{k}"].set(min=1e-3, max=1e5)
    return params


def _amount(joint: _Joint, first: Mapping[str, float], seen: float) -> float:
    """Halve the logarithm of the amount until the mean transmittance is that seen."""
    low, high = -9.0, 0.0
    for _ in range(12):
        middle = 0.5 * (low + high)
        mean = float(np.real(joint({**first, "fraction": 10.0**middle})).mean())
        low, high = (middle, high) if mean > seen else (low, middle)
    return float(10.0 ** (0.5 * (low + high)))


def _one_after_other(dataset: xr.Dataset, x: Floats) -> xr.Dataset:
    count = dataset.sizes["record"]
    made = {
        name: (CHANNEL, dataset[name].values.reshape(-1), dict(dataset[name].attrs))
        for name in ("signal", "u_signal")
        if name in dataset
    }
    return xr.Dataset(
        made,
        coords={
            "wavenumber": (CHANNEL, np.tile(x, count), {"units": "cm-1"}),
            "record_number": (CHANNEL, np.repeat(np.arange(count, dtype=float), x.size), {"units": "1"}),
        },
    )


def _facts(band: Band, path: Quantity, temperature: Quantity | None) -> list[tuple[str, dict[Source, float]]]:
    """Return what the model takes as known: the name of its factor, and what each source moves it by."""
    relative = {"strength": band.facts["strength"], "path": path}
    facts = [
        (name, {source: part / each.value for source, part in (each.components or {}).items()})
        for name, each in relative.items()
    ]
    for name, (_, bound, said, origin) in BOUNDS.items():
        label = said.format(band.molecule)
        source = Source(
            id=f"gas:{label}", label=label, distribution=distributions.rectangular(), origin=origin,
            tags=("molecular data",),
        )  # fmt: skip
        facts.append((name, {source: bound * RECTANGULAR}))
    if temperature is not None:
        facts.append(("temperature", dict(temperature.components or {})))
    return facts


def _results(
    joint: _Joint,
    dataset: xr.Dataset,
    fitted: xr.Dataset,
    facts: list[tuple[str, dict[Source, float]]],
    *,
    held: Quantity | None,
) -> GasFit:
    names = [str(name) for name in fitted["parameter"].values]
    values = {name: float(fitted["value"].sel(parameter=name)) for name in names}
    free = [name for name in names if not (held is not None and name == "temperature")]
    sigma = dataset["u_signal"].values.reshape(-1) if "u_signal" in dataset else np.ones(dataset["signal"].size)
    usable = np.isfinite(dataset["signal"].values.reshape(-1)) & np.isfinite(sigma)
    moved = _moved(joint, values, free, facts, np.where(usable, 1.0 / np.where(usable, sigma, 1.0), 0.0))

    def budget(name: str, label: str) -> Budget:
        kind = name.partition("_")[0]
        found = peaks.quantity(fitted, name)
        parts = dict(found.components or {})
        for source, shifts in moved.items():
            parts[source] = parts.get(source, 0.0) + shifts[free.index(name)]
        named = Quantity.from_components(found.value, parts, units=UNITS[kind], label=label, history=found.history)
        return propagate("value", {"value": named}, name=label, units=UNITS[kind])

    warm = (
        budget("temperature", "temperature")
        if held is None
        else propagate("value", {"value": held}, name="temperature", units="K")
    )
    count = range(joint.records)
    made = GasFit(
        temperature=warm,
        fraction=budget("fraction", f"amount fraction of {joint.grid.band.molecule}"),
        pressures=tuple(budget(f"pressure_{k}", f"pressure of record {k}") for k in count),
        shifts=tuple(budget(f"shift_{k}", f"shift of record {k}") for k in count),
        fit=fitted,
        curves=_curves(joint, dataset, values),
    )
    joint.memory.clear()
    joint.grid.memory.clear()
    return made


def _moved(
    joint: _Joint,
    values: Mapping[str, float],
    free: list[str],
    facts: list[tuple[str, dict[Source, float]]],
    weight: Floats,
) -> dict[Source, Floats]:
    """Compute how far each source of what is taken as known moves each free parameter."""
    columns = [joint.slope(values, name) for name in free]
    design = np.stack(columns, axis=1) * weight[:, None]
    size = np.linalg.norm(design, axis=0)
    moved: dict[Source, Floats] = {}
    for name, parts in facts:
        change = joint.slope(values, name)
        answer = -np.linalg.lstsq(design / size, change * weight, rcond=None)[0] / size
        for source, part in parts.items():
            moved[source] = moved.get(source, 0.0) + answer * part
    return moved


def _curves(joint: _Joint, dataset: xr.Dataset, values: Mapping[str, float]) -> xr.Dataset:
    shape = dataset["signal"].shape
    model = np.real(joint(values)).reshape(shape)
    residual = (dataset["signal"].values - model) / (dataset["u_signal"].values if "u_signal" in dataset else 1.0)
    made = dataset[["signal"]].assign(
        model=(("record", CHANNEL), model, {"units": "1"}), residual=(("record", CHANNEL), residual, {"units": "1"})
    )
    return history.record(made, "gas.fit", settings={"band": joint.grid.band.name}, inputs={"spectra": dataset})
