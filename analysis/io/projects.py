"""Reading what is not one spectrum: project files and calibrations.

Not here: spectra (`analysis.io.reading`), writing (`analysis.io.writing`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from analysis.core import FormatError
from analysis.io import dcc, hdf5, registry, sniff

if TYPE_CHECKING:
    from analysis.calibration import (
        AxisCalibration,
        CurveCalibration,
        LinearityCalibration,
        ResolutionFunction,
        ResponseCalibration,
        StrayLightCalibration,
        TransferCalibration,
    )

    Spectral = (
        LinearityCalibration | ResolutionFunction | ResponseCalibration | StrayLightCalibration | TransferCalibration
    )

_ARRAY = "DataArray"
_TEXT = "text"
_SPECTRAL = (
    "LinearityCalibration",
    "ResolutionFunction",
    "ResponseCalibration",
    "StrayLightCalibration",
    "TransferCalibration",
)


def read_project(path: str | Path) -> dict[str, Any]:
    """Read all items of a project file, or the one item of any file that `analysis.io.write` made.

    Parameters
    ----------
    path:
        The file.

    Returns
    -------
    :
        Name to item, in the order in which they were written: Datasets, DataArrays, texts, budgets and calibrations
        come back as what they were; anything else as the Dataset it was written as. So does a curve of a function of
        your own, for `CurveCalibration.from_dataset(dataset, function=...)`.

    Raises
    ------
    FormatError
        If the file is not such a file, or damaged.
    """
    source = _require_hdf5(path)
    items = hdf5.read_all(source).items()
    return {
        name: dataset if _wants_function(note, dataset) else _revive(note, dataset) for name, (note, dataset) in items
    }


def read_calibration(
    path: str | Path, *, function: Callable[..., Any] | None = None
) -> "AxisCalibration | CurveCalibration | Spectral":
    """Read a calibration from a file that `analysis.io.write` made, or from a digital certificate that holds one.

    Parameters
    ----------
    path:
        A netCDF file with one calibration, a project file with exactly one among its items, or a DCC (XML) that
        `report.certificate(calibration, format="dcc")` made.
    function:
        The Python function of a curve that was fitted with one: the file has only its name, and it is checked that it
        gives the same values.

    Returns
    -------
    :
        The calibration, with its sources.

    Raises
    ------
    FormatError
        If the file holds no calibration or more than one, or a certificate states other parameters than those of the
        calibration that it carries.
    """
    source = sniff.require_file(path)
    if sniff.is_xml(source):
        return _certified(source, function)
    _require_hdf5(source)
    items = hdf5.read_all(source)
    found = [name for name, (note, _) in items.items() if note in _CALIBRATIONS]
    if len(found) != 1:
        held = {name: note for name, (note, _) in items.items()}
        msg = (
            f"{source.name!r} holds {len(found)} calibrations, wanted one; its items are {held}. Write one with "
            "io.write(calibration.fit_axis(...), path), or choose from io.read_project(path)"
        )
        raise FormatError(msg)
    note, dataset = items[found[0]]
    if function is not None:
        if note != "CurveCalibration":
            msg = f"{source.name!r} holds an {note}, which needs no function; leave function out"
            raise FormatError(msg)
        return _curve_calibration(dataset, function)
    revived: AxisCalibration | CurveCalibration | Spectral = _revive(note, dataset)
    return revived


def _certified(path: Path, function: Callable[..., Any] | None) -> "AxisCalibration | CurveCalibration":
    dataset, stated = dcc.calibration_in(path), dcc.read_certificate(path)
    note = str(dataset.attrs.get("kind", ""))
    wanted = [name for name in _CALIBRATIONS if name not in _SPECTRAL]
    if note not in wanted:
        msg = f"the certificate {path.name!r} carries a {note!r}; wanted one of {wanted}"
        raise FormatError(msg)
    revived: AxisCalibration | CurveCalibration
    revived = _curve_calibration(dataset, function) if function is not None else _CALIBRATIONS[note](dataset)
    for each in revived.parameters:
        found = stated.results.get(each.label, ())
        if len(found) != 1 or abs(found[0].value - each.value) > 1e-9 * abs(each.value):
            msg = f"{path.name!r} does not state {each.label} = {each}, which its calibration has; it was altered"
            raise FormatError(msg)
    return revived


def _wants_function(note: str, dataset: xr.Dataset) -> bool:
    return note == "CurveCalibration" and dataset.attrs.get("family") == "function"


def _require_hdf5(path: str | Path) -> Path:
    source = sniff.require_file(path)
    kind = registry.identify(source)
    if kind != "netcdf":
        msg = f"{source.name!r} is {kind}, wanted a file that io.write made. Read it with io.read(path)"
        raise FormatError(msg)
    return source


def _revive(note: str, dataset: xr.Dataset) -> Any:  # noqa: ANN401 - whatever was written
    kind, _, name = note.partition(":")
    if kind == _ARRAY:
        return dataset[name or "signal"].rename(name or None)
    if kind == _TEXT:
        return str(dataset[_TEXT].item())
    maker = {**_CALIBRATIONS, "Budget": _budget}.get(kind)
    return dataset if maker is None else maker(dataset)


def _axis_calibration(dataset: xr.Dataset) -> Any:  # noqa: ANN401 - imported below
    from analysis.calibration import AxisCalibration  # noqa: PLC0415 - loads lmfit and numba, which spectra do not need

    return AxisCalibration.from_dataset(dataset)


def _curve_calibration(dataset: xr.Dataset, function: Callable[..., Any] | None = None) -> Any:  # noqa: ANN401 - as above
    from analysis.calibration import CurveCalibration  # noqa: PLC0415 - as above

    return CurveCalibration.from_dataset(dataset, function=function)


def _spectral_calibration(dataset: xr.Dataset) -> Any:  # noqa: ANN401 - as above
    from analysis import calibration  # noqa: PLC0415 - as above

    name = "ResolutionFunction" if "resolution" in dataset.attrs else str(dataset.attrs["kind"])
    return getattr(calibration, name).from_dataset(dataset)


def _budget(dataset: xr.Dataset) -> Any:  # noqa: ANN401 - imported below
    from analysis.uncertainty import Budget  # noqa: PLC0415 - loads scipy.stats, which spectra do not need

    return Budget.from_dataset(dataset)


_CALIBRATIONS: dict[str, Callable[[xr.Dataset], Any]] = {
    "AxisCalibration": _axis_calibration,
    "CurveCalibration": _curve_calibration,
    **dict.fromkeys(_SPECTRAL, _spectral_calibration),
}
