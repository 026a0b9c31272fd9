"""Recording: shots go to an HDF5 file as they come; whatever happens to the program, what was acknowledged is there."""

from instruments.record.reading import read, recover
from instruments.record.recorder import Recorder, record

__all__ = ["Recorder", "read", "record", "recover"]
