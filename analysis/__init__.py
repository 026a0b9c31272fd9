"""Spectra and measurements, from the raw file to the certificate (metrospec).

Rooms: `analysis.core` (what a spectrum is), `analysis.uncertainty`, `analysis.preprocess`,
`analysis.baseline`, `analysis.peaks`, `analysis.stability`, `analysis.calibration`, `analysis.io`, `analysis.figures`,
`analysis.report`. Import the room you need: `from analysis import io, peaks`; nothing is loaded
before. Beside them `analysis.replay` redoes a history, and `python -m analysis` does the whole
chain on files.
Not here: anything that talks to an instrument; that is the package `instruments`.
"""

import importlib.metadata
import importlib.util
import pathlib
import warnings

__all__ = ["__version__"]


def _find_version() -> str:
    """Return the installed version, "unknown" for a bare checkout on the path."""
    try:
        return importlib.metadata.version("metrospec")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _warn_of_foreign_instruments() -> None:
    """Warn when `import instruments` would find another project's package.

    `analysis` never needs it, so this is no error. The text of the file is read, not run: two
    projects installed into one folder overwrite each other, so its place alone proves nothing.
    """
    spec = importlib.util.find_spec("instruments")
    if spec is None or spec.origin is None:
        return
    found = pathlib.Path(spec.origin)
    if "metrospec" in found.read_text(encoding="utf-8", errors="replace")[:500]:
        return
    warnings.warn(
        f"`import instruments` finds {found}, which is not metrospec's (InstrumentKit uses the "
        f"same name); metrospec's stands in {pathlib.Path(__file__).parents[1]}. `analysis` works "
        "all the same. To use metrospec's `instruments`, uninstall the other package or give each "
        "its own environment, then reinstall metrospec",
        stacklevel=3,
    )


__version__ = _find_version()
_warn_of_foreign_instruments()
