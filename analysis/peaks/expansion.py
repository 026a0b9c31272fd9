"""What the kernel found → all parameters, their covariance, statuses and statistics, for many fits, compiled.

Not here: which are tied and how (`analysis.peaks.ties`), fits that are near singular (`analysis.peaks.outcome`).
"""

# Compiled code has no annotations: numba finds its types, and long argument lists are its tables.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import math

import numpy as np

from analysis.peaks.compiled import compiled, entry
from analysis.peaks.program import DEPTH, apply_ties

__all__ = ["complete_rows", "conclude_rows"]

CONVERGED, MAX_ITERATIONS, SINGULAR, STALLED = 0, 1, 2, 6
AT_BOUND, UNIDENTIFIABLE = 3, 4
ROUNDING = 1e-20


@entry()
def _complete_rows(ties, values, chain, stack, slopes):
    for s in range(values.shape[0]):
        apply_ties(ties, values[s], chain, stack, slopes)


def complete_rows(ties, values):
    """Compute the tied parameters of every row of `values`, dims `(spectrum, parameter)`, in place."""
    _complete_rows(ties, values, np.zeros((values.shape[1], 1)), np.zeros(DEPTH), np.zeros((DEPTH, 1)))


@compiled()
def _columns(rows, width, used, count):
    """List in `used` the columns of each row that are not zero."""
    for p in range(rows.shape[0]):
        n = 0
        for j in range(width):
            if rows[p, j] != 0.0:
                used[p, n] = j
                n += 1
        count[p] = n


@compiled()
def _sandwich(rows, covariance, used, count, half, out):
    """Compute rows · covariance · rowsᵀ, most elements of `rows` being zero."""
    width = covariance.shape[0]
    for p in range(rows.shape[0]):
        for j in range(width):
            half[j] = 0.0
        for n in range(count[p]):
            scale = rows[p, used[p, n]]
            for j in range(width):
                half[j] += scale * covariance[used[p, n], j]
        for q in range(p + 1):
            total = 0.0
            for n in range(count[q]):
                total += half[used[q, n]] * rows[q, used[q, n]]
            out[p, q] = total
            out[q, p] = total


@compiled()
def _is_unknown(row, width, lost, held):
    """Say whether a parameter has no standard error: moved by an open one, or only by ones at their bounds."""
    moved = False
    loose = False
    for j in range(width):
        if row[j] != 0.0:
            if lost[j]:
                return True
            moved = True
            loose = loose or held[j] == 0
    return moved and not loose


@compiled()
def _mark_open(span, u, inner, normal, scale, lost):
    """Mark parameters whose standard error says nothing, or that move the curve by rounding; say if any is marked."""
    power = 0.0
    for j in range(u.size):
        power = max(power, normal[j, j] * u[j] ** 2)
    marked = False
    for j in range(u.size):
        limit = span[j] ** 2
        if limit < math.inf and (normal[j, j] * limit < ROUNDING * power or inner[j, j] * scale > limit):
            lost[j] = True
        marked = marked or lost[j]
    return marked


@compiled()
def _holds_any(held):
    count = 0
    for j in range(held.size):
        count += held[j]
    return count > 0


@compiled()
def _blank(chain, lost, held, known, unknown, covariance):
    """Put NaN where a parameter has no standard error."""
    size = covariance.shape[0]
    for p in range(size):
        unknown[p] = not known or _is_unknown(chain[p], lost.size, lost, held)
    for p in range(size):
        for q in range(size):
            if unknown[p] or unknown[q]:
                covariance[p, q] = math.nan


@compiled()
def _state_parameters(state, free, mix, held, lost, out):
    """Say of each parameter what it was; an open one of u opens all that it moves."""
    for p in range(state.size):
        out[p] = state[p]
    for k in range(free.size):
        if held[k] == 1:
            out[free[k]] = AT_BOUND
        for j in range(free.size):
            if lost[j] and mix[k, j] != 0.0:
                out[free[k]] = UNIDENTIFIABLE


