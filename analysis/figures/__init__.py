"""Static figures of results, as matplotlib figures without global state."""

from analysis.figures.drawing import png
from analysis.figures.fitted_curves import draw_curve
from analysis.figures.pairs import draw_pairs
from analysis.figures.quality import draw_chart, draw_equivalence, draw_gauge
from analysis.figures.records import draw_records
from analysis.figures.results import draw_budget, draw_densities, draw_deviations
from analysis.figures.runs import draw_loop, draw_map
from analysis.figures.spectra import draw_baseline, draw_fit, draw_spectrum
from analysis.figures.stability import draw_stability
from analysis.figures.tensile import draw_tensile
from analysis.figures.waveforms import draw_density, draw_linearity

__all__ = [
    "draw_baseline",
    "draw_budget",
    "draw_chart",
    "draw_curve",
    "draw_densities",
    "draw_density",
    "draw_deviations",
    "draw_equivalence",
    "draw_fit",
    "draw_gauge",
    "draw_linearity",
    "draw_loop",
    "draw_map",
    "draw_pairs",
    "draw_records",
    "draw_spectrum",
    "draw_stability",
    "draw_tensile",
    "png",
]
