"""Force transducers after ISO 376: relative errors, class, interpolation, and force from deflection with its sources.

Not here: testing machines, limits of the classes (`analysis.calibration.sensors.force_limits`).
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import optimize

from analysis.calibration.sensors.force_limits import CLASSES, lowest_forces
from analysis.calibration.sensors.force_runs import ForceRuns
from analysis.calibration.sensors.given import combined, made, require_inside, taken
from analysis.core import CalibrationError
from analysis.uncertainty import Budget, Quantity, Source, distributions, propagate

__all__ = ["ForceTransducer", "force_transducer"]

Array = npt.NDArray[np.float64]
K = 2.0
CALIBRATED = "where the transducer was calibrated"


@dataclass(frozen=True, kw_only=True)
class ForceTransducer:
    """A force transducer with its interpolation X = c1 F + c2 F² + c3 F³ of the deflection."""

    runs: ForceRuns
    """What was measured."""
    coefficients: Array
    """c1, c2, c3, as many as the degree; deflection over powers of force."""
    errors: xr.Dataset
    """Relative errors in % along `point` with `force`; zero error and creep in the attributes, in %."""
    components: xr.Dataset
    """Relative standard uncertainties of ISO 376, Annex C, along `point`, and `combined`."""
    sources: Mapping[str, Source] = field(repr=False)
    """The source behind each component; all readings share it."""
    classes: Mapping[str, float]
    """For each class that is kept, the lowest force from which it holds, in the units of the forces."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))
        object.__setattr__(self, "classes", MappingProxyType(dict(self.classes)))

    @property
    def grade(self) -> str | None:
        """The best class that is kept from half of the largest force on; None where none is."""
        return next((name for name in CLASSES if name in self.classes), None)

    def deflection(self, force: Quantity) -> Quantity:
        """Return the deflection at a force.

        Parameters
        ----------
        force:
            Between the smallest and the largest calibration force.

        Returns
        -------
        :
            With the sources of the force and of the calibration.

        Raises
        ------
        CalibrationError
            If the force lies outside.
        """
        wanted = taken(force, self.runs.units, "force")
        require_inside(wanted.value, *self._range(), f"force in {self.runs.units}", where=CALIBRATED)
        value, slope = self._at(wanted.value)
        own = self._own(wanted.value, falling=False)
        parts = combined((slope, wanted), (-slope, own))
        return made(
            value, parts, self.runs.deflection_units, step="deflection", sensor="force transducer",
            inputs={"force": force, **self._inputs()},
        )  # fmt: skip

    def force(self, deflection: Quantity, *, falling: bool = False) -> Quantity:
        """Return the force at a deflection.

        Parameters
        ----------
        deflection:
            Less the reading without force.
        falling:
            Of a force that was larger before: the reversibility adds to the uncertainty.

        Returns
        -------
        :
            With the sources of the deflection, of the calibration forces, and of all components of Annex C.

        Raises
        ------
        CalibrationError
            If the force would lie outside the calibration forces, or the reversibility was not measured.
        """
        measured = taken(deflection, self.runs.deflection_units, "deflection")
        low, high = self._range()
        one, other = self._at(low)[0], self._at(high)[0]
        ends, what = (min(one, other), max(one, other)), f"deflection in {self.runs.deflection_units}"
        require_inside(measured.value, *ends, what, where=CALIBRATED)
        found = float(optimize.brentq(lambda t: self._at(t)[0] - measured.value, low, high, xtol=1e-14 * high))
        parts = combined((1.0 / self._at(found)[1], measured), (1.0, self._own(found, falling=falling)))
        return made(
            found, parts, self.runs.units, step="force", sensor="force transducer",
            inputs={"deflection": deflection, **self._inputs()},
        )  # fmt: skip

    def budget(self, force: float) -> Budget:
        """Return the budget of the calibration at a force, without that of a reading.

        Parameters
        ----------
        force:
            In the units of the calibration forces.

        Returns
        -------
        :
            One line a source.
        """
        require_inside(force, *self._range(), f"force in {self.runs.units}", where=CALIBRATED)
        value = Quantity.from_components(force, dict(self._own(force, falling=False).parts()), units=self.runs.units)
        return propagate("force", {"force": value}, name="calibration force", units=self.runs.units)

    def expanded_uncertainty(self, force: float) -> float:
        """Return the expanded uncertainty (k = 2) of the calibration as a function of force.

        Parameters
        ----------
        force:
            In the units of the calibration forces.

        Returns
        -------
        :
            U in these units: a straight line through those of the calibration forces, raised so far that none lies
            above it.

        References
        ----------
        ISO 376:2011, Annex C.
        """
        require_inside(force, *self._range(), f"force in {self.runs.units}", where=CALIBRATED)
        at = self.components["force"].values
        each = K * self.components["combined"].values * at
        slope, offset = np.polyfit(at, each, 1)
        raised = float(np.max(each - (offset + slope * at)))
        return float(offset + slope * force + max(raised, 0.0))

    def __str__(self) -> str:
        """Write class, errors and interpolation."""
        low, high = self._range()
        worst = {str(name): float(np.abs(each).max()) for name, each in self.errors.data_vars.items()}
        kept = "; ".join(f"class {name} from {force:g} {self.runs.units}" for name, force in self.classes.items())
        terms = " ".join(f"{c:+.6g} F^{k + 1}" for k, c in enumerate(self.coefficients)).removeprefix("+")
        return "\n".join([
            f"force transducer from {low:g} to {high:g} {self.runs.units}: {kept or 'no class of ISO 376 is kept'}",
            f"  deflection = {terms} {self.runs.deflection_units}",
            "  largest relative errors: " + ", ".join(f"{name} {value:.3g} %" for name, value in worst.items()),
            "  " + ", ".join(f"{name} {value:.3g} %" for name, value in self.errors.attrs.items()),
            f"  U (k = 2) {self.expanded_uncertainty(low):.3g} {self.runs.units} at the smallest force, "
            f"{self.expanded_uncertainty(high):.3g} {self.runs.units} at the largest",
        ])  # fmt: skip

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Show the sentences in a notebook."""
        return f"<pre>{escape(str(self))}</pre>"

    def _range(self) -> tuple[float, float]:
        values = self.runs.values
        return float(values[0]), float(values[-1])

    def _at(self, force: float) -> tuple[float, float]:
        """Return the deflection and its slope."""
        powers = np.arange(1, self.coefficients.size + 1)
        slopes = powers * force ** (powers - 1.0)
        return float(self.coefficients @ force**powers), float(self.coefficients @ slopes)

    def _inputs(self) -> dict[str, Quantity]:
        return {f"force {k + 1}": each for k, each in enumerate(self.runs.forces)}

    def _own(self, force: float, *, falling: bool) -> Quantity:
        """Return 0 with what the calibration brings into a force."""
        if falling and "reversibility" not in self.sources:
            msg = "the reversibility was not measured, so falling forces have no uncertainty; calibrate with `returned`"
            raise CalibrationError(msg)
        powers = np.arange(1, self.coefficients.size + 1)
        gains = (force**powers) @ _pseudo_inverse(self.runs.values, self.coefficients.size)
        slopes = np.array([self._at(each)[1] for each in self.runs.values])
        weights = gains * slopes / self._at(force)[1]
        parts = combined(*((float(w), each) for w, each in zip(weights, self.runs.forces, strict=True)))
        for name, source in self.sources.items():
            if name != "reversibility" or falling:
                w = float(np.interp(force, self.components["force"].values, self.components[name].values))
                parts[source] = parts.get(source, 0.0) + w * force
        return Quantity.from_components(0.0, parts, units=self.runs.units)


def force_transducer(runs: ForceRuns, *, degree: int = 3) -> ForceTransducer:
    """Evaluate the calibration of a force transducer.

    Parameters
    ----------
    runs:
        What was measured.
    degree:
        Of the interpolation of the deflection by the force, 1 to 3, without a constant.

    Returns
    -------
    :
        The transducer: errors, class, uncertainty, and force from deflection.

    Raises
    ------
    CalibrationError
        If there are too few forces for the degree, or the interpolation does not rise or fall throughout.

    References
    ----------
    ISO 376:2011, clauses 7 and 8 and Annex C; EURAMET cg-4, version 2.0 (2011).
    """
    force, mean = runs.values, runs.mean
    if degree not in (1, 2, 3) or force.size <= degree:
        msg = f"the degree must be 1, 2 or 3 and below the number of forces, {force.size}; got {degree}"
        raise CalibrationError(msg)
    coefficients = _pseudo_inverse(force, degree) @ mean
    powers = np.arange(1, degree + 1)
    fitted = force[:, None] ** powers @ coefficients
    fine = np.linspace(force[0], force[-1], 1001)
    steep = powers * fine[:, None] ** (powers - 1.0) @ coefficients
    if not ((steep > 0.0).all() or (steep < 0.0).all()):
        msg = f"the interpolation of degree {degree} turns within the forces; take a lower degree or check the points"
        raise CalibrationError(msg)
    errors = runs.errors().assign(interpolation=("point", 100.0 * (mean - fitted) / fitted, {"units": "%"}))
    spare = force.size - degree
    left = math.sqrt(float(((mean - fitted) ** 2).sum()) / spare) / np.abs(mean)
    components = runs.components().assign(interpolation=("point", left))
    sources = _sources(runs, components, {"interpolation": spare})
    squares = sum(components[name].values ** 2 for name in components.data_vars if name != "reversibility")
    components = components.assign(combined=("point", np.sqrt(squares)))
    by_point = {str(name): each.values for name, each in errors.data_vars.items()}
    by_point["calibration force"] = K * 100.0 * components["calibration force"].values
    classes = lowest_forces(force, by_point, dict(errors.attrs), np.abs(mean) / runs.resolution)
    return ForceTransducer(
        runs=runs, coefficients=coefficients, errors=errors, components=components, sources=sources, classes=classes
    )


def _pseudo_inverse(force: Array, degree: int) -> Array:
    """Return the matrix from deflections to the coefficients, dims `(coefficient, point)`."""
    largest = float(force[-1])
    powers = np.arange(1, degree + 1)
    return np.asarray(np.linalg.pinv((force[:, None] / largest) ** powers) / largest ** powers[:, None])


def _sources(runs: ForceRuns, components: xr.Dataset, dof: Mapping[str, int]) -> dict[str, Source]:
    """Make one source for each component but the calibration forces, which bring their own."""
    identity = hashlib.blake2b(runs.identity().encode(), digest_size=16).hexdigest()
    counts = {"reproducibility": 2, **dof}
    return {
        str(name): Source(
            id=f"{identity}-{name}", label=f"{name} of the transducer", units="1",
            kind="A" if name in counts else "B", dof=float(counts.get(str(name), math.inf)),
            distribution=distributions.normal() if name in counts else distributions.rectangular(),
            origin="ISO 376:2011, Annex C",
        )
        for name in components.data_vars if name != "calibration force" and components[name].values.any()
    }  # fmt: skip
