"""What a result was made with: versions of packages, content of the data, seed.

Not here: the history of a single result (`analysis.core.history`).
"""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from analysis.core import history

_PACKAGES = ("numba", "pint", "pybaselines", "matplotlib", "ipywidgets")
_LINE = re.compile(r"^made with: (.+)$", flags=re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class MadeWith:
    """Versions by package, content hashes by name, seed of random numbers, results; prints itself line by line."""

    versions: Mapping[str, str]
    data: Mapping[str, str]
    seed: int | None
    results: Mapping[str, str]

    def __str__(self) -> str:
        """Return what `run.py verify` reads again."""
        pieces = {"made with": _joined(self.versions), "data": _joined(self.data), "seed": str(self.seed).lower()}
        pieces |= {f"result {name}": text for name, text in self.results.items()}
        return "\n".join(f"{name}: {text}" for name, text in pieces.items())


class Result(Protocol):
    """A value with its uncertainty: a Quantity, a Budget, a Sample."""

    @property
    def value(self) -> float:
        """The estimate."""

    @property
    def u(self) -> float:
        """Its standard uncertainty."""


def made_with(
    data: Mapping[str, object], *, results: Mapping[str, Result] | None = None, seed: int | None = None
) -> MadeWith:
    """Say what a notebook was made with, and its results to seven digits; print it before the check.

    What is printed for people has the digits that its uncertainty allows, so a small fault of a function may not show
    in it; with the results to seven digits the regression test sees any.

    Parameters
    ----------
    data:
        The data it starts from, by name: Datasets, arrays, or anything with a stable `repr`.
    results:
        Quantities, budgets or samples by name.
    seed:
        Of its random numbers; None if it draws none.

    Returns
    -------
    :
        Versions of Python and of the packages that numbers and figures depend on, hashes of the data, the seed,
        and the results.
    """
    versions = {"python": platform.python_version(), **history.versions()}
    versions |= {name: _version(name) for name in _PACKAGES}
    hashes = {name: history.content_hash(thing) for name, thing in data.items()}
    said = {name: f"{each.value:#.7g} ± {each.u:#.7g}" for name, each in (results or {}).items()}
    return MadeWith(versions=versions, data=hashes, seed=seed, results=said)


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
