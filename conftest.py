"""What every pytest run here loads, for `tests` and `notebooks` alike."""

pytest_plugins = ["tests.nbval_numbers", "tests.no_skips"]
