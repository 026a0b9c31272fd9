"""What can go wrong, by room. Every message says what it got, what it wanted and the next move.

Not here: outcomes of a fit that did not converge (a status, `analysis.peaks`).
"""

import difflib
from collections.abc import Iterable
from typing import Any


class MetrospecError(ValueError):
    """Base of every error that this package raises on purpose."""


class SpectrumError(MetrospecError):
    """The data are not a spectrum, or not the one that the step needs."""


class UnitsError(MetrospecError):
    """Units that do not parse or do not match."""


class ModelError(MetrospecError):
    """A model or its parameters cannot be used as asked."""


class UncertaintyError(MetrospecError):
    """An uncertainty, a correlation or a measurement model that makes no sense."""


class CalibrationError(MetrospecError):
    """A calibration cannot be made, or must not be used here."""


class FormatError(MetrospecError):
    """A file is not what it claims to be, or cannot be read safely."""


class HistoryError(MetrospecError):
    """A history is missing, damaged, or cannot be replayed."""


class InstrumentError(MetrospecError):
    """An instrument refuses, answers what cannot be read, or must not be used so."""


class InstrumentTimeoutError(InstrumentError):
    """An instrument did not answer in time, or is gone."""


class AcquisitionError(InstrumentError):
    """An acquisition ended early; outputs are safe, and what was read until then is kept."""

    data: Any = None
    """What was read, as a Dataset; None if there was nothing."""


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Return a hint such as ``" Did you mean 'raman_shift'?"``, or an empty string.

    Parameters
    ----------
    name:
        What the user wrote.
    options:
        What would have been accepted.

    Returns
    -------
    :
        The hint, with a leading blank.
    """
    by_lower = {option.lower(): option for option in options}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""
