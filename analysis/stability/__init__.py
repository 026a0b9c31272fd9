"""Frequency stability: the Allan family with identified noise and intervals; drift; three clocks.

Not here: the fitting of lines (`analysis.peaks`).
"""

from analysis.stability.deviations import adev, hdev, mdev, mtie, oadev, ohdev, tdev, totdev
from analysis.stability.drift import drift, remove_drift
from analysis.stability.freedom import degrees_of_freedom
from analysis.stability.hat import three_cornered_hat
from analysis.stability.noise import NOISES, identify
from analysis.stability.repair import jumps, on_grid, remove_outliers, unwrap
from analysis.stability.spectrum import deviation_from_psd, psd, psd_from_deviation
from analysis.stability.totals import mtotdev, theo1

__all__ = [
    "NOISES",
    "adev",
    "degrees_of_freedom",
    "deviation_from_psd",
    "drift",
    "hdev",
    "identify",
    "jumps",
    "mdev",
    "mtie",
    "mtotdev",
    "oadev",
    "ohdev",
    "on_grid",
    "psd",
    "psd_from_deviation",
    "remove_drift",
    "remove_outliers",
    "tdev",
    "theo1",
    "three_cornered_hat",
    "totdev",
    "unwrap",
]
