"""What a figure draws, as a few numbers an artist: kept in the PNG file, so that two pictures can be compared.

Not here: the comparison (`analysis.verify.pictures`).
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

_Values = np.ndarray[Any, np.dtype[np.float64]]
KEY = "metrospec drawn data"
"""Keyword of the text in a PNG file."""


def drawn(figure: Figure) -> str:
    """Describe the data that a figure draws.

    Parameters
    ----------
    figure:
        Any figure.

    Returns
    -------
    :
        JSON text: for each axes its limits and words, for each artist the number of its points and for both
        coordinates least, greatest, mean and two weighted means, which notice a change of any one point.
    """
    return json.dumps([_axes(axes) for axes in figure.axes], separators=(",", ":"))


def _axes(axes: Axes) -> dict[str, Any]:
    words = [axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), *(text.get_text() for text in axes.texts)]
    artists = [*axes.lines, *axes.collections, *axes.patches, *axes.images]
    return {
        "x": [float(end) for end in axes.get_xlim()],
        "y": [float(end) for end in axes.get_ylim()],
        "words": [word for word in words if word],
        "artists": [_artist(artist) for artist in artists],
    }


def _artist(artist: Artist) -> dict[str, Any]:
    points = _points(artist)
    return {
        "kind": type(artist).__name__,
        "n": len(points),
        "x": _moments(points[:, 0]),
        "y": _moments(points[:, 1]),
    }


def _points(artist: Artist) -> _Values:
    if isinstance(artist, Line2D):
        return _pairs([artist.get_xydata()])
    if isinstance(artist, Collection):
        offsets = artist.get_offsets()
        whole = len(np.atleast_2d(offsets)) > 1
        return _pairs([offsets] if whole else [path.vertices for path in artist.get_paths()])
    if isinstance(artist, Patch):
        return _pairs([artist.get_patch_transform().transform(artist.get_path().vertices)])
    if isinstance(artist, AxesImage):
        values: _Values = np.ma.filled(np.ma.asarray(artist.get_array(), dtype=float), np.nan).ravel()
        return np.column_stack([np.arange(values.size, dtype=float), values])
    return np.empty((0, 2))


def _pairs(parts: Sequence[Any]) -> _Values:
    arrays: list[_Values] = [np.ma.filled(np.ma.asarray(part, dtype=float), np.nan).reshape(-1, 2) for part in parts]
    return np.concatenate(arrays) if arrays else np.empty((0, 2))


def _moments(values: _Values) -> list[float]:
    known = np.where(np.isfinite(values), values, 0.0)
    if not known.size:
        return []
    each = np.arange(known.size)
    weighted = [float(np.mean(known * np.cos(turn * each))) for turn in (1.0, np.sqrt(2.0))]
    return [float(known.min()), float(known.max()), float(known.mean()), *weighted]
