"""`python -m analysis.verify [NOTEBOOK...] [--out DIR]`: verdicts on notebooks run again.

Not here: what a verdict is (`analysis.verify.compare`).
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from analysis import io
from analysis.core import MetrospecError
from analysis.verify.compare import Verdict
from analysis.verify.page import as_json, html, summary
from analysis.verify.running import Verified, verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments:
        As on the command line; None takes those of the process.

    Returns
    -------
    :
        0 if every number was reproduced within its uncertainty, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m analysis.verify", description="Run notebooks again and compare.")
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="default: all of notebooks/")
    parser.add_argument("--out", type=Path, default=Path("results") / "verify", metavar="DIR", help="%(default)s")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="notebooks at a time (default 2)")
    given = parser.parse_args(arguments)
    paths = given.notebooks or sorted(Path("notebooks").glob("*.ipynb"))
    if not paths:
        return _fail("no notebooks in ./notebooks; name them, or start where they are")
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(max(given.jobs, 1)) as pool:
            done = [_tell(each) for each in pool.map(verify, paths)]
        for name, text in (("verify.html", html(done)), ("verify.json", as_json(done))):
            sys.stdout.write(f"wrote {io.write(text, given.out / name)}\n")
    except (MetrospecError, OSError, ImportError) as error:
        return _fail(str(error))
    sys.stdout.write(summary(done) + "\n")
    return int(any(each.verdict is Verdict.CHANGED for each in done))


def _tell(each: Verified) -> Verified:
    sys.stdout.write(f"{each.name}: {each.verdict} ({each.seconds:.1f} s)\n")
    for finding in each.findings:
        if finding.verdict is not Verdict.SAME:
            sys.stdout.write(
                f"  {finding.verdict}, cell {finding.cell}, {finding.what}: {finding.stored} -> {finding.recomputed}"
                f" ({finding.why})\n"
            )
    sys.stdout.flush()
    return each


def _fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