@compiled()
def _expand(ties, free, mix, u, values, chain, stack, slopes):
    """Fill free and tied parameters, and the derivatives of all to u."""
    for p in range(values.size):
        for j in range(free.size):
            chain[p, j] = 0.0
    for j in range(free.size):
        total = 0.0
        for k in range(free.size):
            total += mix[j, k] * u[k]
            chain[free[j], k] = mix[j, k]
        values[free[j]] = total
    apply_ties(ties, values, chain, stack, slopes)


@compiled()
def _statistics(chisqr, points, free, poisson):
    """Return reduced chi-square and the two information criteria, as lmfit defines them."""
    floor = 1e-250 * points
    likelihood = chisqr if poisson else points * math.log((floor if chisqr < floor else chisqr) / points)
    return chisqr / max(1, points - free), likelihood + 2 * free, likelihood + math.log(max(points, 1)) * free


def conclude_rows(ties, free, state, poisson, scaled, found, fits, statistics):
    """Fill `fits` and `statistics`; NaN in place of what is not known.

    Parameters
    ----------
    ties:
        `(ops, args, start, target)` of all tied parameters.
    free:
        Positions of the free parameters.
    state:
        What each parameter is before the fit, codes of `analysis.peaks.status.ParameterStatus`.
    poisson:
        Whether the loss is the Cash deviance.
    scaled:
        Whether the covariance is multiplied by the reduced chi-square.
    found:
        Mix and span; then of each fit u, covariance, curvature, marks of parameters at a bound and of those that the
        data leave open, usable points, loss and status: `analysis.peaks.outcome.Found`.
    fits:
        Values, standard errors, covariance, status and states of the parameters; the values hold the start.
    statistics:
        Loss, reduced loss, AIC and BIC.
    """
    size, width = len(state), len(free)
    work = (
        np.zeros((size, width)), np.zeros(DEPTH), np.zeros((DEPTH, width)), np.zeros((size, width), dtype=np.int64),
        np.zeros(size, dtype=np.int64), np.zeros(width), np.zeros(size, dtype=np.bool_),
    )  # fmt: skip
    _conclude_rows(ties, free, state, poisson, scaled, found, work, fits, statistics)


@entry()
def _conclude_rows(ties, free, state, poisson, scaled, found, work, fits, statistics):
    mix, span, u, inner, normal, held, lost, points, loss, ended = found
    chain, stack, slopes, used, count, half, unknown = work
    values, stderr, covariance, status, states = fits
    chisqr, redchi, aic, bic = statistics
    width = free.size
    size = values.shape[1]
    for s in range(values.shape[0]):
        known = ended[s] == CONVERGED or ended[s] == SINGULAR
        failed = not known and ended[s] != MAX_ITERATIONS and ended[s] != STALLED
        chisqr[s] = math.nan if failed else loss[s]
        redchi[s], aic[s], bic[s] = _statistics(chisqr[s], points[s], width, poisson)
        scale = redchi[s] if scaled else 1.0
        marked = known and _mark_open(span, u[s], inner[s], normal[s], scale, lost[s])
        status[s] = SINGULAR if marked else ended[s]
        _expand(ties, free, mix, u[s], values[s], chain, stack, slopes)
        _columns(chain, width, used, count)
        _sandwich(chain, inner[s], used, count, half, covariance[s])
        for p in range(size):
            for q in range(size):
                covariance[s, p, q] *= scale
        if not known or marked or _holds_any(held[s]):
            _blank(chain, lost[s], held[s], known, unknown, covariance[s])
        for p in range(size):
            stderr[s, p] = math.sqrt(covariance[s, p, p])
            values[s, p] = math.nan if failed else values[s, p]
        for j in range(width):
            lost[s, j] = lost[s, j] and not failed
        _state_parameters(state, free, mix, held[s], lost[s], states[s])
