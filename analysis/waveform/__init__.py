"""Waveforms: sine fits, digitisers (SINAD, ENOB, INL, jitter), spectra, steps, frequency response, lock-in.

Not here: stability over time (`analysis.stability`).
"""

from analysis.waveform.coherent import Coherent, coherent
from analysis.waveform.digitiser import DynamicTest, dynamic_test
from analysis.waveform.first_order import FirstOrder, first_order
from analysis.waveform.histogram import histogram_test
from analysis.waveform.jitter import jitter
from analysis.waveform.lockin import lock_in
from analysis.waveform.response import frequency_response
from analysis.waveform.sine import quantities, sine_fit
from analysis.waveform.spectra import psd
from analysis.waveform.steps import Step, step_response

__all__ = [
    "Coherent", "DynamicTest", "FirstOrder", "Step", "coherent", "dynamic_test", "first_order", "frequency_response",
    "histogram_test", "jitter", "lock_in", "psd", "quantities", "sine_fit", "step_response",
]  # fmt: skip
