"""Packages of others that read a maker's binary format: found when needed, kept quiet, given a file of their own.

Not here: the formats (`analysis.io.opus`, `analysis.io.wdf`, `analysis.io.sif`, `analysis.io.scope`,
`analysis.io.tdms`).
"""

import contextlib
import importlib
import io
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def require(module: str, *, extra: str, title: str) -> Any:  # noqa: ANN401 - a module of others without types
    """Import the package that reads a format.

    Parameters
    ----------
    module:
        The module to import.
    extra:
        The optional extra of metrospec that brings it.
    title:
        The format, for the message.

    Returns
    -------
    :
        The module.

    Raises
    ------
    ImportError
        If it is not installed; the message names the extra.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError as error:
        msg = (
            f"{title} is read with the package {module.partition('.')[0]!r}, which is not installed. Install the "
            f"optional extra: pip install 'metrospec[{extra}]', or export the file as text"
        )
        raise ImportError(msg) from error


@contextlib.contextmanager
def as_file(data: bytes, name: str) -> Iterator[Path]:
    """Give a package that wants a path a file, with its prints and warnings kept away.

    Parameters
    ----------
    data:
        The content.
    name:
        The name of the original; its suffix is kept.

    Yields
    ------
    :
        The path of a temporary file.
    """
    suffix = "".join(each for each in Path(name).suffix if each.isalnum() or each == ".")
    with (
        tempfile.TemporaryDirectory(prefix="metrospec-") as folder,
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(data)
        yield path
