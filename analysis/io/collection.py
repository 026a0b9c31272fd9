"""Several spectra of one file that share no axis: a mapping of names to Datasets.

Not here: files (`analysis.io.reading`); spectra that share an axis are one Dataset with a batch dimension.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import NoReturn

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError, did_you_mean

SPECTRUM = "spectrum"
Named = tuple[str, xr.Dataset]


class Collection(Mapping[str, xr.Dataset]):
    """Spectra of one file by name, in the order of the file.

    The names are what the file calls them, made unique. `io.write(collection, path)` makes a project of it.
    """

    def __init__(self, spectra: Mapping[str, xr.Dataset]) -> None:
        self._spectra = dict(spectra)

    def __getitem__(self, name: str) -> xr.Dataset:
        if name not in self._spectra:
            msg = f"no spectrum named {name!r}; this file holds {list(self)}.{did_you_mean(str(name), list(self))}"
            raise KeyError(msg)
        return self._spectra[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._spectra)

    def __len__(self) -> int:
        return len(self._spectra)

    def __repr__(self) -> str:
        lines = (f"  {name!r}: {_said(each)}" for name, each in self.items())
        return f"{len(self)} spectra with axes of their own:\n" + "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(_said(each))}</td></tr>" for name, each in self.items())
        return f"<table><caption>{len(self)} spectra with axes of their own</caption>{rows}</table>"

    def __getattr__(self, attribute: str) -> NoReturn:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        msg = (
            f"a collection of spectra has no attribute {attribute!r}; take one of its spectra, which has: "
            f"found[{next(iter(self._spectra), '')!r}].{attribute}. There are {list(self._spectra)}"
        )
        raise AttributeError(msg)


def gather(spectra: Iterable[Named]) -> xr.Dataset | Collection:
    """Put the spectra of a file together: one Dataset where they share their axes, else a collection.

    Parameters
    ----------
    spectra:
        What the file calls each, and what it holds.

    Returns
    -------
    :
        The only spectrum; or one Dataset with the dimension `spectrum` and what differs between them as coordinates
        along it; or a collection.
    """
    found = list(spectra)
    if len(found) == 1:
        return found[0][1]
    names = unique([title or f"{at + 1}" for at, (title, _) in enumerate(found)])
    if all(_alike(found[0][1], each) for _, each in found[1:]):
        return _stacked(names, [each for _, each in found])
    return Collection(dict(zip(names, [each for _, each in found], strict=True)))


def take(found: xr.Dataset | Collection, item: str | None, name: str) -> xr.Dataset | Collection:
    """Take one spectrum of a collection.

    Parameters
    ----------
    found:
        What a reader gave.
    item:
        Which one; None for what there is.
    name:
        Name of the file, for messages.

    Returns
    -------
    :
        The spectrum, or what was given.

    Raises
    ------
    FormatError
        If there is no such spectrum.
    """
    if item is None:
        return found
    if isinstance(found, Collection) and item in found:
        return found[item]
    held = list(found) if isinstance(found, Collection) else "one Dataset"
    msg = f"{name!r} holds no spectrum named {item!r}; it holds {held}. Read it without item= to see all"
    raise FormatError(msg)


def require_one(found: xr.Dataset | Collection) -> xr.Dataset:
    """Return the Dataset of a file that holds one.

    Parameters
    ----------
    found:
        What `io.read` gave.

    Returns
    -------
    :
        The Dataset.

    Raises
    ------
    FormatError
        If the file holds a collection.
    """
    if isinstance(found, Collection):
        msg = (
            f"the file holds {len(found)} spectra with axes of their own: {list(found)}. Read one of them: "
            f"io.read(path, item={next(iter(found))!r})"
        )
        raise FormatError(msg)
    return found


def unique(texts: list[str]) -> list[str]:
    """Make texts different by numbers after those that occur twice.

    Parameters
    ----------
    texts:
        Any.

    Returns
    -------
    :
        As many, all different; a name that is valid stays so.
    """
    seen: set[str] = set()
    result = []
    for text in texts:
        form, new, count = ("{}_{}" if text.isidentifier() else "{} ({})"), text, 1
        while new in seen:
            count += 1
            new = form.format(text, count)
        seen.add(new)
        result.append(new)
    return result


def as_project(found: Collection) -> dict[str, xr.Dataset]:
    """Name the spectra as items of a project.

    Parameters
    ----------
    found:
        The collection.

    Returns
    -------
    :
        Valid names to Datasets, which keep what the file calls them in the attribute `title`.
    """
    names = [re.sub(r"\W+", "_", name).strip("_") for name in found]
    keys = unique([name if name.isidentifier() else f"spectrum_{name}".rstrip("_") for name in names])
    titled = (each.assign_attrs(title=each.attrs.get("title") or name) for name, each in found.items())
    return dict(zip(keys, titled, strict=True))


def _said(spectrum: xr.Dataset) -> str:
    sizes = ", ".join(f"{dim} {size}" for dim, size in spectrum.sizes.items())
    title = spectrum.attrs.get("title", "")
    return f"{sizes}; {', '.join(map(str, spectrum.coords))}" + (f"; {title}" if title else "")


def _alike(first: xr.Dataset, other: xr.Dataset) -> bool:
    if set(first.variables) != set(other.variables) or any(first[name].dims != other[name].dims for name in first):
        return False
    if (
        first["signal"].attrs.get("units") != other["signal"].attrs.get("units")
        or first.sizes != other.sizes
        or set(first.sizes) != {CHANNEL}
    ):
        return False
    return all(
        first[name].attrs == other[name].attrs and np.array_equal(first[name].values, other[name].values)
        for name in first.coords
        if CHANNEL in first[name].dims
    )


def _stacked(names: list[str], spectra: list[xr.Dataset]) -> xr.Dataset:
    """Stack spectra that share their axes; attributes that are equal stay, texts and numbers that differ go along."""
    along = [str(name) for name in spectra[0].coords if CHANNEL not in spectra[0][name].dims]
    base = spectra[0].drop_vars(along)
    data = {
        name: (
            (SPECTRUM, *base[name].dims),
            np.stack([each[name].values for each in spectra]),
            {
                key: value
                for key, value in base[name].attrs.items()
                if all(e[name].attrs.get(key) == value for e in spectra)
            },
        )
        for name in base.data_vars
    }
    coords = {name: (SPECTRUM, [each[name].item() for each in spectra], spectra[0][name].attrs) for name in along}
    keys = {key for each in spectra for key in each.attrs}
    same = {key: value for key, value in base.attrs.items() if all(each.attrs.get(key) == value for each in spectra)}
    for key in sorted(keys - set(same)):
        values = [each.attrs.get(key) for each in spectra]
        if all(isinstance(value, float | int) for value in values):
            coords[key] = (SPECTRUM, [float(value) for value in values if value is not None], {})
        else:
            coords[key] = (SPECTRUM, ["" if value is None else str(value) for value in values], {})
    return xr.Dataset(data, {**dict(base.coords.items()), SPECTRUM: names, **coords}, attrs=same)
