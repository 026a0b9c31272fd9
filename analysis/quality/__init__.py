"""Quality of measurement: gauge studies, control charts, capability, interlaboratory comparisons, decisions.

Not here: uncertainty of one result (`analysis.uncertainty`), check standards of a calibration (`analysis.calibration`).
"""

from analysis.quality.chart_result import ControlChart, Signal, Track
from analysis.quality.charts import control_chart
from analysis.quality.comparison import Comparison, Laboratory
from analysis.quality.decisions import Decision, Outcome, conformity
from analysis.quality.gauge import gauge_rr
from analysis.quality.gauge_result import Component, GaugeStudy, MeanSquare
from analysis.quality.interlaboratory import interlab
from analysis.quality.process import Capability, Index, capability
from analysis.quality.robust import Robust, algorithm_a, q_hampel
from analysis.quality.run_length import run_length
from analysis.quality.systematic import Bias, Linearity, Stability, bias, linearity, stability

__all__ = [
    "Bias",
    "Capability",
    "Comparison",
    "Component",
    "ControlChart",
    "Decision",
    "GaugeStudy",
    "Index",
    "Laboratory",
    "Linearity",
    "MeanSquare",
    "Outcome",
    "Robust",
    "Signal",
    "Stability",
    "Track",
    "algorithm_a",
    "bias",
    "capability",
    "conformity",
    "control_chart",
    "gauge_rr",
    "interlab",
    "linearity",
    "q_hampel",
    "run_length",
    "stability",
]
