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
            try:
                device.safe_state()
            except Exception as failed:  # noqa: BLE001 - the other devices come first
                error.add_note(f"{device.name} could not be made safe: {type(failed).__name__}: {failed}")
        raise
