"""The result of a control chart, and how it shows itself.

Not here: how it is computed (`analysis.quality.charts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.core import Cell, Displayed
from analysis.uncertainty import Quantity, format_value

Floats = npt.NDArray[np.float64]
_MOST = 30


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One rule that spoke."""

    at: int
    """Number of the reading or subgroup, from 0."""
    label: str
    """Its label."""
    track: str
    """On which track."""
    rule: str
    """The rule in words."""

    def __str__(self) -> str:
        """Write label, track and rule."""
        return f"{self.label}: {self.track} {self.rule}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """One line of a chart, dims `(subgroup,)`, in the units of the readings."""

    name: str
    """What is charted."""
    values: Floats = field(repr=False)
    """Its values; the first moving range is NaN."""
    centre: Floats = field(repr=False)
    """Line of the centre."""
    lower: Floats = field(repr=False)
    """Lower limit."""
    upper: Floats = field(repr=False)
    """Upper limit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ControlChart(Displayed):
    """A control chart."""

    kind: str
    """`xbar_r`, `xbar_s`, `i_mr`, `cusum` or `ewma`."""
    tracks: tuple[Track, ...]
    """One or two lines."""
    labels: tuple[str, ...]
    """Of the readings or subgroups."""
    centre: Quantity
    """Centre of the process, with its u where it was made from the data."""
    sd: Quantity
    """Standard deviation of one reading, with its u where it was made from the data."""
    sizes: tuple[int, ...]
    """Readings in each subgroup."""
    signals: tuple[Signal, ...]
    """Which rule spoke where, in order of time."""
    units: str
    """UDUNITS string of the readings."""
    notes: tuple[str, ...]
    """Plain sentences on what to mind."""

    @property
    def in_control(self) -> bool:
        """True where no rule spoke."""
        return not self.signals

    def __bool__(self) -> bool:
        """Say whether the process is in control."""
        return self.in_control

    def to_dataset(self) -> xr.Dataset:
        """Return the chart as numbers.

        Returns
        -------
        :
            For each track its values, `<name>_centre`, `<name>_lower` and `<name>_upper` along `subgroup`.
        """
        columns = {}
        for track in self.tracks:
            name = track.name.replace(" ", "_")
            for suffix, values in (("", track.values), ("_centre", track.centre), ("_lower", track.lower),
                                   ("_upper", track.upper)):  # fmt: skip
                columns[name + suffix] = ("subgroup", values, {"units": self.units})
        return xr.Dataset(columns, coords={"subgroup": list(self.labels)})

    def table(self) -> list[dict[str, str]]:
        """Return the signals as rows of text.

        Returns
        -------
        :
            Label, track and rule; empty where no rule spoke.
        """
        return [{"at": each.label, "track": each.track, "rule": each.rule} for each in self.signals]

    def __str__(self) -> str:
        """Write centre, standard deviation, limits and verdict."""
        name = "" if self.units == "1" else f" {self.units}"
        centre, sd = (format_value(each.value, each.u) for each in (self.centre, self.sd))
        limits = "; ".join(
            f"{each.name} [{each.lower[-1]:.5g}, {each.upper[-1]:.5g}]{name}" for each in self.tracks
        )  # fmt: skip
        verdict = "in control" if self.in_control else f"out of control, {len(self.signals)} signals"
        said = f"{len(self.labels)} points, {verdict}: centre {centre}{name}, standard deviation {sd}{name}"
        said += f", limits {limits}"
        return said + (f"; first signal {self.signals[0]}" if self.signals else "")

    def _rows(self) -> Sequence[Mapping[str, Cell]]:
        return [dict(row) for row in self.table()[:_MOST]]

    def _records(self) -> Sequence[Mapping[str, object]]:
        table = self.to_dataset()
        names = [str(each) for each in table.data_vars]
        return [{"at": label} | {n: float(table[n].values[k]) for n in names} for k, label in enumerate(self.labels)]

    def _notes(self) -> Sequence[str]:
        more = len(self.signals) - _MOST
        return [*self.notes, f"{more} more signals"] if more > 0 else self.notes

    def _small(self) -> bool:
        return len(self.labels) <= _MOST
