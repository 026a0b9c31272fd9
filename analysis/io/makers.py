"""The readers of makers' formats that have a signature, in the order in which they are asked.

Not here: which of them a file needs (`analysis.io.registry`), text without a signature (`analysis.io.ascii`).
"""

from analysis.io import (
    jasco,
    labspec,
    maestro,
    opus,
    princeton,
    procspec,
    scope,
    sif,
    tdms,
    tektronix,
    testxpert,
    thermo,
    wdf,
    wire,
    xdi,
)
from analysis.io.reader import Reader

MAKERS: tuple[Reader, ...] = (
    maestro.READER,
    xdi.READER,
    tektronix.READER,
    testxpert.READER,
    labspec.READER,
    wire.READER,
    jasco.READER,
    thermo.READER,
    procspec.READER,
    opus.READER,
    wdf.READER,
    sif.READER,
    tdms.READER,
    scope.READER,
    princeton.READER,
)
"""Princeton last: it is known by its numbers, the others by their first bytes."""
