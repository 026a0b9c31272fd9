"""Let nbval compare numbers as numbers; on its own it compares outputs as exact text.

`520.45 ± 0.14` and `520.45(14)`: value and uncertainty within 5 % of the uncertainty.
Other numbers with a point or an exponent: relative tolerance 1e-7.
Whole numbers and all other text: exactly. Runs of spaces count as one, as tables are padded.
"""

import re

PLAIN = r"[-+−]?\d+(?:\.\d+)?(?:[eE][-+−]?\d+)?"
NUMBER = re.compile(
    rf"(?P<value>{PLAIN})\s*(?:±|\+/-)\s*(?P<u>\d+(?:\.\d+)?(?:[eE][-+−]?\d+)?)"
    r"|(?<![\w.])(?P<short>[-+−]?\d+(?:\.\d+)?)\((?P<digits>\d+)\)"
    r"|(?<![\w.])(?P<float>[-+−]?(?:\d+\.\d*|\.\d+|\d+(?=[eE][-+−]?\d))(?:[eE][-+−]?\d+)?)(?![\w.])"
)
SHARE_OF_U = 0.05
RELATIVE = 1e-7


def to_float(text):
    return float(text.replace("−", "-"))


def read_number(match):
    """Return (value, u or None, one unit of the value's last digit)."""
    if match["float"]:
        return to_float(match["float"]), None, 0.0
    text = match["value"] or match["short"]
    mantissa, _, exponent = text.lower().replace("−", "-").partition("e")
    digit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    u = int(match["digits"]) * digit if match["digits"] else to_float(match["u"])
    return to_float(text), u, digit


def split(text):
    """Return the text with its numbers taken out, and the numbers."""
    numbers = [read_number(match) for match in NUMBER.finditer(text)]
    return re.sub(r"[ \t]+", " ", NUMBER.sub("<number>", text)), numbers


def agree(old, new):
    """Tell whether two numbers as read by `read_number` agree."""
    (value, u, digit), (other, other_u, _) = old, new
    if (u is None) != (other_u is None):
        return False
    if u is None:
        return abs(value - other) <= RELATIVE * max(abs(value), abs(other))
    # a value on the edge of rounding may flip its last digit
    room = max(SHARE_OF_U * u, 1.01 * digit if digit <= u / 2 else 0.0)
    return abs(value - other) <= room and abs(u - other_u) <= room


def same(old, new):
    """Tell whether two outputs say the same."""
    (text, numbers), (other, others) = split(old), split(new)
    return text == other and all(map(agree, numbers, others))


class Output(str):
    """An output as nbval holds it; equal when it says the same."""

    __slots__ = ()

    def __eq__(self, other):
        return same(str(self), str(other)) if isinstance(other, str) else NotImplemented

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(split(self)[0])


def pytest_configure(config):
    if not config.pluginmanager.hasplugin("nbval"):
        return
    from nbval import plugin  # noqa: PLC0415 - an optional tool: the other tests run without it

    exact = plugin.IPyNbCell.sanitize
    if getattr(exact, "knows_numbers", False):
        return

    def sanitize(cell, text):
        clean = exact(cell, text)
        return Output(clean) if isinstance(clean, str) else clean

    sanitize.knows_numbers = True
    plugin.IPyNbCell.sanitize = sanitize
