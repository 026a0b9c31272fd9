"""What is known of a specimen and of the machine before a tensile test.

Not here: the recorded curve (`analysis.tensile.record`).
"""

import math
from dataclasses import dataclass, field

from analysis.core import UncertaintyError, units
from analysis.uncertainty import Quantity, Source, distributions, sources

FORCE_CLASSES = (0.5, 1.0, 2.0, 3.0)
EXTENSION_CLASSES = (0.2, 0.5, 1.0, 2.0)
_ROOT3 = math.sqrt(3)


def _rectangular(label: str) -> Source:
    return Source(id=sources.fresh_id(), label=label, distribution=distributions.rectangular())


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A test piece, and the classes of the systems that measure on it."""

    area: Quantity
    """Original cross-section, such as mm2."""
    gauge_length: Quantity
    """Gauge length of the extensometer; for a test by crosshead travel the parallel length; such as mm."""
    force_class: float | None = None
    """Class of the force-measuring system by ISO 7500-1: its error as a percentage of the reading; None is unknown."""
    extension_class: float | None = None
    """Class of the extensometer system by ISO 9513; None is unknown."""
    compliance: Quantity | None = None
    """Of the machine and its grips, such as mm/N; used where extension is taken from the crosshead."""
    name: str = ""
    """What it is called."""
    _force: Source = field(default_factory=lambda: _rectangular("force calibration"), repr=False, compare=False)
    _extension: Source = field(default_factory=lambda: _rectangular("extension calibration"), repr=False, compare=False)

    def __post_init__(self) -> None:
        wanted = {"area": "mm2", "gauge_length": "mm"} | ({"compliance": "mm/N"} if self.compliance is not None else {})
        for name, unit in wanted.items():
            given = getattr(self, name)
            if not isinstance(given, Quantity) or not given.value > 0:
                msg = f"{name} of a specimen must be a Quantity above 0 in units such as {unit!r}, got {given!r:.60}"
                raise UncertaintyError(msg)
            units.factor(given.units, unit)
        for name, classes in (("force_class", FORCE_CLASSES), ("extension_class", EXTENSION_CLASSES)):
            given = getattr(self, name)
            if given is not None and given not in classes:
                msg = f"{name} must be one of {classes} or None, got {given!r}"
                raise UncertaintyError(msg)

    def force_gain(self) -> Quantity:
        """Return the factor from indicated to true force: 1 within the class.

        Returns
        -------
        :
            Dimensionless; one source, so that all stresses of this specimen are correlated.
        """
        return self._gain(0.01 * (self.force_class or 0.0), self._force, "force calibration")

    def extension_gain(self, extension: float) -> Quantity:
        """Return the factor from indicated to true extension: 1 within the class.

        Parameters
        ----------
        extension:
            Over which it acts, mm; below a length the class is an absolute limit, here three times its number in µm.

        Returns
        -------
        :
            Dimensionless; one source for all extensions of this specimen.
        """
        number = self.extension_class or 0.0
        limit = max(0.01 * number, 3e-3 * number / extension) if extension > 0 else 0.01 * number
        return self._gain(limit, self._extension, "extension calibration")

    def as_settings(self) -> dict[str, object]:
        """Return what a history keeps of the specimen beside its quantities.

        Returns
        -------
        :
            Its name, classes and the sources of both calibrations.
        """
        own = {"force": self._force.to_json(), "extension": self._extension.to_json()}
        return {
            "force_class": self.force_class, "extension_class": self.extension_class, "name": self.name, "sources": own
        }  # fmt: skip

    @staticmethod
    def _gain(limit: float, source: Source, label: str) -> Quantity:
        return Quantity.from_components(1.0, {source: limit / _ROOT3}, units="1", label=label)
