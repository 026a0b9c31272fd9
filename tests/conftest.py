"""What all tests share: no display, no colours, seeded property tests."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

# Machines differ in speed: no deadline. `derandomize`: a red run is red for everyone.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture
def interruptible():
    """Take Ctrl-C as a program at a terminal does: one that is started in the background ignores it."""
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, kept)
