"""Measures the fit engine and its peers and writes the page on performance.

Run in the root folder, with the extra `metrospec[peers]` for the whole table:
    python docs/make_performance.py                   about five minutes; keeps the section on scale as it is
    python docs/make_performance.py --scale 1000000   the section on scale as well, ten minutes more
"""

import datetime as dt
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
SCALE = "A map larger than memory"
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def kept(title: str) -> str:
    """Return the text of a section of the page as it is now."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return text.partition(f"## {title}\n\n")[2].partition("\n## ")[0].strip() or "Not measured yet."


def head(command: str, machine: str) -> str:
    """Return the beginning of the page."""
    return (
        "# Performance\n\n"
        f"Made by `{command}` on {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}. Speeds are ratios inside one run: "
        "another machine gives other numbers, and one with other work on it lower ones.\n\n"
        f"Machine and versions: {machine}.\n"
    )


def main() -> None:
    """Measure and write."""
    os.environ.update(ONE_THREAD)
    sys.path.insert(0, str(ROOT))
    from tests import measuring, scaling  # noqa: PLC0415 - the number of threads is read when NumPy is imported

    size = int(sys.argv[2]) if sys.argv[1:2] == ["--scale"] else 0
    parts = [head("python docs/make_performance.py", measuring.machine())]
    for measure in (
        measuring.speed, measuring.door, measuring.voigt, measuring.optima, measuring.coverage, measuring.first
    ):  # fmt: skip
        section = measure()
        print(f"\n{section.title}\n{section.text}", flush=True)
        parts.append(f"## {section.title}\n\n{section.text}\n")
    text = kept(SCALE)
    if size:
        with tempfile.TemporaryDirectory() as folder:
            text, _, _ = scaling.report(Path(folder), spectra=size)
        print(f"\n{SCALE}\n{text}", flush=True)
    parts.append(f"## {SCALE}\n\n{text}\n")
    PAGE.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
