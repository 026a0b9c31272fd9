"""A slider with its number beside it, which has a name for screen readers, as that of ipywidgets has not.

Not here: what a control may be (`analysis.widgets.controls`).
"""

from pathlib import Path

import traitlets

try:
    import anywidget
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "panels need anywidget: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["Slider"]

_HERE = Path(__file__).parent


class Slider(anywidget.AnyWidget):
    """A number between two limits; it changes when the slider is let go, if `live` while it is dragged too."""

    _esm = _HERE / "slider.js"
    _css = _HERE / "slider.css"
    value = traitlets.Float(0.0).tag(sync=True)
    min = traitlets.Float(0.0).tag(sync=True)
    max = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.1).tag(sync=True)
    live = traitlets.Bool(default_value=False).tag(sync=True)
    dragging = traitlets.Bool(default_value=False).tag(sync=True)
    description = traitlets.Unicode("").tag(sync=True)
