"""Distributions of input quantities, each standardised to mean 0 and standard deviation 1.

A source contributes `c * z`: `c` its signed contribution (sensitivity times standard uncertainty), `z` a draw
from here. Not here: which quantity has which distribution (`analysis.uncertainty.sources`).
References: JCGM 101:2008, 6.4; JCGM 100:2008, 4.3.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.core import UncertaintyError, did_you_mean

Floats = npt.NDArray[np.float64]
_BOUNDED = ("rectangular", "triangular", "trapezoidal", "curvilinear_trapezoidal", "arcsine")
_KINDS = ("normal", "t", *_BOUNDED, "samples")


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A distribution with mean 0 and standard deviation 1; make one with the functions of this module."""

    kind: str
    """`normal`, `t`, `rectangular`, `triangular`, `trapezoidal`, `curvilinear_trapezoidal`, `arcsine` or `samples`."""
    shape: tuple[float, ...] = ()
    """Degrees of freedom (`t`), ratio of the top to the base (`trapezoidal`), ratio of the inexactness of the limits
    to the half-width (`curvilinear_trapezoidal`), or the standardised values (`samples`); dimensionless."""

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            msg = f"no distribution named {self.kind!r}; there are {list(_KINDS)}.{did_you_mean(self.kind, _KINDS)}"
            raise UncertaintyError(msg)
        wanted = 1 if self.kind in ("t", "trapezoidal", "curvilinear_trapezoidal") else 0
        if self.kind != "samples" and len(self.shape) != wanted:
            msg = f"a {self.kind} distribution has {wanted} shape numbers, got {len(self.shape)}: {self.shape}"
            raise UncertaintyError(msg)
        if not all(math.isfinite(number) for number in self.shape):
            msg = (
                f"the shape of a {self.kind} distribution must be finite, got {self.shape}; an infinite dof is normal()"
            )
            raise UncertaintyError(msg)
        self._check_range()

    def _check_range(self) -> None:
        if self.kind == "t" and self.shape[0] <= 2:  # noqa: PLR2004
            msg = (
                f"a t distribution has a standard deviation only for dof > 2, got {self.shape[0]:g}; "
                "give dof to the Quantity"
            )
            raise UncertaintyError(msg)
        if self.kind in ("trapezoidal", "curvilinear_trapezoidal") and not 0 <= self.shape[0] <= 1:
            msg = f"the shape of a {self.kind} distribution must lie in [0, 1], got {self.shape[0]:g}"
            raise UncertaintyError(msg)
        if self.kind == "samples" and len(self.shape) < 2:  # noqa: PLR2004
            msg = f"a distribution of samples needs at least 2 of them, got {len(self.shape)}"
            raise UncertaintyError(msg)

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw standardised values.

        Parameters
        ----------
        rng:
            The generator; its state advances.
        n:
            How many.

        Returns
        -------
        :
            Values of mean 0 and standard deviation 1, shape `(n,)`.
        """
        if self.kind == "normal":
            return rng.standard_normal(n)
        if self.kind == "t":
            return rng.standard_t(self.shape[0], n) / math.sqrt(self.shape[0] / (self.shape[0] - 2))
        if self.kind == "samples":
            return rng.choice(np.asarray(self.shape), n)
        return _unit_half_width(self, rng, n) * half_width_factor(self)

    def to_json(self) -> str:
        """Write the distribution as JSON text.

        Returns
        -------
        :
            For example `{"kind": "normal", "shape": []}`.
        """
        return json.dumps({"kind": self.kind, "shape": list(self.shape)})

    @classmethod
    def from_json(cls, text: str) -> "Distribution":
        """Read what `to_json` wrote.

        Parameters
        ----------
        text:
            JSON text.

        Returns
        -------
        :
            The distribution.

        Raises
        ------
        UncertaintyError
            If the text is not a distribution.
        """
        try:
            found = json.loads(text)
            return cls(kind=str(found["kind"]), shape=tuple(float(number) for number in found["shape"]))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            msg = f"not a distribution ({error!r}): {text[:60]!r}; wanted the JSON text of Distribution.to_json"
            raise UncertaintyError(msg) from error

    def __str__(self) -> str:
        """Name the distribution as a budget prints it."""
        name = self.kind.replace("_", " ")
        if self.kind == "samples":
            return f"{len(self.shape)} samples"
        return f"{name} ({self.shape[0]:g})" if self.shape else name


def normal() -> Distribution:
    """Return the normal distribution.

    Returns
    -------
    :
        The distribution.
    """
    return Distribution(kind="normal")


def t(dof: float) -> Distribution:
    """Return Student's t, scaled to standard deviation 1.

    For a Type A mean give `dof` to the Quantity instead and leave its distribution normal.

    Parameters
    ----------
    dof:
        Degrees of freedom, > 2.

    Returns
    -------
    :
        The distribution.

    Raises
    ------
    UncertaintyError
        If `dof` is not above 2.
    """
    return Distribution(kind="t", shape=(float(dof),))


def rectangular() -> Distribution:
    """Return the rectangular distribution; its half-width is sqrt(3) u.

    Returns
    -------
    :
        The distribution.
    """
    return Distribution(kind="rectangular")


def triangular() -> Distribution:
    """Return the symmetric triangular distribution; its half-width is sqrt(6) u.

    Returns
    -------
    :
        The distribution.
    """
    return Distribution(kind="triangular")


def trapezoidal(ratio: float) -> Distribution:
    """Return the symmetric trapezoidal distribution.

    Parameters
    ----------
    ratio:
        Width of the top over width of the base, in [0, 1].

    Returns
    -------
    :
        The distribution.

    Raises
    ------
    UncertaintyError
        If `ratio` is out of range.
    """
    return Distribution(kind="trapezoidal", shape=(float(ratio),))


def curvilinear_trapezoidal(inexactness: float) -> Distribution:
    """Return a rectangular distribution whose limits are themselves inexact (JCGM 101, 6.4.3).

    Parameters
    ----------
    inexactness:
        Half-width `d` of each limit over the half-width of the rectangle, in [0, 1].

    Returns
    -------
    :
        The distribution.

    Raises
    ------
    UncertaintyError
        If `inexactness` is out of range.
    """
    return Distribution(kind="curvilinear_trapezoidal", shape=(float(inexactness),))


def arcsine() -> Distribution:
    """Return the arcsine (U-shaped) distribution, of a sine at an unknown phase; its half-width is sqrt(2) u.

    Returns
    -------
    :
        The distribution.
    """
    return Distribution(kind="arcsine")


def samples(values: Sequence[float] | Floats) -> Distribution:
    """Return the distribution of given values, shifted and scaled to mean 0 and standard deviation 1.

    Parameters
    ----------
    values:
        At least two values that differ, any units.

    Returns
    -------
    :
        The distribution; each value is drawn with equal probability.

    Raises
    ------
    UncertaintyError
        If there are fewer than two values, one is not finite, or they are all equal.
    """
    given = np.asarray(values, dtype=float).ravel()
    if given.size < 2 or not np.isfinite(given).all() or float(np.std(given)) == 0.0:  # noqa: PLR2004
        msg = f"samples need at least 2 finite values that differ, got {given.size} of them; use u=0 for a constant"
        raise UncertaintyError(msg)
    return Distribution(kind="samples", shape=tuple(((given - given.mean()) / given.std()).tolist()))


def half_width_factor(distribution: Distribution) -> float:
    """Return the half-width of a bounded distribution in units of its standard deviation.

    Parameters
    ----------
    distribution:
        A bounded one.

    Returns
    -------
    :
        For example sqrt(3) for a rectangular one, dimensionless. For `curvilinear_trapezoidal` the half-width
        is that of the rectangle with exact limits.

    Raises
    ------
    UncertaintyError
        If the distribution has no half-width.
    """
    if distribution.kind not in _BOUNDED:
        msg = f"a {distribution} distribution has no half-width; wanted one of {list(_BOUNDED)}, or give u itself"
        raise UncertaintyError(msg)
    shape = distribution.shape[0] if distribution.shape else 0.0
    variance = {
        "rectangular": 1 / 3,
        "triangular": 1 / 6,
        "trapezoidal": (1 + shape**2) / 6,
        "curvilinear_trapezoidal": 1 / 3 + shape**2 / 9,
        "arcsine": 1 / 2,
    }[distribution.kind]
    return 1 / math.sqrt(variance)


def u_from_half_width(half_width: float, distribution: Distribution) -> float:
    """Return the standard uncertainty of a quantity known to lie within a half-width.

    Parameters
    ----------
    half_width:
        In the units of the quantity, >= 0.
    distribution:
        A bounded one.

    Returns
    -------
    :
        Standard uncertainty, in the units of `half_width`.

    Raises
    ------
    UncertaintyError
        If the half-width is negative or not finite, or the distribution has none.
    """
    if not math.isfinite(half_width) or half_width < 0:
        msg = f"a half-width must be finite and not negative, got {half_width:g}"
        raise UncertaintyError(msg)
    return half_width / half_width_factor(distribution)


def _unit_half_width(distribution: Distribution, rng: np.random.Generator, n: int) -> Floats:
    if distribution.kind == "arcsine":
        return np.sin(rng.uniform(-math.pi, math.pi, n))
    if distribution.kind == "rectangular":
        return rng.uniform(-1, 1, n)
    if distribution.kind == "curvilinear_trapezoidal":
        limit = 1 + distribution.shape[0] * rng.uniform(-1, 1, n)
        return limit * rng.uniform(-1, 1, n)
    ratio = distribution.shape[0] if distribution.kind == "trapezoidal" else 0.0
    return 0.5 * (1 + ratio) * rng.uniform(-1, 1, n) + 0.5 * (1 - ratio) * rng.uniform(-1, 1, n)
