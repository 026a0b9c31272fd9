"""What Galactic SPC files call axes, units and dates, and what their logs say of a measurement.

Not here: bytes (`analysis.io.spc`).
"""

import re
from datetime import datetime

from analysis.io import labels

_AXES = {
    1: ("wavenumber", "cm-1"), 2: ("wavelength", "um"), 3: ("wavelength", "nm"), 4: ("time", "s"), 5: ("time", "min"),
    6: ("frequency", "Hz"), 7: ("frequency", "kHz"), 8: ("frequency", "MHz"), 9: ("mass_to_charge", "1"),
    10: ("chemical_shift", "ppm"), 11: ("time", "day"), 12: ("time", "year"), 13: ("raman_shift", "cm-1"),
    14: ("energy", "eV"), 16: ("diode", "1"), 17: ("pixel", "1"), 18: ("angle", "degree"), 19: ("temperature", "degF"),
    20: ("temperature", "degC"), 21: ("temperature", "K"), 22: ("point", "1"), 23: ("time", "ms"), 24: ("time", "us"),
    25: ("time", "ns"), 26: ("frequency", "GHz"), 27: ("length", "cm"), 28: ("length", "m"), 29: ("length", "mm"),
    30: ("time", "h"),
}  # fmt: skip
_SIGNALS = {
    1: ("interferogram", ""), 2: ("absorbance", "1"), 3: ("Kubelka-Munk", "1"), 4: ("counts", "counts"),
    5: ("voltage", "V"), 6: ("angle", "degree"), 7: ("current", "mA"), 8: ("distance", "mm"), 9: ("voltage", "mV"),
    10: ("log(1/R)", "1"), 11: ("percent", "percent"), 12: ("intensity", ""), 13: ("relative intensity", ""),
    14: ("energy", ""), 16: ("decibel", "dB"), 19: ("temperature", "degF"), 20: ("temperature", "degC"),
    21: ("temperature", "K"), 22: ("index of refraction", "1"), 23: ("extinction coefficient", "1"), 24: ("real", ""),
    25: ("imaginary", ""), 26: ("complex", ""), 128: ("transmission", ""), 129: ("reflectance", ""),
    130: ("single beam, valleys as peaks", ""), 131: ("emission", ""),
}  # fmt: skip
_LOG = (
    ("laser_wavelength_nm", r"^\s*(?:laser|excitation)\b[^=:\n]*[=:][^\n]*?([\d.]+)\s*nm", 1.0),
    ("integration_time_s", r"^\s*exposure_time=time:\s*([\d.]+)\s*$", 1e-3),
    ("accumulations", r"^\s*accumulations?\b[^\n]*?(\d+)\s*$", 1.0),
)


def axis(kind: int, given: tuple[str, ...], at: int) -> tuple[str, dict[str, object]]:
    """Name an axis.

    Parameters
    ----------
    kind:
        The file's number of it.
    given:
        Labels in the file, for X, Y and Z.
    at:
        Which of them.

    Returns
    -------
    :
        Name and attributes; `x` or `z` without units where the file does not say what it is.
    """
    label = given[at].strip() if at < len(given) else ""
    said = labels.read(label)
    name, units = _AXES.get(kind, (said.axis or ("x", "y", "z")[at], said.units))
    if label and said.axis:
        name, units = said.axis, said.units or units
    about: dict[str, object] = {"long_name": label or (name if units else f"{name}; the file does not say what it is")}
    if units:
        about["units"] = units
    if name == "wavelength":
        about["medium"] = "unknown"
    return name, about


def signal(kind: int, given: tuple[str, ...]) -> dict[str, object]:
    """Describe the ordinate.

    Parameters
    ----------
    kind:
        The file's number of it.
    given:
        Labels in the file, for X, Y and Z.

    Returns
    -------
    :
        Attributes.
    """
    label = given[1].strip() if len(given) > 1 else ""
    name, units = _SIGNALS.get(kind, ("", labels.read(label).units))
    about: dict[str, object] = {}
    if label or name:
        about["long_name"] = label or name
    if units:
        about["units"] = units
    return about


def date(year: int, month: int, day: int, hour: int, minute: int) -> str:
    """Write a date.

    Parameters
    ----------
    year, month, day, hour, minute:
        As the file has them; zeros for none.

    Returns
    -------
    :
        ISO 8601 text; empty if it is no date.
    """
    try:
        return datetime(year, month, day, hour, minute).isoformat()  # noqa: DTZ001 - the file gives no zone
    except ValueError:
        return ""


def of_log(log: str) -> dict[str, object]:
    """Take what a log says of the measurement.

    Parameters
    ----------
    log:
        Its text.

    Returns
    -------
    :
        Laser, exposure and accumulations, as far as they are there.
    """
    found = ((key, re.search(pattern, log, re.IGNORECASE | re.MULTILINE), scale) for key, pattern, scale in _LOG)
    return {key: float(match.group(1)) * scale for key, match, scale in found if match and match.group(1) != "."}
