"""Make docs/formats.md from what the readers say of themselves: `python docs/make_formats.py`."""

from pathlib import Path

from analysis.io import registry

PAGE = Path(__file__).parent / "formats.md"
OWN = (
    ("netCDF-4, HDF5, NeXus", "`netcdf`", "what `io.write` wrote; `signal` or the one `NXdata` of others",
     "external links, unknown filters, files that do not say which array is the spectrum",
     "files of this version kept in `tests/files`, flipped and truncated ones"),
    ("Zarr 3", "`zarr`", "stores that `io.write` wrote, lazily", "format 2, paths that leave the store", "made ones"),
)  # fmt: skip


def page() -> str:
    """Return the page."""
    rows = [*OWN]
    for name, reader in registry.readers().items():
        extra = f" (extra `metrospec[{reader.extra}]`)" if reader.extra else ""
        rows.append((reader.title + extra, f"`{name}`", reader.reads, reader.reads_not or "–", reader.tested_on or "–"))
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    return f"""# File formats

Made by `python docs/make_formats.py`. `io.read(path)` looks at the content, never at the suffix. Other formats come
from packages with an entry point in the group `{registry.GROUP}` that names an `analysis.io.Reader`. Files of real
instruments lie in the folder that METROSPEC_REAL_FILES names.

| format | name | what is read | what is not | tested on |
|---|---|---|---|---|
{table}

Spectra of one file that share their axis are one Dataset with the dimension `spectrum`; others are an
`analysis.io.Collection` by name. `io.write` writes netCDF, Zarr, CSV and JCAMP-DX that read back equal, with u; other
programs see the first spectrum of a map in its JCAMP-DX file.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
