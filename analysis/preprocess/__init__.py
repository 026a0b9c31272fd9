"""Steps before a baseline or a fit: remove cosmic rays, cut out a range, smooth."""

from analysis.preprocess.crop import crop
from analysis.preprocess.despike import despike
from analysis.preprocess.smooth import smooth

__all__ = ["crop", "despike", "smooth"]
