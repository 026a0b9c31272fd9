"""What JCAMP-DX files call axes and units.

Not here: labels of tables (`analysis.io.labels`), records (`analysis.io.jcamp_records`).
"""

import re

from analysis.io import labels

_AXES = {
    "1/CM": ("wavenumber", "cm-1"), "CM-1": ("wavenumber", "cm-1"), "CM^-1": ("wavenumber", "cm-1"),
    "CM^1": ("wavenumber", "cm-1"), "WAVENUMBERS": ("wavenumber", "cm-1"), "WAVENUMBER": ("wavenumber", "cm-1"),
    "NANOMETERS": ("wavelength", "nm"), "NANOMETRES": ("wavelength", "nm"), "NANOMETER": ("wavelength", "nm"),
    "NM": ("wavelength", "nm"), "WAVELENGTH": ("wavelength", "nm"), "MICROMETERS": ("wavelength", "um"),
    "MICROMETRES": ("wavelength", "um"), "MICRONS": ("wavelength", "um"), "UM": ("wavelength", "um"),
    "ANGSTROMS": ("wavelength", "angstrom"), "SECONDS": ("time", "s"), "SECOND": ("time", "s"), "S": ("time", "s"),
    "SEC": ("time", "s"), "MILLISECONDS": ("time", "ms"), "MICROSECONDS": ("time", "us"), "MINUTES": ("time", "min"),
    "HOURS": ("time", "h"), "HZ": ("frequency", "Hz"), "KHZ": ("frequency", "kHz"), "MHZ": ("frequency", "MHz"),
    "GHZ": ("frequency", "GHz"), "PPM": ("chemical_shift", "ppm"), "DELTA": ("chemical_shift", "ppm"),
    "M/Z": ("mass_to_charge", "1"), "MASS/CHARGE": ("mass_to_charge", "1"), "M/E": ("mass_to_charge", "1"),
    "MASS TO CHARGE RATIO": ("mass_to_charge", "1"), "AMU": ("mass_to_charge", "1"), "EV": ("energy", "eV"),
    "KEV": ("energy", "keV"), "GAUSS": ("magnetic_field", "gauss"),
    "MILLITESLA": ("magnetic_field", "mT"), "MT": ("magnetic_field", "mT"), "TESLA": ("magnetic_field", "T"),
    "DEGREES 2-THETA": ("two_theta", "degree"), "2THETA": ("two_theta", "degree"), "CM": ("path_difference", "cm"),
    "CENTIMETERS": ("path_difference", "cm"), "KELVIN": ("temperature", "K"), "VOLTS": ("voltage", "V"),
}  # fmt: skip
_SIGNALS = {
    "ABSORBANCE": "1", "ABSORBANCE UNITS": "1", "A": "1", "ABS": "1", "LOG(1/R)": "1", "KUBELKA-MUNK": "1",
    "COUNTS": "counts", "COUNT": "counts", "RAMAN COUNTS": "counts", "%T": "percent", "% TRANSMITTANCE": "percent",
    "%TRANSMITTANCE": "percent", "PERCENT TRANSMITTANCE": "percent", "TRANSMITTANCE (%)": "percent", "%R": "percent",
    "% REFLECTANCE": "percent", "VOLTS": "V", "MILLIVOLTS": "mV", "MICROVOLTS": "uV", "AMPERES": "A",
    "NANOAMPERES": "nA", "PICOAMPERES": "pA", "COUNTS/SECOND": "counts s-1",
}  # fmt: skip
_RATIOS = ("TRANSMITTANCE", "REFLECTANCE", "TRANSMISSION", "T", "R")
_MOST_OF_A_RATIO = 2.0


def axis(text: str, kind: str, label: str) -> tuple[str, dict[str, object]]:
    """Name an abscissa.

    Parameters
    ----------
    text:
        Of `##XUNITS=`.
    kind:
        Of `##DATA TYPE=`.
    label:
        Of `##XLABEL=`.

    Returns
    -------
    :
        Name and attributes; `x` without units where the file does not say what it is.
    """
    key = re.sub(r"\s+", " ", text.strip().upper().strip("()[]<>"))
    said = labels.read(text)
    fallback = (said.axis, said.units) if said.axis else ("x", said.units)
    name, units = _AXES.get(key, fallback)
    if name == "wavenumber" and ("RAMAN" in f"{kind} {label} {text}".upper() or "SHIFT" in label.upper()):
        name = "raman_shift"
    about: dict[str, object] = {"long_name": label or text or "abscissa; the file does not say what it is"}
    if units:
        about["units"] = units
    if name == "wavelength":
        about["medium"] = "unknown"
    return name, about


def signal(text: str, label: str, largest: float) -> dict[str, object]:
    """Describe an ordinate.

    Parameters
    ----------
    text:
        Of `##YUNITS=`.
    label:
        Of `##YLABEL=`.
    largest:
        Of its values; a transmittance of 50 is one in percent, whatever the file calls it, and gets no units.

    Returns
    -------
    :
        Attributes.
    """
    key = re.sub(r"\s+", " ", text.strip().upper())
    about: dict[str, object] = {"long_name": label or text} if label or text else {}
    units = _SIGNALS.get(key, "")
    if key in _RATIOS and largest <= _MOST_OF_A_RATIO:
        units = "1"
    return about | ({"units": units} if units else {})
