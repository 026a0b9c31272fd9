"""History: a graph of steps keyed by content hash, carried as JSON text by every result.

A step is its function, settings, versions and the steps of its inputs, so several parents (lamp, silicon,
sample) meet in one graph. Not here: redoing it (`analysis.replay`).
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from xxhash import xxh3_128

from analysis.core.errors import HistoryError

Labelled = TypeVar("Labelled", xr.Dataset, xr.DataArray)
_PACKAGES = ("metrospec", "numpy", "scipy", "xarray", "lmfit")


@cache
def versions() -> dict[str, str]:
    """Return the versions of the packages that numbers depend on.

    Returns
    -------
    :
        Name to version, `"unknown"` for a package that is not installed as a distribution.
    """

    def find(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "unknown"

    return {name: find(name) for name in _PACKAGES}


def extend(function: str, *, settings: Mapping[str, object], inputs: Mapping[str, object]) -> str:
    """Return the history of a result: the steps of its inputs and one more.

    Parameters
    ----------
    function:
        `room.name` of the public function that made it.
    settings:
        Its keyword arguments, as JSON can hold them (NumPy scalars and arrays are converted).
    inputs:
        Its data arguments by name; those without a history enter as `raw` with a content hash.

    Returns
    -------
    :
        JSON text `{"head": id, "steps": {id: step}}`.

    Raises
    ------
    HistoryError
        If a setting cannot be written as JSON.
    """
    graph: dict[str, Any] = {}
    parents: dict[str, str] = {}
    for name, thing in inputs.items():
        text = of(thing) or _raw(thing)
        parsed = parse(text)
        graph.update(parsed["steps"])
        parents[name] = parsed["head"]
    try:
        plain = json.loads(json.dumps(dict(settings), default=_plain, allow_nan=True))
    except TypeError as error:
        msg = (
            f"a setting of {function} cannot be kept in the history: {error}. Pass plain numbers, text, lists or arrays"
        )
        raise HistoryError(msg) from error
    head = step_id(function, settings=plain, inputs=parents)
    graph[head] = {"function": function, "settings": plain, "inputs": parents, "versions": versions()}
    return json.dumps({"head": head, "steps": graph})


def step_id(function: str, *, settings: Mapping[str, object], inputs: Mapping[str, str]) -> str:
    """Return the id of a step, the hash of what it says.

    Parameters
    ----------
    function, settings:
        As in `extend`, settings as JSON gives them back.
    inputs:
        Name to the id of the step that made it.

    Returns
    -------
    :
        A hexadecimal id; neither versions nor the order of names enter.
    """
    identity = json.dumps([function, settings, sorted(inputs.items())], sort_keys=True)
    return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()


def record(
    result: Labelled, function: str, *, settings: Mapping[str, object], inputs: Mapping[str, object]
) -> Labelled:
    """Return `result` with its history in the attribute `history`.

    Parameters
    ----------
    result:
        What the step made; not changed.
    function, settings, inputs:
        As in `extend`.

    Returns
    -------
    :
        A shallow copy with the attribute set.

    Raises
    ------
    HistoryError
        If a setting cannot be written as JSON.
    """
    return result.assign_attrs(history=extend(function, settings=settings, inputs=inputs))


def of(thing: object) -> str:
    """Return the history that a result carries, or an empty string.

    Parameters
    ----------
    thing:
        Dataset or DataArray (attribute `history`), or an object with a field `history`.

    Returns
    -------
    :
        JSON text, or `""`.
    """
    if isinstance(thing, xr.Dataset | xr.DataArray):
        return str(thing.attrs.get("history", ""))
    return str(getattr(thing, "history", "") or "")


def parse(text: str) -> dict[str, Any]:
    """Read a history.

    Parameters
    ----------
    text:
        JSON text made by `extend`.

    Returns
    -------
    :
        `{"head": id, "steps": {id: step}}`.

    Raises
    ------
    HistoryError
        If the text is not a history.
    """
    try:
        parsed: dict[str, Any] = json.loads(text)
        known = parsed["head"] in parsed["steps"]
    except (json.JSONDecodeError, TypeError, KeyError) as error:
        msg = f"the history does not parse ({error}); wanted the JSON text that metrospec writes, got {text[:60]!r}"
        raise HistoryError(msg) from error
    if not known:
        msg = f"the history names step {parsed['head']!r} as its last, but does not hold it; the file is damaged"
        raise HistoryError(msg)
    return parsed


def head(thing: object) -> str:
    """Return the id of the last step of a result, or of its raw content.

    Parameters
    ----------
    thing:
        Anything that can be an input of a step.

    Returns
    -------
    :
        A hexadecimal id.
    """
    return str(parse(of(thing) or _raw(thing))["head"])


def content_hash(thing: object) -> str:
    """Hash the values of a result, for comparison bit by bit.

    Parameters
    ----------
    thing:
        Dataset, DataArray, NumPy array, or a frozen dataclass (by its `repr`).

    Returns
    -------
    :
        A hexadecimal XXH3 digest of 128 bits; attributes do not enter. It tells contents apart and does not resist
        forgery: files are named by their SHA-256.
    """
    digest = xxh3_128()
    for name, array in _arrays(thing):
        digest.update(f"{name}|{array.dtype}|{array.shape}".encode())
        if array.dtype.kind in "OUTmM":
            digest.update(str(array.tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _arrays(thing: object) -> list[tuple[str, np.ndarray[Any, Any]]]:
    if isinstance(thing, xr.DataArray):
        thing = thing.to_dataset(name="array" if thing.name is None else thing.name)
    if isinstance(thing, xr.Dataset):
        return [(str(name), np.asarray(thing[name].values)) for name in sorted(thing.variables, key=str)]
    if isinstance(thing, np.ndarray):
        return [("array", thing)]
    return [("repr", np.asarray(repr(thing)))]


def _raw(thing: object) -> str:
    content = content_hash(thing)
    step = {"function": "raw", "settings": {"content": content}, "inputs": {}, "versions": {}}
    return json.dumps({"head": content, "steps": {content: step}})


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    msg = f"{type(value).__name__} {value!r:.60}"
    raise TypeError(msg)
