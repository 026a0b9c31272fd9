"""Polystyrene on every measured instrument, before and after calibration: deviation, U (k = 2) and E_n.

Run:  python run.py bench -k instruments
"""

import sys

from analysis.calibration import Verdict
from analysis.core import CalibrationError
from tests import measured


def test_instruments(capsys):
    rows, counted = [], []
    for name in measured.SETUPS:
        try:
            found = measured.outcome(name)
        except CalibrationError as error:
            rows.append(f"{name}: refused: {error}")
            continue
        rows.append(f"{name}: {found.verdict.message}")
        rows.append("    band       before      after    U (k=2)      E_n")
        rows += [
            f"  {after.name:>6} {before.deviation:+9.2f}  {after.deviation:+9.2f}  {2 * after.measured.u:9.2f}"
            f"  {after.en:+7.2f} cm-1"
            for before, after in zip(found.before, found.after, strict=True)
        ]
        if found.verdict.verdict is Verdict.VALID:
            counted += [measured.agrees(band) for band in found.after]
    share = sum(counted) / len(counted)
    rows.append(
        f"valid instruments: |E_n| <= 1 and U <= 1 cm-1 for {sum(counted)} of {len(counted)} bands ({share:.0%})"
    )
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(rows) + "\n")
    assert share >= 0.9
