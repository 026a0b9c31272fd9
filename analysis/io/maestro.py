"""ORTEC MAESTRO and GammaVision Spe: a histogram of counted pulses as text in sections `$NAME:`.

The counts are events: their signal is marked with the rule u(N) = sqrt(N). The axis `energy` is the nominal
calibration of the file. Not here: SPE of Princeton Instruments, which is binary (`analysis.io.princeton`).
"""

import re

import numpy as np
import xarray as xr

from analysis.core import CHANNEL, FormatError
from analysis.io import dates, fields, sniff, text
from analysis.io.reader import Reader

_TITLE = "MAESTRO Spe"
_KNOWN = re.compile(
    r"\$(?:SPEC_ID|SPEC_REM|DATE_MEA|MEAS_TIM|DATA|ROI|PRESETS|ENER_FIT|MCA_CAL|SHAPE_CAL|ADC|DEVICE_ID|[A-Z_0-9]+:)"
)
_MOST_CHANNELS = 1 << 22
_MONTHS = 12


def read(data: bytes, name: str) -> xr.Dataset:
    """Read a histogram.

    Parameters
    ----------
    data:
        The file.
    name:
        Its name, for messages.

    Returns
    -------
    :
        `signal` in counts along `pixel` (channel number) and, where the file is calibrated, `energy`.

    Raises
    ------
    FormatError
        If counts are missing or are no counts.
    """
    sections = _sections(text.lines_of(data, name))
    first, counts = _counts(sections, name)
    is_whole = bool((counts == np.round(counts)).all() and (counts >= 0).all())
    rule = fields.COUNTING if is_whole else {}
    units = "counts" if is_whole else "1"
    channel = fields.pixels(counts.size, first, "channel number")
    dataset = xr.Dataset(
        {"signal": (CHANNEL, counts, {"units": units, "long_name": "counts per channel"} | rule)}, {"pixel": channel}
    )
    coefficients, units = _calibration(sections)
    if coefficients:
        energy = np.polynomial.polynomial.polyval(channel.values, coefficients)
        about = {"units": units, "long_name": "energy, nominal (calibration of the file)", "nominal": "true"}
        dataset = dataset.assign_coords(energy=(CHANNEL, energy, about))
    return dataset.assign_attrs(_attributes(sections) | {"header": fields.header(_kept(sections))})


def _sections(lines: list[str]) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    key = ""
    for line in lines:
        found = re.match(r"\s*\$([A-Za-z][\w ]*):?(.*)$", line)
        if found:
            key = found.group(1).strip().upper()
            sections[key] = [found.group(2)] if found.group(2).strip() else []
        elif key:
            sections[key].append(line)
    return sections


def _counts(sections: dict[str, list[str]], name: str) -> tuple[int, fields.Array]:
    cells = " ".join(sections.get("DATA", [])).replace(",", " ").split()
    if len(cells) < 3 or not all(re.fullmatch(r"\d{1,9}", cell) for cell in cells[:2]):  # noqa: PLR2004 - first, last, one
        msg = f"{name!r} is {_TITLE} whose $DATA begins {cells[:3]}; wanted first and last channel, then counts"
        msg_0 = f"{msg}. Copy it again"
        raise FormatError(msg_0)
    first, last = int(cells[0]), int(cells[1])
    wanted, got = last - first + 1, len(cells) - 2
    if wanted != got or not 1 <= wanted <= _MOST_CHANNELS:
        msg = f"{name!r} is cut short: $DATA says channels {first} to {last} ({wanted}), and has {got} counts"
        msg_0 = f"{msg}. Copy it again"
        raise FormatError(msg_0)
    try:
        counts = np.array([float(cell) for cell in cells[2:]])
    except ValueError as error:
        msg = f"{name!r} is {_TITLE} with a count that is no number: {error}. Copy it again"
        raise FormatError(msg) from error
    if not np.isfinite(counts).all():
        msg = f"{name!r} is {_TITLE} with {int((~np.isfinite(counts)).sum())} counts that are not finite. Copy it again"
        raise FormatError(msg)
    return first, counts


def _calibration(sections: dict[str, list[str]]) -> tuple[list[float], str]:
    """Take the polynomial of `$MCA_CAL`, else the line of `$ENER_FIT`; none where it has no slope."""
    count, cells = (_numbers(sections.get("MCA_CAL", [])[at : at + 1]) for at in (0, 1))
    words = " ".join(sections.get("MCA_CAL", [])[1:2]).split()
    if count and len(cells) >= int(count[0]) > 1 and any(cells[1 : int(count[0])]):
        units = words[-1] if words[-1].lower() in ("kev", "ev", "mev") else "keV"
        return cells[: int(count[0])], {"kev": "keV", "ev": "eV", "mev": "MeV"}[units.lower()]
    line = _numbers(sections.get("ENER_FIT", [])[:1])
    return (line[:2], "keV") if len(line) > 1 and line[1] else ([], "")


def _numbers(lines: list[str]) -> list[float]:
    found = []
    for cell in " ".join(lines).replace(",", " ").split():
        if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", cell):
            break
        found.append(float(cell))
    return found


def _attributes(sections: dict[str, list[str]]) -> dict[str, object]:
    attrs: dict[str, object] = {}
    times = _numbers(sections.get("MEAS_TIM", [])[:1])
    attrs |= dict(zip(("live_time_s", "real_time_s"), times, strict=False))
    remarks = [line.strip() for line in sections.get("SPEC_REM", []) if line.strip()]
    attrs |= {"comment": "\n".join(remarks)} if remarks else {}
    said = [each.partition(" ")[2] for mark in ("DETDESC#", "DET#", "AP#") for each in remarks if each.startswith(mark)]
    attrs |= {"instrument": "; ".join(said)} if said else {}
    title = " ".join(sections.get("SPEC_ID", [])).strip()
    attrs |= {"title": title} if title else {}
    return attrs | _date(" ".join(sections.get("DATE_MEA", [])).strip())


def _date(given: str) -> dict[str, object]:
    """Read the date, which the maker writes month/day/year; day first only where it cannot be a month."""
    found = re.match(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(.*)", given)
    if not found:
        said = dates.find([f"date {given}"])
        return {"acquired": said} if said else {}
    month, mark, day, year, rest = found.groups()
    if mark == "." or int(month) > _MONTHS:
        month, day = day, month
    said = dates.find([f"date {year}-{month}-{day}{rest}"])
    note = "local time of the instrument's computer; month before day, as the maker documents"
    return {"acquired": said, "acquired_note": note} if said else {}


def _kept(sections: dict[str, list[str]]) -> dict[str, object]:
    return {key: lines for key, lines in sections.items() if key != "DATA"}


READER = Reader(
    name="maestro",
    title=_TITLE,
    recognises=lambda head: _KNOWN.match(sniff.start_of(head)) is not None,
    read=read,
    reads="counts (marked sqrt(N)), channel numbers, nominal energy, live and real time, date, remarks",
    reads_not="regions, presets and the calibration of widths (kept in the header)",
    tested_on="an HPGe background of 8192 channels (METROSPEC_REAL_FILES), made ones",
)
