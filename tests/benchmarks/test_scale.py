"""A million spectra of case "b" from one Zarr store to another on a cluster that loses a worker half-way.

Time, memory (what processes share is divided among them), and whether every bit is that of the single-process run.
SPECTRA in the environment makes it smaller. Run:  python run.py bench -k scale
"""

import os
import sys

from tests import scaling

SPECTRA = int(os.environ.get("SPECTRA", "1000000"))


def test_scale(tmp_path, capsys):
    text, found, differ = scaling.report(tmp_path, spectra=SPECTRA)
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")
    assert differ == []
    assert found.killed not in found.survivors
    assert found.peak_bytes <= 1e9
    assert sum(found.compilations) == 0
