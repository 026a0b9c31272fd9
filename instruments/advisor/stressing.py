"""From dimensions and stress to force, and the budget of the strength that a machine will measure.

Not here: the choice of the machine (`instruments.advisor.machines`).
"""

import math
from collections.abc import Mapping

from analysis.uncertainty import Budget, Quantity, distributions, propagate
from instruments.advisor.configuration import Answer
from instruments.advisor.knowledge import catalogue

__all__ = ["Case", "predicted"]

_ROOT3 = math.sqrt(3.0)


class Case:
    """Checked answers, and what follows from them at once."""

    def __init__(self, given: Mapping[str, Answer]) -> None:
        self._given = given

    def has(self, key: str) -> bool:
        """Return whether there is an answer."""
        return key in self._given

    def word(self, key: str) -> str:
        """Return a chosen word; a test without that question has an empty one, strength as its result."""
        absent = "strength" if key == "property" else "flat" if key == "section" else ""
        return str(self._given.get(key, absent))

    def low(self, key: str) -> float:
        """Return the lower end of a number."""
        return float(self._given[key][0])

    def high(self, key: str) -> float:
        """Return the upper end of a number."""
        return float(self._given[key][1])

    @property
    def span(self) -> float:
        """In bending: 16 times the thickness, mm; else 100 mm, about the length of a peel or lap-shear specimen."""
        return float(catalogue()["span_ratio"] * self.high("thickness")) if self.word("test") == "bending" else 100.0

    @property
    def dimensions(self) -> dict[str, float]:
        """What is measured on the specimen, mm, upper ends."""
        keys = [key for key in ("width", "thickness", "diameter") if key in self._given]
        return {key: self.high(key) for key in keys}

    @property
    def smallest(self) -> float:
        """The smallest dimension at its lower end, mm."""
        return min(self.low(key) for key in self.dimensions)

    def effective(self, dimensions: Mapping[str, float]) -> float:
        """Return force over stress, mm2 (in peel force over peel strength, mm)."""
        if self.word("test") == "peel":
            return dimensions["width"]
        if "diameter" in dimensions:
            return math.pi / 4 * dimensions["diameter"] ** 2
        area = dimensions["width"] * dimensions["thickness"]
        return 2 / 3 * area * dimensions["thickness"] / self.span if self.word("test") == "bending" else area

    @property
    def area(self) -> float:
        """Force over stress at the lower ends of the dimensions."""
        return self.effective({key: self.low(key) for key in self.dimensions})

    @property
    def strength(self) -> float:
        """The greatest stress, MPa, or peel strength, N/mm."""
        return self.high("peel" if self.word("test") == "peel" else "strength")

    @property
    def force(self) -> float:
        """The greatest force, N."""
        return self.strength * self.effective(self.dimensions)

    @property
    def formula(self) -> str:
        """How the force follows, with numbers."""
        unit = "N/mm * mm" if self.word("test") == "peel" else "MPa * mm2"
        return f"{self.strength:g} * {self.effective(self.dimensions):.4g} {unit}"


def predicted(case: Case, capacity: float, number: float, limit: float) -> Budget:
    """Return the budget of the strength: class of force, zero, dimensions; all rectangular.

    Parameters
    ----------
    case:
        The answers.
    capacity:
        N.
    number:
        Class of ISO 7500-1: limit of error as a percentage of the reading.
    limit:
        Of error of the gauge for dimensions, mm.
    """
    flat = distributions.rectangular()
    zero = catalogue()["zero"] * capacity * number

    def about(value: float, half: float, units: str, label: str) -> Quantity:
        return Quantity(value=value, u=half / _ROOT3, units=units, distribution=flat, label=label)

    inputs = {key: about(value, limit, "mm", key) for key, value in case.dimensions.items()}
    inputs["force"] = about(case.force, 0.01 * number * case.force, "N", "class of force")
    inputs["zero"] = about(0.0, zero, "N", "zero of force")
    peel = case.word("test") == "peel"
    if peel:
        below = "width"
        inputs.pop("thickness", None)
    elif "diameter" in inputs:
        below = f"({math.pi / 4!r} * diameter**2)"
    elif case.word("test") == "bending":
        inputs["span"] = about(case.span, 0.1, "mm", "span")
        below = "(2 / 3 * width * thickness**2 / span)"
    else:
        below = "(width * thickness)"
    units = "N mm-1" if peel else "MPa"
    return propagate(f"(force + zero) / {below}", inputs, name="strength", units=units)
