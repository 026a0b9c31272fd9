"""`python -m analysis FILE… --out DIR`: raw files in; results, tables and a report out.

Not here: what is done with a spectrum (`analysis.analyse`).
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from analysis import io, report
from analysis.analyse import BASELINES, MODELS, Analysis, Settings, analyse, calibrate
from analysis.calibration import AxisCalibration
from analysis.core import CHANNEL, MetrospecError
from analysis.uncertainty import format_value

_TABLES = ("peaks.csv", "peaks.xlsx", "report.html")
_SHOWN = ("center", "fwhm")


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One file and what came of it."""

    path: Path
    raw: xr.Dataset
    done: Analysis


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments:
        As on the command line; None takes those of the process.

    Returns
    -------
    :
        0, or 1 if a file could not be analysed or written.
    """
    given = _parser().parse_args(arguments)
    folder = Path(given.out)
    targets = _targets(given.files, folder)
    try:
        _require_free(
            [*targets.values(), *(folder / name for name in _TABLES)],
            raw=[*given.files, *(path for path in (given.lamp, given.silicon) if path)],
            force=given.force,
        )
        settings = _settings(given)
        calibration, lamps = _calibration(given, settings)
        folder.mkdir(parents=True, exist_ok=True)
    except (MetrospecError, OSError) as error:
        return _fail(f"nothing was done: {error}")
    failed, jobs = 0, []
    for path, target in targets.items():
        try:
            job = _analyse(path, given, settings, calibration)
            _write_one(job, target, calibration, lamps)
        except (ValueError, OSError, MemoryError) as error:
            failed |= _fail(f"{path}: {error}")
        else:
            jobs.append(job)
            _tell(job, target)
            failed |= _fail(f"{path}: the fit failed; see the notes") if job.done.failed else 0
    return (_write_all(jobs, folder, calibration, lamps) if jobs else 1) | failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description="Raw spectra in; results, tables and a report out."
    )
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="spectrum or map, of any format that io.read knows")
    add("--out", required=True, metavar="DIR", help="folder for the results; made if it is not there")
    add("--force", action="store_true", help="replace results that are there")
    add("--lamp", type=Path, metavar="FILE", help="spectrum of a calibration lamp")
    add("--lines", default="Ne", metavar="NAME", help="its lines: Ne, Ar or Hg (default Ne)")
    add("--lines-range", nargs=2, type=float, metavar=("LOW", "HIGH"), help="nm; default: the axis of the lamp's file")
    add("--degree", type=int, default=3, help="of the calibration polynomial (default 3)")
    add("--silicon", type=Path, metavar="FILE", help="spectrum of silicon: gives the laser wavelength")
    add("--laser", type=float, metavar="NM", help="laser wavelength; nominal with --silicon, else with --laser-u")
    add("--laser-u", type=float, metavar="NM", help="its standard uncertainty")
    add("--axis", metavar="NAME", help="axis to fit on; with --units the name of an axis that the file does not name")
    add("--units", metavar="UNITS", help="units of an axis that the file does not name, such as cm-1")
    add("--range", nargs=2, type=float, metavar=("LOW", "HIGH"), help="range of the axis to fit (default all)")
    add("--peaks", type=int, metavar="N", help="how many (default: those that stand out of the noise)")
    add("--model", default="lorentzian", choices=list(MODELS), help="line shape (default lorentzian)")
    add("--baseline", default="arpls", choices=[*BASELINES, "none"], help="method (default arpls)")
    return parser


def _settings(given: argparse.Namespace) -> Settings:
    low, high = given.range or (-np.inf, np.inf)
    lines_low, lines_high = given.lines_range or (None, None)
    return Settings(
        axis=given.axis, low=low, high=high, peaks=given.peaks, model=given.model, baseline=given.baseline,
        lines=given.lines, lines_low=lines_low, lines_high=lines_high, degree=given.degree,
        laser=given.laser, laser_u=given.laser_u,
    )  # fmt: skip


def _targets(files: Sequence[Path], folder: Path) -> dict[Path, Path]:
    found: dict[Path, Path] = {}
    for path in dict.fromkeys(files):
        names = {target.name.lower() for target in found.values()}
        number, name = 1, f"{path.stem}_results.nc"
        while name.lower() in names:
            number += 1
            name = f"{path.stem}_{number}_results.nc"
        found[path] = folder / name
    return found


def _require_free(targets: Sequence[Path], *, raw: Sequence[Path], force: bool) -> None:
    lost = {target.resolve() for target in targets} & {path.resolve() for path in raw}
    if lost:
        msg = f"{sorted(path.name for path in lost)} would replace raw files of the same name; choose another folder"
        raise MetrospecError(msg)
    there = [target.name for target in targets if target.exists()]
    if there and not force:
        msg = f"{there} are in {str(targets[0].parent)!r} already; choose another folder, or replace them with --force"
        raise MetrospecError(msg)


def _calibration(given: argparse.Namespace, settings: Settings) -> tuple[AxisCalibration | None, dict[str, xr.Dataset]]:
    if given.lamp is None:
        if given.silicon is not None or given.laser is not None:
            msg = "--silicon and --laser belong to a calibration; give its lamp spectrum too: --lamp FILE"
            raise MetrospecError(msg)
        return None, {}
    used = {
        name: io.require_one(io.read(path)) for name, path in (("lamp", given.lamp), ("silicon", given.silicon)) if path
    }
    return calibrate(used["lamp"], settings=settings, silicon=used.get("silicon")), used


def _analyse(path: Path, given: argparse.Namespace, settings: Settings, calibration: AxisCalibration | None) -> _Job:
    raw = io.require_one(io.read(path))
    named = raw
    if given.units and given.axis and given.axis not in raw.coords:
        named = io.name_axis(raw, name=given.axis, units=given.units)
    return _Job(path=path, raw=raw, done=analyse(named, settings, calibrated_by=calibration))


def _write_one(job: _Job, target: Path, calibration: AxisCalibration | None, lamps: Mapping[str, xr.Dataset]) -> None:
    project: dict[str, object] = {"raw": job.raw, **lamps, "fit": job.done.fit}
    io.write(project if calibration is None else project | {"calibration": calibration}, target)


def _tell(job: _Job, target: Path) -> None:
    print(f"{job.path.name}:")
    for line in _lines(job.done):
        print(f"  {line}")
    for note in job.done.notes:
        print(f"  note: {note}")
    print(f"  wrote {target}")


def _lines(done: Analysis) -> list[str]:
    if done.quantities:
        names = dict.fromkeys(name.split("_", 1)[0] for name in done.quantities)
        return [
            f"{peak}  "
            + ", ".join(
                f"{what} {done.quantities[f'{peak}_{what}']}" for what in _SHOWN if f"{peak}_{what}" in done.quantities
            )
            for peak in names
        ]
    table = report.table(done.fit)
    total = done.fit["status"].size
    rows = table[table["parameter"].str.endswith(_SHOWN[0]) & np.isfinite(table["u"])]
    return [_median(str(name), part, total) for name, part in rows.groupby("parameter", sort=False)]


def _median(name: str, rows: pd.DataFrame, total: int) -> str:
    peak, what = name.split("_", 1)
    pair = format_value(float(rows["value"].median()), float(rows["u"].median()))
    units = rows["units"].iloc[0]
    return f"{peak}  {what} {pair} {units} (k = 1, of one spectrum), median of {len(rows)} of {total} spectra"


def _write_all(
    jobs: Sequence[_Job], folder: Path, calibration: AxisCalibration | None, lamps: Mapping[str, xr.Dataset]
) -> int:
    table = pd.concat([report.table(job.done.fit).assign(file=job.path.name) for job in jobs], ignore_index=True)
    table = table[["file", *(name for name in table.columns if name != "file")]]
    makers: dict[str, Callable[[], str | bytes]] = {
        "peaks.csv": lambda: report.csv(table),
        "peaks.xlsx": lambda: report.xlsx({"peaks": table}),
        "report.html": lambda: _page(jobs, calibration, lamps),
    }
    failed = 0
    for name, make in makers.items():
        try:
            io.write(make(), folder / name)
            print(f"wrote {folder / name}")
        except (MetrospecError, OSError, ImportError) as error:
            failed |= _fail(f"{name} was not written: {error}")
    return failed


def _page(jobs: Sequence[_Job], calibration: AxisCalibration | None, lamps: Mapping[str, xr.Dataset]) -> str:
    several = len(jobs) > 1
    particulars = {"files": ", ".join(job.path.name for job in jobs)}
    if calibration is not None:
        particulars |= {f"calibration: {name}": text for name, text in calibration.summary().items()}
    figures, said = _figures(jobs, calibration, lamps)
    notes = [f"{job.path.name}: {note}" if several else note for job in jobs for note in job.done.notes]
    return report.html(
        _results(jobs),
        title=f"Analysis of {jobs[0].path.name}" + (f" and {len(jobs) - 1} more" if several else ""),
        particulars=particulars,
        figures=figures,
        advice=[*notes, *said],
    )


def _results(jobs: Sequence[_Job]) -> dict[str, object]:
    found: dict[str, object] = {}
    for job in jobs:
        if job.done.quantities:
            found[f"{job.path.name}: peaks"] = job.done.quantities
        found[f"{job.path.name}: fit"] = job.done.fit
    return found


def _figures(
    jobs: Sequence[_Job], calibration: AxisCalibration | None, lamps: Mapping[str, xr.Dataset]
) -> tuple[dict[str, bytes], list[str]]:
    try:
        from analysis import figures  # noqa: PLC0415 - an optional extra; the report goes without
    except ImportError as error:
        return {}, [f"No figures: {error}."]
    found = {}
    for job in jobs:
        fit, spectrum, where = _one(job.done)
        found[f"{job.path.name}{where}"] = figures.png(figures.draw_fit(fit, spectrum))
    if calibration is not None:
        marks = {f"{knot:.0f}": float(knot) for knot in calibration.knots}
        drawn = figures.draw_spectrum(lamps["lamp"], axis=calibration.of, marks=marks)
        found["The lamp, with the lines that the calibration stands on"] = figures.png(drawn)
    return found, []


def _one(done: Analysis) -> tuple[xr.Dataset, xr.Dataset, str]:
    """Take the middle one out of a map, for the figure."""
    signal = done.spectrum["signal"]
    at = {dim: size // 2 for dim, size in signal.sizes.items() if dim != CHANNEL}
    where = ", " + ", ".join(f"{dim} {index}" for dim, index in at.items()) if at else ""
    return done.fit.isel(at), done.spectrum.isel(at), where


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
