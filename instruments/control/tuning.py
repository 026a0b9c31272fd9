"""Settings of a PID controller from what is known about the process.

Not here: how a process is identified (`instruments.control.identify`).
"""

from dataclasses import replace

from analysis.core import InstrumentError
from analysis.waveform import FirstOrder
from instruments.control.identify import Ultimate
from instruments.control.pid import PidSettings

__all__ = ["simc", "tyreus_luyben"]


def simc(process: FirstOrder, limits: PidSettings, *, closed_loop: float | None = None) -> PidSettings:
    """Tune a PI controller by Skogestad's rules (SIMC).

    Parameters
    ----------
    process:
        Gain, time constant and dead time.
    limits:
        Its limits, rate and bias are kept; its tuning is replaced.
    closed_loop:
        Wanted time constant of the closed loop in s, > 0; None takes the dead time, the fastest that is robust.

    Returns
    -------
    :
        gain = T / (K * (Tc + L)), Ti = min(T, 4 * (Tc + L)) (Skogestad 2003, doi:10.1016/S0959-1524(02)00062-8).

    Raises
    ------
    InstrumentError
        If there is no dead time and no wanted time constant, or that is not > 0.
    """
    gain, lag, dead = (each.value for each in (process.gain, process.time_constant, process.dead_time))
    wanted = dead if closed_loop is None else closed_loop
    if not wanted > 0:
        msg = (
            f"the closed loop needs a time constant > 0, got {wanted!r} s; give closed_loop, a tenth of {lag:g} s or so"
        )
        raise InstrumentError(msg)
    return replace(
        limits, gain=lag / (gain * (wanted + dead)), integral_time=min(lag, 4 * (wanted + dead)), derivative_time=0.0
    )


def tyreus_luyben(ultimate: Ultimate, limits: PidSettings) -> PidSettings:
    """Tune a PI controller from a relay test by the rules of Tyreus and Luyben.

    Parameters
    ----------
    ultimate:
        Ultimate gain and period.
    limits:
        Its limits, rate and bias are kept; its tuning is replaced.

    Returns
    -------
    :
        gain = Ku / 3.2, Ti = 2.2 Pu (Tyreus & Luyben 1992, doi:10.1021/ie00011a029).
    """
    return replace(
        limits, gain=ultimate.gain.value / 3.2, integral_time=2.2 * ultimate.period.value, derivative_time=0.0
    )
