"""The way to a safe state when anything goes wrong.

Not here: what is safe for a device (its driver's `safe_state`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from instruments.protocols import Device

__all__ = ["guard"]


@contextmanager
def guard(*devices: Device) -> Iterator[None]:
    """Drive devices to their safe state, the last first, if the block ends in any exception.

    Parameters
    ----------
    devices:
        In the order in which they were switched on.

    Returns
    -------
    :
        A context. The exception goes on, also Ctrl-C; a device that cannot be made safe is noted in it, and the others
        are made safe all the same.

    Raises
    ------
    BaseException
        The one that ended the block.
    """
    try:
        yield
    except BaseException as error:
        for device in reversed(devices):
            for failed in _made_safe(device):
                error.add_note(f"{device.name} could not be made safe: {type(failed).__name__}: {failed}")
        raise


def _made_safe(device: Device) -> list[BaseException]:
    """Make safe, once more if Ctrl-C cuts it short; return what went wrong: the other devices come first."""
    for _ in range(2):
        try:
            device.safe_state()
        except KeyboardInterrupt as failed:
            found: list[BaseException] = [failed]
        except BaseException as failed:  # noqa: BLE001 - as above
            return [failed]
        else:
            return []
    return found
