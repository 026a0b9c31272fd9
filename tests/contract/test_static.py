"""The static checks, cheapest first; the same four run before a commit."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "ruff", "format", "--check", "--quiet", "."],
        [sys.executable, "-m", "ruff", "check", "--quiet", "--output-format=concise", "."],
        [sys.executable, "-m", "mypy", "--no-error-summary"],
        [str(SCRIPTS / "lint-imports"), "--no-cache"],
    ],
    ids=["format", "lint", "types", "imports"],
)
def test_the_static_checks_pass(command):
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, f"{' '.join(command[1:])}\n{done.stdout[-6000:]}{done.stderr}"
