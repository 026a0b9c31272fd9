"""What a laboratory states on a certificate, beside what was computed.

Not here: the certificates (`analysis.report.certificate`, `analysis.report.dcc`).
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args, get_type_hints

from analysis.core import Displayed, MetrospecError

NOT_STATED = "not stated"


@dataclass(frozen=True, kw_only=True)
class Statements(Displayed):
    """The particulars of a certificate that only the laboratory knows."""

    laboratory: str = NOT_STATED
    """Who answers for the results."""
    country: str = "ZZ"
    """Country of the laboratory, ISO 3166-1; ZZ says that it is not stated, which the Schematron of the DCC refuses."""
    location: Literal["laboratory", "customer", "laboratoryBranch", "customerBranch", "other"] = "other"
    """Where it was measured, in the words of the DCC."""
    accreditation: str = ""
    """Accreditation in the laboratory's own words; empty where there is none."""
    customer: str = NOT_STATED
    """For whom."""
    item: str = NOT_STATED
    """What was measured or calibrated."""
    item_id: str = NOT_STATED
    """Its serial number."""
    identifier: str = ""
    """Number of the certificate; empty takes the record of the result."""
    begin: str = ""
    """First day of the measurements (ISO 8601); empty where not stated."""
    end: str = ""
    """Last day of the measurements (ISO 8601); empty takes the first."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Conditions that matter, name to text."""
    equipment: Mapping[str, str] = field(default_factory=dict)
    """Measuring equipment, name to its serial number or certificate."""
    signatories: tuple[str, ...] = ()
    """Who signs."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{2}", self.country):
            msg = f"country must be two capital letters (ISO 3166-1), got {self.country!r}; write 'DE' or 'CN'"
            raise MetrospecError(msg)
        places = get_args(get_type_hints(Statements)["location"])
        if self.location not in places:
            msg = f"location must be one of {places}, got {self.location!r}"
            raise MetrospecError(msg)
        first, last = (_day(getattr(self, name), name) for name in ("begin", "end"))
        if last and (not first or last < first):
            msg = f"the measurements must begin before they end, got begin {self.begin!r} and end {self.end!r}"
            raise MetrospecError(msg)

    def sentences(self) -> list[str]:
        """Say for a reader what was stated.

        Returns
        -------
        :
            One sentence for each statement.
        """
        said = {
            "Accreditation": self.accreditation,
            "Laboratory": self.laboratory,
            "Country": self.country if self.country != "ZZ" else "",
            "Customer": self.customer,
            "Item": self.item,
            "Serial number": self.item_id,
            "Number of the certificate": self.identifier,
            "Measured": " to ".join(day for day in (self.begin, self.end) if day),
            **self.conditions,
            **self.equipment,
            "Signed by": ", ".join(self.signatories),
        }
        return [f"{name}: {text}." for name, text in said.items() if text and text != NOT_STATED]

    def missing(self) -> dict[str, str]:
        """Say what is not stated, and what follows.

        Returns
        -------
        :
            Name of the field to what a certificate without it lacks.
        """
        lacks = {
            "laboratory": "nobody is named who answers for the results",
            "country": "a DCC then has the code ZZ, which its Schematron refuses",
            "customer": "nobody is named for whom it was done",
            "item": "it does not say what was measured or calibrated",
            "item_id": "the item cannot be told from others of its kind",
            "begin": "it does not say when it was measured",
            "signatories": "nobody signs",
            "accreditation": "it says that no accredited laboratory issued it",
        }
        empty = Statements()
        return {name: said for name, said in lacks.items() if getattr(self, name) == getattr(empty, name)}


def _day(text: str, name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        msg = f"{name} must be a day such as 2026-11-23, got {text!r}"
        raise MetrospecError(msg) from error
