"""Frequency stability: the Allan family with identified noise and intervals; drift; three clocks.

Not here: the fitting of lines (`analysis.peaks`).
"""

from analysis.stability.deviations import adev, hdev, mdev, mtie, oadev, ohdev, tdev, totdev
from analysis.stability.drift import remove_drift
from analysis.stability.freedom import degrees_of_freedom
from analysis.stability.hat import three_cornered_hat
from analysis.stability.noise import NOISES, identify

__all__ = [
    "NOISES",
    "adev",
    "degrees_of_freedom",
    "hdev",
    "identify",
    "mdev",
    "mtie",
    "oadev",
    "ohdev",
    "remove_drift",
    "tdev",
    "three_cornered_hat",
    "totdev",
]
