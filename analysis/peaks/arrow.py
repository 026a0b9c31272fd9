"""Normal equations shaped like an arrow: each spectrum's own block, and a border of what they share.

With m own and b shared parameters a step costs n·m³ + b³, not (n·m + b)³.
Not here: where the blocks come from (`analysis.peaks.joint_problem`).
References: Björck, Numerical Methods for Least Squares Problems (1996), section 6.3 (block angular problems).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Arrow", "Places"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
RIDGE = 1e-14


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the free parameters stand: `own` dims `(spectrum, slot)`, -1 where there is none; `border` the shared."""

    own: Ints
    border: Ints
    size: int

    def spread(self, vector: Floats, empty: float) -> Floats:
        """Put the own part of a vector over the free parameters into slots."""
        return np.where(self.own >= 0, vector[np.maximum(self.own, 0)], empty)

    def gather(self, own: Floats, border: Floats) -> Floats:
        """Put slots and border back into one vector."""
        out = np.zeros(self.size)
        out[self.own[self.own >= 0]] = own[self.own >= 0]
        out[self.border] = border
        return out


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """A symmetric matrix: `own` (spectrum, slot, slot), `side` (spectrum, slot, border), `core` (border, border)."""

    places: Places
    own: Floats
    side: Floats
    core: Floats

    def diagonal(self) -> Floats:
        """Return the diagonal over the free parameters."""
        return self.places.gather(np.diagonal(self.own, axis1=1, axis2=2), np.diagonal(self.core))

    def times(self, vector: Floats) -> Floats:
        """Multiply with a vector."""
        own, border = self.places.spread(vector, 0.0), vector[self.places.border]
        first = np.einsum("dij,dj->di", self.own, own) + self.side @ border
        return self.places.gather(first, np.einsum("dij,di->j", self.side, own) + self.core @ border)

    def solve(self, right: Floats, *, damping: float, held: np.ndarray[Any, np.dtype[np.bool_]]) -> Floats | None:
        """Solve (H + damping · diag H) x = right, with x = 0 where held; None if not positive definite."""
        diagonal = self.diagonal()
        size = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
        keep = (~held).astype(float)
        own_size, own_keep = self.places.spread(size, 1.0), self.places.spread(keep, 0.0)
        size_b, keep_b = size[self.places.border], keep[self.places.border]
        weight, weight_b = own_keep / own_size, keep_b / size_b
        own = self.own * weight[:, :, None] * weight[:, None, :]
        side = self.side * weight[:, :, None] * weight_b
        core = self.core * weight_b[:, None] * weight_b
        for matrix in (own, core):
            at = np.arange(matrix.shape[-1])
            matrix[..., at, at] = 1.0 + damping + RIDGE
        scaled = right * keep / size
        try:
            np.linalg.cholesky(own)
            both = np.linalg.solve(own, np.concatenate([side, self.places.spread(scaled, 0.0)[:, :, None]], axis=2))
            reduced = core - np.einsum("dij,dik->jk", side, both[:, :, :-1])
            np.linalg.cholesky(reduced)
            border = np.linalg.solve(reduced, scaled[self.places.border] - np.einsum("dij,di->j", side, both[:, :, -1]))
        except np.linalg.LinAlgError:
            return None
        found = self.places.gather(both[:, :, -1] - both[:, :, :-1] @ border, border)
        return found * keep / size

    def dense(self) -> Floats:
        """Return the whole matrix over the free parameters."""
        out = np.zeros((self.places.size, self.places.size))
        border = self.places.border
        for places, own, side in zip(self.places.own, self.own, self.side, strict=True):
            at = places[places >= 0]
            out[np.ix_(at, at)] = own[: at.size, : at.size]
            out[np.ix_(at, border)] = side[: at.size]
            out[np.ix_(border, at)] = side[: at.size].T
        out[np.ix_(border, border)] = self.core
        return out
