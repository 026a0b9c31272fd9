"""Files to data and back: `read` by content, `write` atomically, packaged samples."""

from analysis.io.collection import Collection, require_one
from analysis.io.dcc import Certificate, read_certificate
from analysis.io.naming import name_axis
from analysis.io.projects import read_calibration, read_project
from analysis.io.reader import Reader
from analysis.io.reading import read
from analysis.io.registry import formats
from analysis.io.samples import sample, sample_names
from analysis.io.writing import write

__all__ = [
    "Certificate",
    "Collection",
    "Reader",
    "formats",
    "name_axis",
    "read",
    "read_calibration",
    "read_certificate",
    "read_project",
    "require_one",
    "sample",
    "sample_names",
    "write",
]
