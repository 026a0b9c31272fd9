"""A history as rows for a page: data, inputs and steps with their hashes and software.

Not here: histories themselves (`analysis.core.history`).
"""

import json
from collections.abc import Sequence
from typing import Any

from analysis.core import history

Rows = list[dict[str, str]]
_LONGEST = 90
_STATED = "uncertainty.Quantity"


def data_rows(texts: Sequence[str]) -> Rows:
    """List the data that a result started from.

    Parameters
    ----------
    texts:
        Histories, merged where they share steps.

    Returns
    -------
    :
        One row for each step without inputs, stated quantities left out.
    """
    rows = []
    for key, step in _ordered(texts):
        if step["inputs"] or step["function"] == _STATED:
            continue
        given = step["function"] == "raw"
        settings = "numbers as they were given" if given else _settings(step)
        rows.append({"data": "given" if given else step["function"], "settings": settings, "hash": key})
    return rows


def step_rows(texts: Sequence[str]) -> Rows:
    """List the steps that made a result, parents first.

    Parameters
    ----------
    texts:
        Histories, merged where they share steps.

    Returns
    -------
    :
        One row a step.
    """
    steps = dict(_ordered(texts))
    ordered = [(key, step) for key, step in steps.items() if step["inputs"]]
    numbers = {key: str(number) for number, (key, _) in enumerate(ordered, start=1)}
    return [
        {
            "step": numbers[key],
            "function": step["function"],
            "settings": _settings(step),
            "from": ", ".join(_parent(name, parent, numbers, steps) for name, parent in step["inputs"].items()),
            "hash": key[:12],
        }
        for key, step in ordered
    ]


def software(texts: Sequence[str]) -> dict[str, str]:
    """List the software that a result was made with.

    Parameters
    ----------
    texts:
        Histories, merged where they share steps.

    Returns
    -------
    :
        Name to version; several versions where steps were made with different ones.
    """
    found: dict[str, set[str]] = {}
    for _, step in _ordered(texts):
        for name, version in step.get("versions", {}).items():
            found.setdefault(str(name), set()).add(str(version))
    return {name: " and ".join(sorted(versions)) for name, versions in sorted(found.items())}


def _ordered(texts: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    parsed = [history.parse(text) for text in texts if text]
    steps: dict[str, dict[str, Any]] = {key: step for each in parsed for key, step in each["steps"].items()}
    found: dict[str, dict[str, Any]] = {}
    begun: set[str] = set()
    waiting = [each["head"] for each in reversed(parsed)]
    while waiting:
        key = waiting[-1]
        parents = steps[key]["inputs"].values() if key not in begun else ()
        begun.add(key)
        missing = [parent for parent in parents if parent in steps and parent not in begun]
        if missing:
            waiting += missing
        else:
            found.setdefault(waiting.pop(), steps[key])
    return list(found.items())


def _parent(name: str, key: str, numbers: dict[str, str], steps: dict[str, dict[str, Any]]) -> str:
    if key in numbers:
        return f"{name}: step {numbers[key]}"
    return f"{name}: stated" if steps.get(key, {}).get("function") == _STATED else f"{name}: data {key[:8]}"


def _settings(step: dict[str, Any]) -> str:
    words = []
    for name, setting in step["settings"].items():
        shown = setting if isinstance(setting, str) else json.dumps(setting, ensure_ascii=False)
        words.append(f"{name} = {shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + '…'}")
    return "; ".join(words)
