"""One thing broken at a time in a copy of the project: which tests go red for it.

Run:  python tests/benchmarks/sabotage.py [words of the sabotages to run]
Leaves with 1 if a sabotage stays green, or if the copy is not green before.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.pyc", "notebooks", "docs", "_build", "build", "dist")


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """One change, and the tests that ought to see it."""

    what: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


QUICK = "not monte_carlo"
"""The slowest test of the chain is left to the ordinary run."""
SHAPES = ("tests/unit/test_peaks_shapes.py",)
LINES = ("tests/unit/test_calibration_lines.py",)
CHAIN = ("tests/unit/test_chain.py",)
GUM = ("tests/published/test_gum_examples.py", "tests/unit/test_uncertainty_propagate.py")
SABOTAGES = (
    Sabotage(
        what="line shape: Lorentzian height 1 % too large",
        path="analysis/peaks/shapes.py",
        old="    unit = sign * inverse / math.pi\n    slope",
        new="    unit = 1.01 * sign * inverse / math.pi\n    slope",
        tests=SHAPES,
    ),
    Sabotage(
        what="line shape: Gaussian normalisation 1 % too large",
        path="analysis/peaks/shapes.py",
        old="SQRT_2PI = math.sqrt(2.0 * math.pi)",
        new="SQRT_2PI = 1.01 * math.sqrt(2.0 * math.pi)",
        tests=SHAPES,
    ),
    Sabotage(
        what="reference line: neon 585.24879 nm moved by 0.05 nm",
        path="analysis/calibration/data/Ne.csv",
        old="\n585.24879,",
        new="\n585.29879,",
        tests=LINES,
    ),
    Sabotage(
        what="reference line: neon 640.22480 nm moved by 0.05 nm",
        path="analysis/calibration/data/Ne.csv",
        old="\n640.22480,",
        new="\n640.17480,",
        tests=LINES,
    ),
    Sabotage(
        what="reference line: neon 878.06226 nm moved by 0.05 nm",
        path="analysis/calibration/data/Ne.csv",
        old="\n878.06226,",
        new="\n878.11226,",
        tests=LINES,
    ),
    Sabotage(
        what="sensitivity: sign of the wavelength axis in a Raman shift",
        path="analysis/calibration/axis.py",
        old="parts = {source: -slope * part for source, part in parts.items()}",
        new="parts = {source: slope * part for source, part in parts.items()}",
        tests=CHAIN,
    ),
    Sabotage(
        what="sensitivity: sign of the laser in a Raman shift",
        path="analysis/calibration/axis.py",
        old="+ float(laser_slope) * part",
        new="- float(laser_slope) * part",
        tests=CHAIN,
    ),
    Sabotage(
        what="sensitivity: sign of the reference value in the laser zero",
        path="analysis/calibration/laser.py",
        old="components.get(source, 0.0) + gain * float(np.squeeze(part))",
        new="components.get(source, 0.0) - gain * float(np.squeeze(part))",
        tests=CHAIN,
    ),
    Sabotage(
        what="sensitivity: sign of the offsets of a misfit",
        path="analysis/calibration/fitting.py",
        old="np.concatenate([column * excess, -excess * np.eye(pairs)[each]])",
        new="np.concatenate([column * excess, excess * np.eye(pairs)[each]])",
        tests=CHAIN,
    ),
    Sabotage(
        what="sensitivity: sign of the derivative of a quotient",
        path="analysis/uncertainty/expression.py",
        old='call("negative", call("divide", first, call("power", second, two)))',
        new='call("divide", first, call("power", second, two))',
        tests=GUM,
    ),
    Sabotage(
        what="sensitivity: sign of the derivative of a cosine",
        path="analysis/uncertainty/expression.py",
        old='"cos": call("negative", call("sin", x))',
        new='"cos": call("sin", x)',
        tests=GUM,
    ),
)


def run_tests(folder: Path, tests: tuple[str, ...]) -> tuple[bool, list[str]]:
    """Return whether all tests passed, and the names of those that did not."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "-k", QUICK, *tests]
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    red = [row.split("::")[1].split(" - ")[0] for row in done.stdout.splitlines() if row.startswith("FAILED")]
    errors = [row for row in done.stdout.splitlines() if row.startswith("ERROR")]
    return done.returncode == 0, red + errors or [done.stderr[-300:]]


def break_one(folder: Path, sabotage: Sabotage) -> bool:
    """Break the copy, run the tests, mend it; return whether a test went red."""
    path = folder / sabotage.path
    whole = path.read_text(encoding="utf-8")
    if whole.count(sabotage.old) == 0:
        sys.stdout.write(f"NOT DONE  {sabotage.what}: {sabotage.path} no longer holds {sabotage.old!r}\n")
        return False
    began = time.perf_counter()
    path.write_text(whole.replace(sabotage.old, sabotage.new, 1), encoding="utf-8")
    try:
        green, red = run_tests(folder, sabotage.tests)
    finally:
        path.write_text(whole, encoding="utf-8")
    sys.stdout.write(f"{'GREEN' if green else 'red  '}  {sabotage.what}  ({time.perf_counter() - began:.0f} s)\n")
    if not green:
        sys.stdout.writelines(f"         {name}\n" for name in red)
    sys.stdout.flush()
    return not green


def main(words: list[str]) -> int:
    """Run the sabotages whose description holds one of the words, all without words."""
    chosen = [each for each in SABOTAGES if not words or any(word in each.what for word in words)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "copy"
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        tests = tuple(dict.fromkeys(test for each in chosen for test in each.tests))
        green, red = run_tests(folder, tests)
        sys.stdout.write(f"{'green' if green else 'RED  '}  nothing broken\n")
        if not green:
            sys.stdout.writelines(f"         {name}\n" for name in red)
            return 1
        seen = [break_one(folder, each) for each in chosen]
    sys.stdout.write(f"{sum(seen)} of {len(seen)} sabotages turn a test red\n")
    return 0 if all(seen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
