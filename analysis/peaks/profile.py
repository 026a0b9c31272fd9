"""Ends of an interval along the profile of chi-square, for all spectra of a map at once.

For each parameter both ends of all spectra are searched together: every step is one batched fit with the parameter
held at its own value in each spectrum. The root is sought in sqrt(rise of chi-square), which is nearly a straight line.
Not here: what the ends mean (`analysis.peaks.intervals`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.peaks.again import Again
from analysis.peaks.interval_status import IntervalStatus, Limits
from analysis.peaks.status import Status

__all__ = ["profile"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Ints = np.ndarray[Any, np.dtype[Any]]
CLOSE = 1e-5
LOWER = 1e-4
STEPS = 40
PATIENCE = 2
FARTHEST = 1e5
USABLE = (Status.CONVERGED, Status.SINGULAR)


@dataclass(kw_only=True)
class _Search:
    """One end of each spectrum: `near` still below the target with its solution, `far` above it."""

    target: Floats
    near: Floats
    s_near: Floats
    inner: Floats
    far: Floats
    s_far: Floats
    limit: Floats
    first: Floats
    end: Floats
    state: Ints
    narrow: Ints
    failed: Ints


def profile(again: Again, names: list[str], *, level: float, threads: int | None) -> Limits:
    """Search both ends for each parameter.

    Parameters
    ----------
    again:
        Fit and spectra.
    names:
        Free parameters.
    level:
        Coverage.
    threads:
        As in `analysis.peaks.fit.fit`.

    Returns
    -------
    :
        The ends, and the smallest chi-square that was met.
    """
    count = len(again.signal)
    rise = _rise(again, level)
    shape = (count, len(names))
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    states = [np.full(shape, IntervalStatus.NO_FIT, dtype=np.int8) for _ in range(2)]
    refits = np.zeros(count, dtype=np.int64)
    lowest, better = again.flat("chisqr").copy(), again.values.copy()
    good = np.flatnonzero(np.isin(again.flat("status"), USABLE) & (rise > 0.0))
    for k, name in enumerate(names):
        if not good.size:
            break
        walk = _Walk(again, name, good=good, rise=rise, refits=refits, lowest=lowest, better=better, threads=threads)
        down, up = walk.run()
        low[good, k], high[good, k] = down.end, up.end
        states[0][good, k], states[1][good, k] = down.state, up.state
    under = lowest < again.flat("chisqr") - LOWER * rise
    for end, state in zip((low, high), states, strict=True):
        end[under] = np.nan
        state[under] = IntervalStatus.FIT_NOT_MINIMUM
    what = "the deviance" if again.loss == "poisson" else "chi-square"
    scale = f"{what} rises by the quantile of chi-square with 1 degree of freedom"
    if again.scaled:
        scale = "chi-square rises by redchi times the quantile of F(1, ndata - free)"
    return Limits(
        low=low, high=high, low_status=states[0], high_status=states[1], refits=refits, scale=scale, lowest=lowest,
        better=better,
    )  # fmt: skip


def _rise(again: Again, level: float) -> Floats:
    """Return by how much chi-square may rise, for each spectrum; NaN without degrees of freedom."""
    if not again.scaled:
        return np.full(len(again.signal), float(stats.chi2.ppf(level, 1)))
    dof = again.flat("ndata") - again.plan.free.size
    with np.errstate(all="ignore"):
        quantile = stats.f.ppf(level, 1, np.maximum(dof, 1))
        return np.where(dof > 0, again.flat("chisqr") / np.maximum(dof, 1) * quantile, np.nan)


class _Walk:
    """The search for one parameter, both ends of all good spectra."""

    def __init__(
        self,
        again: Again,
        name: str,
        *,
        good: Ints,
        rise: Floats,
        refits: Ints,
        lowest: Floats,
        better: Floats,
        threads: int | None,
    ) -> None:
        self.again, self.name, self.good, self.threads = again, name, good, threads
        self.rise, self.refits, self.lowest, self.better = rise, refits, lowest, better
        self.column = again.plan.names.index(name)
        self.free = int(np.flatnonzero(again.plan.free == self.column)[0])
        self.best = again.values[good]
        self.chisqr = again.flat("chisqr")[good]

    def run(self) -> tuple[_Search, _Search]:
        """Search both ends together."""
        pair = self.begin(-1.0), self.begin(1.0)
        for _ in range(STEPS):
            active = [np.flatnonzero(search.state < 0) for search in pair]
            if not active[0].size + active[1].size:
                break
            trial = [self.next_distance(search, at) for search, at in zip(pair, active, strict=True)]
            self.step(pair, active, trial)
        for search in pair:
            search.state[search.state < 0] = IntervalStatus.REFIT_FAILED
        return pair

    def begin(self, sign: float) -> _Search:
        """Start from the straight line that the covariance gives."""
        count = len(self.good)
        value = self.best[:, self.column]
        bound = self.again.plan.low[self.free] if sign < 0.0 else self.again.plan.high[self.free]
        room = np.maximum(sign * (bound - value), 0.0)
        error = self.again.flat("stderr")[self.good][:, self.column]
        target = np.sqrt(self.rise[self.good])
        spread = np.sqrt(self.again.flat("redchi")[self.good]) if self.again.scaled else 1.0
        first = np.where(error > 0.0, error * target / spread, 1e-3 * np.maximum(np.abs(value), 1e-3))
        state = np.full(count, -1, dtype=np.int8)
        end = np.full(count, np.nan)
        stuck = room <= 1e-9 * first
        state[stuck], end[stuck] = IntervalStatus.AT_BOUND, sign * np.inf
        return _Search(
            target=target, near=np.zeros(count), s_near=np.zeros(count), inner=self.best.copy(),
            far=np.full(count, np.inf), s_far=np.full(count, np.inf), limit=room, first=np.minimum(first, room),
            end=end, state=state, narrow=np.zeros(count, dtype=np.int64), failed=np.zeros(count, dtype=np.int64),
        )  # fmt: skip

    def next_distance(self, search: _Search, at: Ints) -> Floats:
        """Choose where to refit next: along the secant, bisecting where that does not narrow the bracket."""
        near, far, s_near, s_far = search.near[at], search.far[at], search.s_near[at], search.s_far[at]
        target = search.target[at]
        with np.errstate(all="ignore"):
            outward = np.where(s_near > 0.0, near * np.clip(target / s_near, 1.05, 10.0), search.first[at])
            secant = near + (target - s_near) * (far - near) / (s_far - s_near)
            middle = 0.5 * (near + far)
        inside = np.isfinite(far)
        poor = ~np.isfinite(secant) | (search.narrow[at] >= PATIENCE) | (secant <= near) | (secant >= far)
        out = np.where(inside, np.where(poor, middle, secant), outward)
        return np.minimum(out, search.limit[at])

    def step(self, pair: tuple[_Search, _Search], active: list[Ints], trial: list[Floats]) -> None:
        """Refit once for all that are still searched, and judge."""
        rows = np.concatenate([self.good[at] for at in active])
        start = np.concatenate(
            [
                self.predict(search, at, distance, sign)
                for search, at, distance, sign in zip(pair, active, trial, (-1.0, 1.0), strict=True)
            ]
        )
        own = self.again.sigma
        sigma = own if own is None or len(own) == 1 else own[rows]
        found = self.again.refit(self.again.signal[rows], sigma, start, held=self.name, threads=self.threads)
        np.add.at(self.refits, rows, 1)
        values, chisqr, status = found["value"].values, found["chisqr"].values, found["status"].values
        usable = np.isin(status, USABLE) & np.isfinite(chisqr)
        for row, value, each in zip(rows[usable], values[usable], chisqr[usable], strict=True):
            if each < self.lowest[row]:
                self.lowest[row], self.better[row] = each, value
        low = 0
        for search, at, distance, sign in zip(pair, active, trial, (-1.0, 1.0), strict=True):
            part = slice(low, low + at.size)
            self.judge(
                search, at, distance=distance, sign=sign, values=values[part], chisqr=chisqr[part], usable=usable[part]
            )
            low += at.size

    def predict(self, search: _Search, at: Ints, distance: Floats, sign: float) -> Floats:
        """Extrapolate the other parameters: by the covariance at first, then along the profile."""
        best, near = self.best[at], search.near[at]
        covariance = self.again.flat("covariance")[self.good[at]][:, :, self.column]
        with np.errstate(all="ignore"):
            along = covariance / covariance[:, [self.column]] * (sign * distance)[:, None]
            walked = (search.inner[at] - best) * (distance / near)[:, None]
        moved = best + np.where((near > 0.0)[:, None], np.nan_to_num(walked), np.nan_to_num(along))
        moved[:, self.column] = best[:, self.column] + sign * distance
        return moved

    def judge(
        self,
        search: _Search,
        at: Ints,
        *,
        distance: Floats,
        sign: float,
        values: Floats,
        chisqr: Floats,
        usable: Bools,
    ) -> None:
        """Move the bracket, and close what is found or open."""
        with np.errstate(all="ignore"):
            s = np.sqrt(np.maximum(chisqr - self.chisqr[at], 0.0))
        target = search.target[at]
        above, below = usable & (s > target), usable & (s <= target)
        width = search.far[at] - search.near[at]
        for side, chosen in ((search.far, above), (search.near, below)):
            side[at[chosen]] = distance[chosen]
        search.s_far[at[above]], search.s_near[at[below]] = s[above], s[below]
        search.inner[at[below]] = values[below]
        failed = at[~usable]
        search.far[failed], search.s_far[failed] = distance[~usable], np.nan
        search.failed[failed] += 1
        with np.errstate(all="ignore"):
            slow = search.far[at] - search.near[at] > 0.5 * width
        search.narrow[at] = np.where(slow, search.narrow[at] + 1, 0)
        ends = self.best[at, self.column] + sign * distance
        tight = np.abs(search.far[at] - search.near[at]) <= CLOSE * search.near[at]
        found = usable & ((np.abs(s - target) <= CLOSE * target) | (tight & np.isfinite(search.s_far[at])))
        search.end[at[found]], search.state[at[found]] = ends[found], IntervalStatus.FOUND
        rest = ~found & below
        walled = rest & (distance >= search.limit[at])
        flat = rest & (distance > FARTHEST * search.first[at]) & (search.s_far[at] == np.inf)
        for chosen, kind in ((walled, IntervalStatus.AT_BOUND), (flat & ~walled, IntervalStatus.OPEN)):
            search.end[at[chosen]], search.state[at[chosen]] = sign * np.inf, kind
        lost = ~found & ~usable & (search.failed[at] > STEPS // 4)
        search.state[at[lost]] = IntervalStatus.REFIT_FAILED
