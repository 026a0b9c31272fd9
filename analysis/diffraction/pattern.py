"""A powder pattern as an lmfit model: every line from the cell, the diffractometer and what the tube emits.

Each line of the tube makes one Thompson-Cox-Hastings line of each reflection. Its angle follows from Bragg's law, the
zero of the circle and the height of the sample; its widths from the formulas of Caglioti and of a Lorentzian that grows
as 1/cos θ (size) and tan θ (strain), to which the natural width of the emission line is added. All are ties, so that
the fit is one of `analysis.peaks` and can be changed before it is made.
Not here: lattice parameters with their budget (`analysis.diffraction.lattice`).
References: Caglioti et al., Nucl. Instrum. 3 (1958) 223, doi:10.1016/0369-643X(58)90029-X; Pawley, J. Appl. Cryst. 14
(1981) 357, doi:10.1107/S0021889881009618; Wilson, Mathematical Theory of X-ray Powder Diffractometry (1963).
"""

import math
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal

import lmfit
import numpy as np
import xarray as xr

from analysis.core import CalibrationError
from analysis.diffraction.bragg import REFLECTION, reflections
from analysis.diffraction.door import Floats, present, require_pattern
from analysis.diffraction.emission import Radiation
from analysis.diffraction.phase import Phase, inverse_square
from analysis.peaks.models import AxialVoigtModel, ThompsonCoxHastingsModel

__all__ = ["Pattern", "pattern_model"]

