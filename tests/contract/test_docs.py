"""The documentation builds without a warning, and what it shows works."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import public_api

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documentation_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", str(tmp_path / "read")]
    command += [str(DOCS), str(tmp_path / "html")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "html" / "index.html").exists()


@pytest.mark.parametrize("room", [r for r in public_api.rooms() if r.startswith("analysis.")])
def test_every_room_has_a_reference_page(room):
    page = DOCS / "api" / f"{room.partition('.')[2]}.md"
    assert f".. automodule:: {room}\n" in page.read_text(encoding="utf-8")


def test_the_validation_page_is_made_from_the_published_tests():
    made = load(DOCS / "make_validation.py").page()
    assert made.count("\n| ") > 3
    kept = (DOCS / "validation.md").read_text(encoding="utf-8")
    assert kept == made, "run: python docs/make_validation.py"


@pytest.mark.parametrize("page", sorted(DOCS.glob("decisions/0*.md")), ids=lambda page: page.stem)
def test_a_decision_says_when_why_what_and_both_signs(page):
    text = page.read_text(encoding="utf-8")
    assert re.search(r"^# \d{4} .+\n\nDate: \d{4}-\d\d-\d\d\n\nStatus: \w+", text)
    for part in ("## Context", "## Decision", "## Consequences", "- Good: ", "- Bad: "):
        assert part in text


@pytest.mark.parametrize("page", ["README.md", "docs/guide/large_maps.md"])
def test_the_first_example_of_a_page_runs_and_prints_what_it_says(page, tmp_path):
    text = (ROOT / page).read_text(encoding="utf-8")
    code, said = re.search(r"```python\n(.+?)```\n.*?```text\n(.+?)```", text, flags=re.DOTALL).groups()
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == said


@pytest.mark.parametrize(
    "page",
    [
        "how_sure.md",
        "uncertainty.md",
        "certificates.md",
        "spectral_calibration.md",
        "panels.md",
        "instruments.md",
        "quality.md",
    ],
)
def test_the_examples_of_the_guide_run(page, tmp_path):
    text = (DOCS / "guide" / page).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.+?)```", text, flags=re.DOTALL))
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
