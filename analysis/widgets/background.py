"""Long work in a thread: a progress bar, a cancel button that works, and the kernel free for other cells.

Not here: what is computed; how a fit counts its progress (`analysis.peaks`).
"""

import threading
import time
from collections.abc import Callable
from html import escape
from typing import Any, Literal

from analysis.core import MetrospecError
from analysis.widgets.front_panel import WRAP
from analysis.widgets.panel import ipw

try:
    from IPython.display import display
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "panels need ipywidgets: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["RunPanel", "run"]

State = Literal["running", "done", "cancelled", "failed"]
Report = Callable[[int, int], bool]
_PAUSE = 0.2  # s between two updates of the bar


class RunPanel:
    """One call that is under way, or what came of it."""

    def __init__(self, call: Callable[[Report], Any], *, label: str) -> None:
        self.label, self.state, self.result = label, "running", None
        self.error: Exception | None = None
        self._call, self._cancelled = call, threading.Event()
        self._written, self._share = 0.0, 0.0
        self._shown: Any = None
        self.bar = ipw.FloatProgress(value=0.0, min=0.0, max=1.0, layout=ipw.Layout(width="24em"))
        self.words = ipw.HTML()
        self.button = ipw.Button(description="Cancel", layout=ipw.Layout(width="auto"))
        self.button.on_click(lambda _: self.cancel())
        self.view = ipw.Box([ipw.Label(label), self.bar, self.button, self.words], layout=WRAP)
        self._say("begins")
        self._thread = threading.Thread(target=self._work, name=f"metrospec: {label}", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the call to stop at its next report of progress."""
        self._cancelled.set()
        self.button.disabled = True
        if self.state == "running":
            self._say("is being cancelled")

    def wait(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - the result of the call
        """Wait for the end.

        Parameters
        ----------
        timeout:
            In seconds; None waits as long as it takes.

        Returns
        -------
        :
            What the call returned; after `cancel` what it had by then.

        Raises
        ------
        MetrospecError
            If it is not done by then; or what the call itself raised.
        """
        self._thread.join(timeout)
        if self._thread.is_alive():
            msg = f"{self.label}: still running after {timeout:g} s; wait longer, or cancel it"
            raise MetrospecError(msg)
        if self.error is not None:
            raise self.error
        return self.result

    def text(self) -> str:
        """Return how it stands.

        Returns
        -------
        :
            The label and one word; after an error, what it says.
        """
        why = f": {type(self.error).__name__}: {self.error}" if self.error is not None else ""
        return f"{self.label}: {self.state}{why}"

    def _work(self) -> None:
        try:
            self.result = self._call(self._report)
            self.state = "cancelled" if self._cancelled.is_set() and self._share < 1.0 else "done"
        except Exception as error:  # noqa: BLE001 - it is shown, and raised again by wait()
            self.error, self.state = error, "failed"
        self.button.disabled = True
        if self.state == "done":
            self.bar.value = 1.0
        self.bar.bar_style = {"done": "success", "cancelled": "warning", "failed": "danger"}[self.state]
        self._say(self.state)
        if self._shown is not None:
            self._shown.update(self._bundle(), raw=True)

    def _report(self, done: int, total: int) -> bool:
        """Take note of progress; False asks the call to stop."""
        self._share = done / max(total, 1)
        now = time.monotonic()
        if now - self._written >= _PAUSE:
            self._written, self.bar.value = now, self._share
            self._say(f"{done} of {total}")
        return not self._cancelled.is_set()

    def _say(self, words: str) -> None:
        if self.error is not None:
            said = f"<b>{escape(type(self.error).__name__)}</b>: {escape(str(self.error))}"
            self.words.value = f'<span role="alert">{said}</span>'
        else:
            self.words.value = f'<span role="status">{escape(words)}</span>'

    def _bundle(self) -> dict[str, Any]:
        live: dict[str, Any] = self.view._repr_mimebundle_() or {}
        return {**live, "text/plain": self.text()}

    def _ipython_display_(self) -> None:
        """Show the live view; when the work is done, the words that the notebook keeps are written anew."""
        self._shown = display(self._bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]


def run(call: Callable[[Report], Any], *, label: str) -> RunPanel:
    """Run a call in a thread of its own, with a progress bar and a cancel button; the kernel stays free.

    Parameters
    ----------
    call:
        Takes one argument, to be handed on as `progress`: a function of `(done, total)` that says False when the call
        should stop. For example `lambda report: peaks.fit(spectra, model, start, axis="raman_shift", progress=report)`.
        A call that never reports cannot be cancelled.
    label:
        What is done.

    Returns
    -------
    :
        The panel, the work under way: `wait()` returns the result or raises what the call raised; `state` is
        `"running"`, `"done"`, `"cancelled"` or `"failed"`.
    """
    return RunPanel(call, label=label)