DEGREE = math.pi / 180.0
TO_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
TWO = 2
START_RATIO = 0.5
ROOM = 0.01  # relative, of a lattice parameter
NARROWEST = 1e-3  # degrees
WINDOW = 1.0
FLOOR = 2.5e-5  # square degrees


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A model of a powder pattern and where to start."""

    model: lmfit.Model
    params: lmfit.Parameters
    reflections: xr.Dataset
    """Those in the model; each is named in the parameters `r<indices>_...`."""
    absent: tuple[str, ...]
    """Reflections of the phase in the range that do not rise above the background, left out of the model."""


def pattern_model(
    spectrum: xr.Dataset,
    phase: Phase,
    radiation: Radiation,
    *,
    radius: float,
    positions: Literal["lattice", "free"] = "lattice",
    widths: Literal["caglioti", "free"] = "caglioti",
    profile: Literal["voigt", "pseudo-voigt"] = "voigt",
    background: int = 2,
    window: float = WINDOW,
) -> Pattern:
    """Write the model of a powder pattern.

    Parameters
    ----------
    spectrum:
        One pattern of raw counts with the axis `two_theta` in degrees.
    phase:
        Its cell gives the reflections and the start.
    radiation:
        What the tube emits.
    radius:
        Of the diffractometer, mm.
    positions:
        `"lattice"`: the parameters are those of the cell, `zero` (degrees) and `displacement` (mm; above 0 if the
        surface lies behind the axis, which moves lines to small angles). `zero` is fixed at 0 until it is freed.
        `"free"`: each line has its own `r<indices>_position`, the angle of the radiation's wavelength.
    widths:
        `"caglioti"`: `u`, `v`, `w` (square degrees; Gaussian fwhm² = u tan² θ + v tan θ + w) and `lorentz_x`,
        `lorentz_y` (degrees; Lorentzian fwhm = x / cos θ + y tan θ). `"free"`: each line has its own
        `r<indices>_sigma` and `r<indices>_gamma`.
    profile:
        Voigt lines, or pseudo-Voigt lines by Thompson, Cox and Hastings.
    background:
        Degree of its polynomial, 0 to 7.
    window:
        Half width of the window in which a line is looked for, degrees.

    Returns
    -------
    :
        Model, parameters and reflections. `r<indices>_area` is the area of a reflection, `ratio` that of the second
        line of the tube over the first (if it emits two), `sl` and `hl` the axial divergence, `hl` tied to `sl`.

    Raises
    ------
    CalibrationError
        If the radius is not above 0, or no reflection lies in the range.
    SpectrumError
        If it is no pattern of counts, or no line rises above the background.
    """
    if not radius > 0.0:
        msg = f"the radius of the diffractometer must be above 0 mm, got {radius:g}. It stands in its data sheet"
        raise CalibrationError(msg)
    x, y = require_pattern(spectrum)
    table = reflections(phase, radiation, float(x.min()) + 0.5 * window, float(x.max()) - 0.5 * window)
    net = present(x, y, table, window)
    absent = tuple(str(name) for name, found in zip(table[REFLECTION].values, net, strict=True) if not found)
    table = table.isel({REFLECTION: np.flatnonzero(net)})
    names = [f"r{name}_" for name in table[REFLECTION].values]
    kind = AxialVoigtModel if profile == "voigt" else ThompsonCoxHastingsModel
    lines = [kind(prefix=f"{name}{k}_") for name in names for k in range(1, len(radiation.lines) + 1)]
    model = reduce(add, lines) + lmfit.models.PolynomialModel(background, prefix="bg_")
    params = lmfit.Parameters()
    _add_shared(params, phase, radiation, free=positions == "free", caglioti=widths == "caglioti")
    areas = [each * float(np.median(np.diff(x))) for each in net if each]
    for name, area in zip(names, areas, strict=True):
        params.add(f"{name}area", value=area, min=0.0)
    if widths == "caglioti":
        _start(params, x, y, float(table["two_theta"][0]), window)
    for name, row in zip(names, _rows(table), strict=True):
        _add_reflection(params, name, row, phase, radiation, free=positions == "free", caglioti=widths == "caglioti")
        _add_lines(params, name, radiation, radius, free=positions == "free")
    for k in range(background + 1):
        params.add(f"bg_c{k}", value=float(np.nanpercentile(y, 5)) if k == 0 else 0.0)
    return Pattern(model=model, params=params, reflections=table, absent=absent)


def _rows(table: xr.Dataset) -> list[tuple[tuple[int, int, int], float]]:
    hkl = zip(*(table[i].values.tolist() for i in "hkl"), strict=True)
    return list(zip(hkl, table["two_theta"].values.tolist(), strict=True))


def _add_lines(params: lmfit.Parameters, name: str, radiation: Radiation, radius: float, *, free: bool) -> None:
    """Tie the lines of the tube to their reflection."""
    for k, line in enumerate(radiation.lines, start=1):
        at = f"{name}{k}_"
        sine = f"({line.wavelength!r}*{name}q)"
        params.add(f"{at}amplitude", expr=f"{name}area*{_share(radiation, k)}")
        params.add(f"{at}center", expr=_center(sine, radius, free=free))
        params.add(f"{at}sigma", expr=f"{name}sigma")
        params.add(f"{at}gamma", expr=f"{name}gamma+{name}tan*{line.fwhm / line.wavelength / DEGREE!r}")
        params.add(f"{at}sl", expr="sl")
        params.add(f"{at}hl", expr="hl")


def _share(radiation: Radiation, k: int) -> str:
    if len(radiation.lines) == TWO:
        return "1/(1+ratio)" if k == 1 else "ratio/(1+ratio)"
    total = sum(line.weight for line in radiation.lines)
    return repr(radiation.lines[k - 1].weight / total)


def _center(sine: str, radius: float, *, free: bool) -> str:
    angle = f"2*asin({sine})"
    if free:
        return f"({angle})/{DEGREE!r}"
    return f"({angle}-2*displacement/{radius!r}*sqrt(1-{sine}**2))/{DEGREE!r}+zero"


def _add_shared(params: lmfit.Parameters, phase: Phase, radiation: Radiation, *, free: bool, caglioti: bool) -> None:
    if not free:
        for name, given in phase.cell.items():
            low, high = given.value * (1.0 - ROOM), given.value * (1.0 + ROOM)
            params.add(name, value=given.value, min=low, max=high)
        params.add("zero", value=0.0, vary=False)
        params.add("displacement", value=0.0)
    if len(radiation.lines) == TWO:
        first, second = (line.weight for line in radiation.lines)
        params.add("ratio", value=second / first, min=0.0, max=2.0)
    params.add("sl", value=0.02, min=0.0, max=0.2)
    params.add("hl", expr="sl")
    if caglioti:
        for name in ("u", "v", "w", "lorentz_x", "lorentz_y"):
            params.add(name, value=0.0)


def _start(params: lmfit.Parameters, x: Floats, y: Floats, center: float, window: float) -> None:
    """Start the width from area over height of the first line."""
    breadth = _breadth(x, y, center, window)
    params["w"].set(value=(0.6 * breadth) ** 2)
    params["lorentz_x"].set(value=0.1 * breadth)


def _breadth(x: Floats, y: Floats, center: float, window: float) -> float:
    use = (np.abs(x - center) <= window) & np.isfinite(y)
    net = y[use] - np.percentile(y[use], 20)
    return max(float(net.sum() * np.median(np.diff(x)) / net.max()), NARROWEST) if net.max() > 0.0 else window


def _add_reflection(
    params: lmfit.Parameters, name: str, row: tuple[tuple[int, int, int], float], phase: Phase, radiation: Radiation, *,
    free: bool, caglioti: bool,
) -> None:  # fmt: skip
    """Add what the lines of one reflection share: q = 1/2d, tan θ and the widths."""
    hkl, angle = row
    wavelength = radiation.wavelength.value
    if free:
        params.add(f"{name}position", value=angle, min=angle - WINDOW, max=angle + WINDOW)
        params.add(f"{name}q", expr=f"sin({name}position*{0.5 * DEGREE!r})/{wavelength!r}")
    else:
        params.add(f"{name}q", expr=f"0.5*sqrt({inverse_square(phase.system, hkl)})")
    sine = f"({wavelength!r}*{name}q)"
    params.add(f"{name}tan", expr=f"{sine}/sqrt(1-{sine}**2)")
    if caglioti:
        tan = f"{name}tan"
        # A smooth floor: where the square would be negative on the way, the fit still feels u, v and w.
        params.add(f"{name}square", expr=f"u*{tan}**2+v*{tan}+w")
        floor = f"sqrt({name}square**2+{FLOOR**2!r})"
        params.add(f"{name}sigma", expr=f"sqrt(0.5*({name}square+{floor}))/{TO_FWHM!r}")
        params.add(f"{name}gamma", expr=f"0.5*(lorentz_x*sqrt(1+{tan}**2)+lorentz_y*{tan})")
        return
    width = 0.05
    params.add(f"{name}sigma", value=0.5 * width, min=NARROWEST)
    params.add(f"{name}gamma", value=0.25 * width, min=0.0)
