"""Bytes to text: byte order marks, UTF-8, latin-1; binary content is refused with what was seen.

Not here: what the text says (`analysis.io.table`).
"""

import codecs
import re

from analysis.core import FormatError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f]")
_LINE_END = re.compile("\r\n|\n|\r")


def lines_of(content: bytes, name: str) -> list[str]:
    """Decode a text file and split it into lines.

    Parameters
    ----------
    content:
        The whole file.
    name:
        Its name, for the message.

    Returns
    -------
    :
        Lines without their ends; a last empty line is dropped.

    Raises
    ------
    FormatError
        If the content is not text.
    """
    text = _decode(content, name)
    found = _CONTROL.search(text)
    if found:
        msg = (
            f"{name!r} is not text: it holds the control character {found.group()!r} at position {found.start()} "
            f"(first bytes {content[:8].hex(' ')}), and is of no kind that is known here. "
            "If it is a maker's binary file, export it as text (ASCII, CSV) first"
        )
        raise FormatError(msg)
    lines = _LINE_END.split(text.replace("\x1a", ""))
    return lines[:-1] if lines and not lines[-1] else lines


def _decode(content: bytes, name: str) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as error:
                msg = f"{name!r} begins like {encoding} text but does not decode at byte {error.start}"
                raise FormatError(msg) from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
