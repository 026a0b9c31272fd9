"""What a result was made with: versions of packages, content of the data, seed.

Not here: the history of a single result (`analysis.core.history`).
"""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from analysis.core import history

_PACKAGES = ("numba", "pint", "pybaselines", "matplotlib", "ipywidgets")
_LINE = re.compile(r"^made with: (.+)$", flags=re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class MadeWith:
    """Versions by package, content hashes by name, and the seed of random numbers; prints itself in three lines."""

    versions: Mapping[str, str]
    data: Mapping[str, str]
    seed: int | None

    def __str__(self) -> str:
        """Return what `run.py verify` reads again."""
        pieces = {"made with": _joined(self.versions), "data": _joined(self.data), "seed": str(self.seed).lower()}
        return "\n".join(f"{name}: {text}" for name, text in pieces.items())


def made_with(data: Mapping[str, object], *, seed: int | None = None) -> MadeWith:
    """Say what a notebook was made with; print it in its last cell.

    Parameters
    ----------
    data:
        The data it starts from, by name: Datasets, arrays, or anything with a stable `repr`.
    seed:
        Of its random numbers; None if it draws none.

    Returns
    -------
    :
        Versions of Python and of the packages that numbers and figures depend on, hashes of the data, and the seed.
    """
    versions = {"python": platform.python_version(), **history.versions()}
    versions |= {name: _version(name) for name in _PACKAGES}
    hashes = {name: history.content_hash(thing) for name, thing in data.items()}
    return MadeWith(versions=versions, data=hashes, seed=seed)


def read_versions(text: str) -> dict[str, str]:
    """Read the versions out of printed text.

    Parameters
    ----------
    text:
        What a cell printed.

    Returns
    -------
    :
        Version by package; empty where the text names none.
    """
    line = _LINE.search(text)
    pairs = [item.partition(" ") for item in line[1].split(", ")] if line else []
    return {name: number for name, _, number in pairs}


def without_versions(text: str) -> str:
    """Take the line of versions out of printed text.

    Parameters
    ----------
    text:
        What a cell printed.

    Returns
    -------
    :
        The rest: data and seed are to be compared.
    """
    return _LINE.sub("made with", text)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _joined(pairs: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text}" for name, text in pairs.items()) or "none"
