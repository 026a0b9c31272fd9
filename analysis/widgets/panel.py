"""What all panels share: a picture with words below it, refusals in place, and a still copy for the saved notebook.

Not here: the controls of a panel (`analysis.widgets.choice`, `analysis.widgets.adjusting`).
"""

import base64
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from analysis.figures import png

try:
    import ipywidgets as ipw
    from matplotlib.figure import Figure
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "panels need ipywidgets: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["Figure", "Panel", "ipw"]


_WIDTH = "max-width: min(100%, 860px)"


class Panel:
    """One pure call over some settings; what it returned last without an error is shown."""

    def __init__(self, call: Callable[[Mapping[str, Any]], Any], settings: Mapping[str, Any]) -> None:
        self._call = call
        self.message = ipw.HTML()
        self.words = ipw.HTML()
        self.picture = ipw.HTML()
        self.result = call(settings)
        self._keep(settings)

    def text(self) -> str:
        """Return what the panel says in words, the same for the same settings.

        Returns
        -------
        :
            Plain text; the saved notebook keeps it.
        """
        return self._said

    def _try(self, settings: Mapping[str, Any]) -> bool:
        """Make the call; if it refuses, say so and keep what is shown."""
        try:
            made = self._call(settings)
        except Exception as error:  # noqa: BLE001 - a callback must not fail unseen; the last good result stays
            self.message.value = f'<p role="alert"><b>{escape(type(error).__name__)}</b>: {escape(str(error))}</p>'
            return False
        self.result = made
        self._keep(settings)
        return True

    def _keep(self, settings: Mapping[str, Any]) -> None:
        self._shown = dict(settings)
        drawn, self._said = self.result if isinstance(self.result, tuple) else (self.result, "")
        self._bytes = png(drawn)
        self.message.value = ""
        data = base64.b64encode(self._bytes).decode("ascii")
        self.picture.value = (
            f'<img alt="figure of the settings above" style="{_WIDTH}" src="data:image/png;base64,{data}">'
        )
        self.words.value = f'<pre aria-live="polite" style="white-space: pre-wrap">{escape(self._said)}</pre>'

    def _still(self, view: ipw.Widget, text: str) -> dict[str, Any]:
        """Return the live view with a picture and text for a notebook that has no kernel."""
        live: dict[str, Any] = view._repr_mimebundle_() or {}
        return {**live, "image/png": base64.b64encode(self._bytes).decode("ascii"), "text/plain": text}
