"""Paper and ink: empty figures in the house style, and figures as PNG bytes.

Colours are those of Okabe and Ito, told apart also by colour-blind readers. Not here: what is drawn
(`analysis.figures.spectra`, `analysis.figures.results`).
"""

import io
from typing import Any

try:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "figures need matplotlib: pip install 'metrospec[figures]'"
    raise ImportError(_MESSAGE) from error

from analysis.figures.drawn import KEY, drawn

BLUE, ORANGE, GREEN, VERMILLION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#5A6470"
INK = "#1a2027"
_WORDS = {
    "cm-1": "cm$^{-1}$",
    "counts s-1": "counts s$^{-1}$",
    "um": "µm",
    "1": "",
}


class Drawing(Figure):
    """A figure that a notebook shows without any global state of matplotlib."""

    def __repr__(self) -> str:
        """Return the same text every time."""
        width, height = self.get_size_inches()
        return f"<Drawing {width:g} x {height:g} in>"

    def _repr_png_(self) -> bytes:
        return png(self)


def blank(
    *, rows: int = 1, ratios: tuple[float, ...] | None = None, size: tuple[float, float] = (7.2, 4.2)
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with its axes, one above the other and with one x axis.

    Parameters
    ----------
    rows:
        How many axes.
    ratios:
        Their heights.
    size:
        Width and height in inches.

    Returns
    -------
    :
        The figure and its axes, from top to bottom.
    """
    figure = Drawing(figsize=size, dpi=120, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    settings: dict[str, Any] = {"height_ratios": ratios} if ratios else {}
    grid = figure.subplots(rows, 1, sharex=True, squeeze=False, gridspec_kw=settings)
    found = list(grid[:, 0])
    for axes in found:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("bottom", "left"):
            axes.spines[side].set_color(GREY)
        axes.tick_params(colors=INK, labelsize=9)
        axes.grid(visible=True, color="#e3e7eb", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, found


def label(name: str, units: str) -> str:
    """Write the label of an axis.

    Parameters
    ----------
    name:
        A variable or its long name; underscores become blanks.
    units:
        UDUNITS string.

    Returns
    -------
    :
        For example `raman shift (cm$^{-1}$)`.
    """
    words = plain(name.replace("_", " "))
    shown = _WORDS.get(units, plain(units))
    return f"{words} ({shown})" if shown else words


def plain(text: str) -> str:
    """Return text that matplotlib does not read as mathematics.

    Parameters
    ----------
    text:
        Perhaps from a file.

    Returns
    -------
    :
        The same, with dollar signs escaped.
    """
    return text.replace("$", r"\$")


def png(figure: Figure, *, dpi: int = 120) -> bytes:
    """Return a figure as the bytes of a PNG file.

    Parameters
    ----------
    figure:
        Made by a `draw_` function.
    dpi:
        Dots per inch.

    Returns
    -------
    :
        The same bytes for the same figure and version of matplotlib; they hold a summary of the data that it draws.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None, KEY: drawn(figure)})
    return buffer.getvalue()
