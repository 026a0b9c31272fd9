"""Every reader against 100 000 broken files: none may crash, hang, fill the memory or give nothing."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests import hostile

FOLDER = os.environ.get("METROSPEC_REAL_FILES", "")
SEEDS = (hostile.real(FOLDER) if FOLDER else {}) | hostile.seeds()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(SEEDS))
def test_a_hundred_thousand_broken_files_are_read_or_refused(name):
    rng = np.random.default_rng(11)
    for _ in range(100_000):
        hostile.survive(name, hostile.mutated(SEEDS[name], rng), Path(hostile.REAL.get(name, "file.dat")))
