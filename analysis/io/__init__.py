"""Files to data and back: `read` by content, `write` atomically, packaged samples."""

from analysis.io.dcc import Certificate, read_certificate
from analysis.io.naming import name_axis
from analysis.io.projects import read_calibration, read_project
from analysis.io.reading import read
from analysis.io.samples import sample, sample_names
from analysis.io.writing import write

__all__ = [
    "Certificate",
    "name_axis",
    "read",
    "read_calibration",
    "read_certificate",
    "read_project",
    "sample",
    "sample_names",
    "write",
]
