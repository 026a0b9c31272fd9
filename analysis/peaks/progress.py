"""A line of text that says how far a fit is, for terminals and notebooks.

Not here: when it is called (`analysis.peaks.job`), widgets.
"""

import sys
import time

__all__ = ["Bar"]

WIDTH = 30
PAUSE = 0.1  # seconds between two lines


class Bar:
    """Writes the share that is done and the time to go to stderr, over and over on one line."""

    def __init__(self) -> None:
        self.began = self.written = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Write the line if the last is old enough, or all is done."""
        now = time.monotonic()
        if done < total and now - self.written < PAUSE:
            return
        self.written = now
        full = WIDTH * done // max(total, 1)
        to_go = (now - self.began) * (total - done) / max(done, 1)
        left = f"{to_go:.0f} s to go" if done < total else f"{now - self.began:.1f} s"
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r[{'#' * full}{'.' * (WIDTH - full)}] {done} of {total} spectra, {left}   {end}")
        sys.stderr.flush()
