"""Program messages of SCPI: header patterns, splitting, parameters and binary blocks, without a device.

References: SCPI-99, volume 1 (6.2 headers, 7 parameters) and 2 (21.8 error numbers); IEEE 488.2-1992, 7 and 8.7.9.
Not here: the table of a device and its status (`instruments.simulators.scpi`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["Choice", "Number", "ScpiError", "Switch", "Text", "block", "pattern", "split", "unquoted"]

TEXTS = {
    -100: "Command error", -102: "Syntax error", -104: "Data type error", -108: "Parameter not allowed",
    -109: "Missing parameter", -113: "Undefined header", -114: "Header suffix out of range", -131: "Invalid suffix",
    -151: "Invalid string data", -161: "Invalid block data", -200: "Execution error", -213: "Init ignored",
    -221: "Settings conflict", -222: "Data out of range", -224: "Illegal parameter value",
    -230: "Data corrupt or stale", -310: "System error", -350: "Queue overflow", -363: "Input buffer overrun",
    -410: "Query INTERRUPTED", -420: "Query UNTERMINATED",
}  # fmt: skip
_PART = re.compile(r"\[|\]|:|<n>|\*?[A-Za-z_]+\d*")
_NUMBER = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z%/]*)$")
_PREFIXES = {
    "": 1.0, "N": 1e-9, "U": 1e-6, "M": 1e-3, "K": 1e3, "MA": 1e6, "G": 1e9, "P": 1e-12,
}  # fmt: skip


class ScpiError(Exception):
    """An error of the error queue: its number and what happened."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        text = TEXTS.get(code, "Device-specific error")
        self.text = f"{text}; {detail}" if detail else text
        super().__init__(f"{code}, {self.text}")


@cache
def pattern(header: str) -> re.Pattern[str]:
    """Compile a header such as `[SENSe:]VOLTage[:DC]:RANGe` or `CHANnel<n>:SCALe`.

    Short and long forms, any case; what stands in brackets may be left out; `<n>` is a number, 1 where it is missing.
    """
    said = []
    marks = {"[": "(?:", "]": ")?", ":": ":", "<n>": r"(\d*)"}
    for part in _PART.findall(header):
        short = "".join(c for c in part if not c.islower())
        said.append(marks.get(part) or f"(?:{re.escape(part.upper())}|{re.escape(short)})")
    return re.compile("".join(said) + "$")


def split(text: str, separator: str) -> list[str]:
    """Split at a separator, but not inside quotes or inside a binary block."""
    parts, start, at = [], 0, 0
    while at < len(text):
        char = text[at]
        if char in "\"'":
            end = text.find(char, at + 1)
            if end < 0:
                raise ScpiError(-151, "quote not closed")
            at = end
        elif char == "#" and text[at + 1 : at + 2].isdigit():
            at = _block_end(text, at) - 1
        elif char == separator:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def _block_end(text: str, at: int) -> int:
    digits = int(text[at + 1])
    if digits == 0:
        return len(text)
    size = text[at + 2 : at + 2 + digits]
    if len(size) < digits or not size.isdigit() or at + 2 + digits + int(size) > len(text):
        raise ScpiError(-161)
    return at + 2 + digits + int(size)


def block(content: bytes, *, definite: bool = True) -> bytes:
    """Wrap bytes as an IEEE 488.2 block: `#<digits><size><content>`, or `#0<content>` ended by the message's end."""
    size = str(len(content))
    return f"#{len(size)}{size}".encode() + content if definite else b"#0" + content


def unquoted(text: str) -> str:
    """Return the content of a string parameter."""
    quotes = 2
    if len(text) < quotes or text[0] not in "\"'" or text[-1] != text[0]:
        raise ScpiError(-151, text)
    return text[1:-1]


@dataclass(frozen=True, kw_only=True)
class Number:
    """A numeric parameter: NRf with unit prefix, MIN, MAX, DEF; outside its limits is error -222."""

    low: float
    high: float
    default: float
    unit: str = ""
    integer: bool = False
    steps: tuple[float, ...] = ()
    """Where given, the smallest step that is not below the value is taken, as meters choose ranges."""

    def parse(self, text: str) -> float:
        """Return the value of a parameter."""
        named = {"MIN": self.low, "MAX": self.high, "DEF": self.default}.get(text.upper()[:3])
        if named is not None:
            return named
        value = self._number(text)
        if not (self.low - 1e-12 * abs(self.low) <= value <= self.high + 1e-12 * abs(self.high)):
            raise ScpiError(-222, f"{text} is not in [{self.low:g}, {self.high:g}]")
        if self.integer:
            return float(round(value))
        return next((step for step in self.steps if value <= step * (1 + 1e-9)), value)

    def _number(self, text: str) -> float:
        found = _NUMBER.match(text)
        if not found:
            raise ScpiError(-104, text)
        suffix = found[2].upper()
        if suffix.endswith(self.unit.upper()) and self.unit:
            suffix = suffix[: len(suffix) - len(self.unit)]
        if suffix not in _PREFIXES:
            raise ScpiError(-131, found[2])
        return float(found[1]) * _PREFIXES[suffix]

    def show(self, value: Any) -> str:  # noqa: ANN401 - what `parse` gave
        """Write a value as the instrument answers it."""
        return f"{value:+.0f}" if self.integer else f"{value:+.9E}"


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A boolean parameter: ON, OFF, 1, 0."""

    default: bool = False

    def parse(self, text: str) -> bool:
        """Return the value of a parameter."""
        value = {"ON": True, "OFF": False, "1": True, "0": False, "ONCE": False}.get(text.upper())
        if value is None:
            raise ScpiError(-224, text)
        return value

    def show(self, value: Any) -> str:  # noqa: ANN401 - what `parse` gave
        """Write a value as the instrument answers it."""
        return "1" if value else "0"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A character parameter with short and long forms, such as `SINusoid`; with `quoted`, a string as of FUNC."""

    options: tuple[str, ...]
    default: str
    quoted: bool = False

    def parse(self, text: str) -> str:
        """Return the option, as it stands in `options`."""
        bare = unquoted(text) if self.quoted and text[:1] in "\"'" else text
        for option in self.options:
            if pattern(option).match(bare.upper()):
                return option
        raise ScpiError(-224, text)

    def show(self, value: Any) -> str:  # noqa: ANN401 - what `parse` gave
        """Write the short form, as the instrument answers it."""
        short = re.sub(r"\[[^\]]*\]", "", value)
        short = "".join(c for c in short if not c.islower())
        return f'"{short}"' if self.quoted else short


@dataclass(frozen=True, kw_only=True)
class Text:
    """A string parameter."""

    default: str = ""
    most: int = 80

    def parse(self, text: str) -> str:
        """Return the content of a string of at most `most` characters."""
        content = unquoted(text)
        if len(content) > self.most:
            raise ScpiError(-222, f"more than {self.most} characters")
        return content

    def show(self, value: Any) -> str:  # noqa: ANN401 - what `parse` gave
        """Write a value as the instrument answers it."""
        return f'"{value}"'


Kind = Number | Switch | Choice | Text
Answer = str | bytes
Action = Callable[..., object]
