"""Instruments and their simulators (metrospec).

`open` opens an instrument by name. `analysis` works without this package; drivers rely on
`analysis.core`, so importing this package where `analysis` is another one is an error.
"""

import importlib.util
import pathlib

__all__ = ["open"]


def _require_our_analysis() -> None:
    """Refuse to go on when `import analysis` would find something else than metrospec's.

    The text of the file is read, not run. The same test stands in `analysis` for `instruments`:
    neither package can rely on the other before it knows that it is the right one.
    """
    spec = importlib.util.find_spec("analysis")
    found = pathlib.Path(spec.origin) if spec is not None and spec.origin is not None else None
    if found and "metrospec" in found.read_text(encoding="utf-8", errors="replace")[:500]:
        return
    ours = pathlib.Path(__file__).parents[1] / "analysis"
    where = found or "a folder without `__init__.py`, or nothing"
    message = (
        f"`import analysis` finds {where}; metrospec's `instruments` needs metrospec's `analysis` "
        f"in {ours}. Rename your own folder or file of that name, or start Python elsewhere"
    )
    raise ImportError(message)


_require_our_analysis()

from instruments.opening import open  # noqa: E402, A004 - after the check above
