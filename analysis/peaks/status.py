"""How a fit ended, for the whole spectrum and for each parameter.

Not here: the sentences of `advice`, which need the numbers of a fit (`analysis.peaks.result`).
"""

from enum import IntEnum

__all__ = ["ParameterStatus", "Status", "status_attrs"]


class Status(IntEnum):
    """How a fit ended; stored in results as CF flag values."""

    CONVERGED = 0
    MAX_ITERATIONS = 1
    SINGULAR = 2
    TOO_FEW_POINTS = 3
    INVALID_DATA = 4
    NON_FINITE_MODEL = 5
    STALLED = 6
    CANCELLED = 7

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        return _STATUS_SENTENCES[self]


class ParameterStatus(IntEnum):
    """What a parameter was in the fit; stored in results as CF flag values."""

    FREE = 0
    FIXED = 1
    TIED = 2
    AT_BOUND = 3
    UNIDENTIFIABLE = 4

    @property
    def sentence(self) -> str:
        """What it means for the uncertainty, in one sentence."""
        return _PARAMETER_SENTENCES[self]


_STATUS_SENTENCES = {
    Status.CONVERGED: "the fit converged",
    Status.MAX_ITERATIONS: "the iteration limit was reached before the fit converged",
    Status.SINGULAR: "the data do not determine all free parameters",
    Status.TOO_FEW_POINTS: "there are fewer usable points than free parameters",
    Status.INVALID_DATA: "the spectrum has no usable point, a sigma that is not positive and finite, or no raw counts",
    Status.NON_FINITE_MODEL: "the model is not finite, or not positive where counts are fitted",
    Status.CANCELLED: "cancelled before this spectrum was fitted",
    Status.STALLED: "no step lowered chi-square although the gradient is not zero",
}
_PARAMETER_SENTENCES = {
    ParameterStatus.FREE: "free",
    ParameterStatus.FIXED: "held fixed by the user, so it has no uncertainty from the fit",
    ParameterStatus.TIED: "computed from other parameters by its expression",
    ParameterStatus.AT_BOUND: "at its bound, so it has no standard error; the others hold it there",
    ParameterStatus.UNIDENTIFIABLE: "not determined by the data",
}


def status_attrs(kind: type[IntEnum]) -> dict[str, object]:
    """Give the CF attributes that explain a status variable.

    Parameters
    ----------
    kind:
        `Status` or `ParameterStatus`.

    Returns
    -------
    :
        `flag_values` (int8 list) and `flag_meanings` (blank separated).
    """
    return {
        "flag_values": [int(member) for member in kind],
        "flag_meanings": " ".join(member.name.lower() for member in kind),
    }
