"""XML from anyone, parsed without entities, document types or anything from outside, within limits.

Not here: what the elements mean (`analysis.io.dcc`).
"""

import io
import xml.etree.ElementTree as ET  # only the type of what defusedxml makes
from pathlib import Path

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from analysis.core import FormatError

MOST_BYTES = 64_000_000
MOST_ELEMENTS = 1_000_000
DEEPEST = 64


def parse(content: bytes, name: str) -> ET.Element:
    """Parse an XML document.

    Parameters
    ----------
    content:
        The bytes of the file.
    name:
        What it is called in messages.

    Returns
    -------
    :
        The root.

    Raises
    ------
    FormatError
        If it is too large, too deep, not well formed, or declares a document type or entities.
    """
    if len(content) > MOST_BYTES:
        msg = f"{name!r} has {len(content)} bytes; a certificate is read up to {MOST_BYTES}"
        raise FormatError(msg)
    depth = count = 0
    events = iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True)
    root: ET.Element | None = None
    try:
        for event, element in events:
            depth += 1 if event == "start" else -1
            count += event == "start"
            root = element if root is None else root
            if depth > DEEPEST or count > MOST_ELEMENTS:
                what = f"elements {depth} deep" if depth > DEEPEST else f"more than {MOST_ELEMENTS} elements"
                msg = f"{name!r} has {what}; a certificate has a few thousand at most, {DEEPEST} deep"
                raise FormatError(msg)
    except DefusedXmlException as error:
        msg = (
            f"{name!r} declares a document type or entities ({type(error).__name__}), which a certificate never needs "
            "and an attack does. Ask the issuer for a plain file"
        )
        raise FormatError(msg) from error
    except ParseError as error:
        msg = f"{name!r} is not well-formed XML ({error}); it may have been cut off on its way. Fetch it again"
        raise FormatError(msg) from error
    if root is None:
        msg = f"{name!r} holds no element"
        raise FormatError(msg)
    return root


def read_bytes(path: Path) -> bytes:
    """Read a file that is not larger than what is parsed.

    Parameters
    ----------
    path:
        An existing file.

    Returns
    -------
    :
        Its bytes.

    Raises
    ------
    FormatError
        If it is too large.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        msg = f"{path.name!r} has {size} bytes; a certificate is read up to {MOST_BYTES}"
        raise FormatError(msg)
    return path.read_bytes()
