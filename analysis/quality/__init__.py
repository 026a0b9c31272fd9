"""Quality of measurement: gauge studies, control charts, capability, interlaboratory comparisons, decisions.

Not here: uncertainty of one result (`analysis.uncertainty`), check standards of a calibration (`analysis.calibration`).
"""

from analysis.quality.comparison import Comparison, Laboratory
from analysis.quality.interlaboratory import interlab
from analysis.quality.robust import Robust, algorithm_a, q_hampel

__all__ = ["Comparison", "Laboratory", "Robust", "algorithm_a", "interlab", "q_hampel"]
