"""Sums and linear systems without rounding, on the decimal numbers that the data were written in.

A float stands for the shortest decimal that reads back as it (0.1 for the binary number next to it), which moves no
number by more than half a unit of its last binary digit; from there on everything is integers and fractions. The time
is about a microsecond for each number and each product.
Not here: what the sums mean (`analysis.uncertainty.regression`, `analysis.uncertainty.anova`).
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from operator import mul

import numpy as np
import numpy.typing as npt

Matrix = list[list[Fraction]]
_BITS = 128


def integers(values: npt.NDArray[np.floating]) -> tuple[list[int], int]:
    """Return finite numbers as integers over one power of ten.

    Parameters
    ----------
    values:
        Shape `(n,)`, finite.

    Returns
    -------
    :
        Integers and the power of ten that they are to be divided by.
    """
    given = values.tolist() if values.dtype == np.float64 else [str(each) for each in values]
    written = [Decimal(str(each)) for each in given]
    places = max((-int(each.as_tuple().exponent) for each in written), default=0)
    scale = 10 ** max(places, 0)
    ratios = (each.as_integer_ratio() for each in written)
    return [above * (scale // below) for above, below in ratios], scale


def dot(first: Sequence[int], second: Sequence[int]) -> int:
    """Return the sum of products.

    Parameters
    ----------
    first, second:
        Integers, the same number of them.

    Returns
    -------
    :
        The sum.
    """
    return sum(map(mul, first, second))


def root(square: Fraction) -> float:
    """Return the square root of a fraction.

    Parameters
    ----------
    square:
        Not negative.

    Returns
    -------
    :
        The nearest float.
    """
    if square == 0:
        return 0.0
    above, below = square.numerator, square.denominator
    shift = max(0, _BITS - (above.bit_length() - below.bit_length()))
    shift += shift % 2
    whole = math.isqrt((above << shift) // below)
    return float(Fraction(whole, 1 << (shift // 2)))


def factorise(matrix: Matrix) -> tuple[Matrix, list[Fraction]] | None:
    """Factorise a symmetric positive definite matrix as `L D Lᵀ`.

    Parameters
    ----------
    matrix:
        Square, symmetric.

    Returns
    -------
    :
        The unit lower triangle `L` and the diagonal `D`; None if the matrix is singular.
    """
    size = len(matrix)
    lower = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    diagonal: list[Fraction] = []
    for j in range(size):
        pivot = matrix[j][j] - sum((lower[j][k] ** 2 * diagonal[k] for k in range(j)), Fraction(0))
        if pivot <= 0:
            return None
        diagonal.append(pivot)
        for i in range(j + 1, size):
            rest = matrix[i][j] - sum((lower[i][k] * lower[j][k] * diagonal[k] for k in range(j)), Fraction(0))
            lower[i][j] = rest / pivot
    return lower, diagonal


def invert_lower(lower: Matrix) -> Matrix:
    """Invert a unit lower triangle.

    Parameters
    ----------
    lower:
        From `factorise`.

    Returns
    -------
    :
        Its inverse, a unit lower triangle.
    """
    size = len(lower)
    found = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    for j in range(size):
        for i in range(j + 1, size):
            found[i][j] = -sum((lower[i][k] * found[k][j] for k in range(j, i)), Fraction(0))
    return found
