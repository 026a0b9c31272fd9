"""Files to data and back: `read` by content, `write` atomically, packaged samples."""

from analysis.io.reading import read
from analysis.io.samples import sample, sample_names
from analysis.io.writing import write

__all__ = ["read", "sample", "sample_names", "write"]
