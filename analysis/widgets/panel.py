"""What all panels import: ipywidgets where it is installed, and a figure as a picture that follows the theme.

Not here: panels (`analysis.widgets.front_panel` is their base).
"""

import base64

from analysis.figures import png

try:
    import ipywidgets as ipw
    from matplotlib.figure import Figure
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "panels need ipywidgets: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["Figure", "ipw", "picture_of"]

# Turning lightness over and hues back leaves blue blue: a figure on white becomes one on black.
_DARK = '[data-jp-theme-light="false"] .metrospec-figure { filter: invert(0.93) hue-rotate(180deg); }'


def picture_of(figure: Figure) -> str:
    """Return a figure as HTML that is dark where JupyterLab is.

    Parameters
    ----------
    figure:
        Drawn on white.

    Returns
    -------
    :
        A picture that fits the width of the cell.
    """
    data = base64.b64encode(png(figure)).decode("ascii")
    return (
        f'<style>{_DARK}</style><img class="metrospec-figure" alt="figure of the settings above" '
        f'style="max-width: min(100%, 860px)" src="data:image/png;base64,{data}">'
    )
