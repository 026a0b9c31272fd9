"""Column labels to axis names and units: `"Raman shift / cm-1"` to `("raman_shift", "cm-1")`.

Not here: tables (`analysis.io.table`), what units mean (`analysis.core.units`).
"""

import re
from dataclasses import dataclass

_UNITS = {
    "cm-1": ("cm-1", "1/cm", "cm^-1", "cm⁻¹", "cm^{-1}", "rel. cm-1", "rcm-1", "rel. 1/cm"),
    "nm": ("nm", "nanometer", "nanometers", "nanometres"),
    "um": ("um", "µm", "μm", "micron", "microns"),
    "angstrom": ("å", "Å", "a", "angstrom"),
    "eV": ("ev",),
    "keV": ("kev",),
    "degree": ("°", "deg", "degree", "degrees", "°2th"),
    "s": ("s", "sec", "second", "seconds"),
    "ms": ("ms",),
    "Hz": ("hz",),
    "N": ("n",),
    "V": ("v", "volt", "volts"),
    "counts": ("counts", "cts", "count", "a/d counts", "cnt"),
    "percent": ("%", "%t", "%r", "percent"),
    "1": ("1", "abs", "absorbance", "au", "a.u.", "arb. units", "arb. u."),
}
_KNOWN = {spelling.lower(): units for units, spellings in _UNITS.items() for spelling in spellings}
_AXES = (
    (r"raman.?shift|ramanshift", "raman_shift", "cm-1"),
    (r"wave.?number|^cm.?-1$|^1/cm$", "wavenumber", "cm-1"),
    (r"wave.?length|^lambda$|^λ$|^nm$", "wavelength", "nm"),
    (r"^(photon |binding |kinetic )?energy|^ev$|^kev$", "energy", "eV"),
    (r"2.?theta|two.?theta|2.?θ", "two_theta", "degree"),
    (r"^time", "time", "s"),
    (r"^freq", "frequency", "Hz"),
    (r"^pixel|^channel", "pixel", "1"),
    (r"^(standard )?force", "force", "N"),
)
_UNCERTAINTY = re.compile(r"^(u_signal|u\(.*\)|sigma|error|err|stderr|std|uncertainty|dy|y.?err)\b", re.IGNORECASE)
_BRACKETS = re.compile(r"^(.*?)\s*[(\[{]\s*([^()\[\]{}]+)\s*[)\]}]\s*$")
_SLASH = re.compile(r"^(.*?)\s*(?:/|,|\bin\b)\s*([^/]+(?:/cm)?)\s*$")


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a column label says."""

    text: str
    """The label as it stands in the file."""
    axis: str
    """Name of the axis, empty if the label names none."""
    units: str
    """Units in UDUNITS spelling, empty if neither given nor usual."""
    guessed: bool
    """True if the label gives no units and the usual ones are taken."""

    @property
    def is_uncertainty(self) -> bool:
        """True if the label names the uncertainty of a signal."""
        return bool(_UNCERTAINTY.match(self.text.strip()))


def read(text: str) -> Label:
    """Read a column label.

    Parameters
    ----------
    text:
        The label, with or without units.

    Returns
    -------
    :
        Axis and units as far as the label says.
    """
    name, given = _split(text.strip().strip("#\"' "))
    axis, usual = next(((axis, units) for pattern, axis, units in _AXES if re.search(pattern, name.lower())), ("", ""))
    if given:
        return Label(text=text, axis=axis, units=given, guessed=False)
    own = _KNOWN.get(name.lower(), "")
    return Label(text=text, axis=axis, units=own or usual, guessed=bool(usual) and not own)


def _split(text: str) -> tuple[str, str]:
    """Cut a label into its name and its units, if they are units that are known."""
    for pattern in (_BRACKETS, _SLASH):
        found = pattern.match(text)
        if found and found.group(2).strip().lower() in _KNOWN:
            return found.group(1).strip(), _KNOWN[found.group(2).strip().lower()]
    return text, ""
