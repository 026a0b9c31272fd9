"""A history as rows for a page: data, inputs and steps with their hashes and software.

Not here: histories themselves (`analysis.core.history`).
"""

import json
from typing import Any

from analysis.core import history

Rows = list[dict[str, str]]
_LONGEST = 90
_STATED = "uncertainty.Quantity"


def data_rows(text: str) -> Rows:
    """List the data that a result started from.

    Parameters
    ----------
    text:
        A history.

    Returns
    -------
    :
        One row for each step without inputs, stated quantities left out.
    """
    rows = []
    for key, step in _ordered(text):
        if step["inputs"] or step["function"] == _STATED:
            continue
        settings = _settings(step) if step["function"] != "raw" else "data as given, content hash alone"
        rows.append({"data": step["function"], "settings": settings, "hash": key})
    return rows


def step_rows(text: str) -> Rows:
    """List the steps that made a result, parents first.

    Parameters
    ----------
    text:
        A history.

    Returns
    -------
    :
        One row a step.
    """
    steps = dict(_ordered(text))
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


def software(text: str) -> dict[str, str]:
    """List the software that a result was made with.

    Parameters
    ----------
    text:
        A history.

    Returns
    -------
    :
        Name to version; several versions where steps were made with different ones.
    """
    found: dict[str, set[str]] = {}
    for _, step in _ordered(text):
        for name, version in step.get("versions", {}).items():
            found.setdefault(str(name), set()).add(str(version))
    return {name: " and ".join(sorted(versions)) for name, versions in sorted(found.items())}


def _ordered(text: str) -> list[tuple[str, dict[str, Any]]]:
    if not text:
        return []
    parsed = history.parse(text)
    steps = parsed["steps"]
    found: dict[str, dict[str, Any]] = {}
    begun: set[str] = set()
    waiting = [parsed["head"]]
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
    return f"{name}: stated" if steps.get(key, {}).get("function") == _STATED else f"{name}: data {key[:12]}"


def _settings(step: dict[str, Any]) -> str:
    words = []
    for name, setting in step["settings"].items():
        shown = setting if isinstance(setting, str) else json.dumps(setting, ensure_ascii=False)
        words.append(f"{name} = {shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + '…'}")
    return "; ".join(words)
