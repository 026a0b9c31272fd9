"""A place to drop a file on; what arrives is kept beside the notebook, and nothing is overwritten.

Not here: what is in the file (`analysis.io`), the panel (`analysis.widgets.loading`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from analysis import io
from analysis.core import FormatError

try:
    import anywidget
except ImportError as error:  # pragma: no cover - hidden in a contract test
    _MESSAGE = "panels need anywidget: pip install 'metrospec[notebook]'"
    raise ImportError(_MESSAGE) from error

__all__ = ["FOLDER", "DropZone", "keep"]

FOLDER = Path("uploads")
MOST_BYTES = 256 * 2**20
_LONGEST = 150
_HERE = Path(__file__).parent


class DropZone(anywidget.AnyWidget):
    """Takes one file at a time and hands its name and content on."""

    _esm = _HERE / "drop_zone.js"
    _css = _HERE / "drop_zone.css"

    def __init__(self, heard: Callable[[str, bytes], None], refused: Callable[[Exception], None]) -> None:
        super().__init__()
        self._heard, self._refused = heard, refused
        self._name, self._size, self._id = "", -1, ""
        self._pieces: list[bytes] = []
        self.on_msg(self._told)

    def _told(self, _widget: object, event: Any, buffers: Sequence[Any]) -> None:  # noqa: ANN401 - from the browser
        try:
            kind, sent = event.get("type"), str(event.get("id", ""))
            if kind == "begin":
                self._id = sent
                self._begin(str(event["name"]), int(event["size"]))
            elif kind == "piece" and self._size >= 0 and sent == self._id:
                self._take(bytes(buffers[0]) if buffers else b"", last=bool(event["last"]))
            elif kind in ("many", "unread"):
                raise FormatError(_refusal(event))
        except Exception as error:  # noqa: BLE001 - a callback must not fail unseen
            self._size, self._pieces = -1, []
            self._refused(error)

    def _begin(self, name: str, size: int) -> None:
        self._pieces = []
        if not 0 <= size <= MOST_BYTES:
            msg = f"{name!r} has {size / 2**20:.0f} MB; what is dropped may have {MOST_BYTES >> 20} MB. Type its path"
            raise FormatError(msg)
        self._name, self._size = name, size

    def _take(self, piece: bytes, *, last: bool) -> None:
        self._pieces.append(piece)
        held = sum(map(len, self._pieces))
        if held > self._size or (last and held != self._size):
            msg = f"{self._name!r} arrived with {held} of {self._size} bytes; drop it again"
            raise FormatError(msg)
        if last:
            name, content = self._name, b"".join(self._pieces)
            self._size, self._pieces = -1, []
            self._heard(name, content)


def _refusal(event: Any) -> str:  # noqa: ANN401 - from the browser
    if event["type"] == "many":
        return f"{int(event['count'])} files were dropped; drop one at a time"
    return f"{event['name']!r} cannot be read by the browser ({event['why']}); drop a file that is there, not a folder"


def keep(name: str, content: bytes, *, folder: Path = FOLDER) -> Path:
    """Keep a file that was dropped.

    Parameters
    ----------
    name:
        As the browser says it.
    content:
        Its bytes.
    folder:
        Made if it is not there.

    Returns
    -------
    :
        Where it is now; the one that was there, if it has the same content.

    Raises
    ------
    FormatError
        If the name is not that of a plain file, or a file of that name has other content.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    if not last or last.startswith(".") or not last.isprintable() or len(last.encode()) > _LONGEST:
        msg = f"{name!r} cannot be the name of a file here; rename it, with letters and digits"
        raise FormatError(msg)
    folder.mkdir(exist_ok=True)
    path = folder / last
    if path.exists():
        if path.is_file() and path.read_bytes() == content:
            return path
        msg = f"{path.as_posix()!r} is there already with other content; rename the file that you drop, or that one"
        raise FormatError(msg)
    return io.write(content, path)
