"""What the assistant knows: questions, rules with their sources, and generic classes of equipment, from data files.

The files in `data` are made to be read and extended: a rule without a source is refused.
Not here: what follows from them (`instruments.advisor.machines`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from analysis.core import InstrumentError

__all__ = ["Rule", "catalogue", "questions", "rules"]

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule: what it says, where it comes from, its figures."""

    id: str
    """What choices name."""
    item: str
    """What it chooses."""
    needs: tuple[str, ...]
    """Questions that it rests on."""
    says: str
    """In a sentence."""
    source: str
    """Standard and clause, manual, or plainly a rule of this assistant."""
    figures: Mapping[str, float]
    """Its numbers."""

    def __post_init__(self) -> None:
        if not (self.source.strip() and self.says.strip()):
            msg = f"rule {self.id!r} got source {self.source!r}, wanted where it comes from; name the standard or page"
            raise InstrumentError(msg)


def _read(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))


@cache
def questions() -> tuple[dict[str, Any], ...]:
    """Return the questions in the order of the file."""
    return tuple(_read("questions"))


@cache
def rules() -> Mapping[str, Rule]:
    """Return all rules.

    Returns
    -------
    :
        By id.
    """
    held = (Rule(**{**each, "needs": tuple(each["needs"])}) for each in _read("rules"))
    return MappingProxyType({rule.id: rule for rule in held})


@cache
def catalogue() -> Mapping[str, Any]:
    """Return the generic classes of equipment, methods and materials.

    Returns
    -------
    :
        As the data file has them.
    """
    return MappingProxyType(_read("catalogue"))
