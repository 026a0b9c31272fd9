"""What all tests share: no display, no colours, seeded property tests."""

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

# Machines differ in speed: no deadline. `derandomize`: a red run is red for everyone.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
