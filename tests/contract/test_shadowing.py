"""Another package of the same name: a clear message where it matters, and only there."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(code, folder):
    """Run code in `folder`, its own modules first and ours after, as for a user's script."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "always", "-c", code]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def make_package(folder, name):
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text('"""Someone else."""\n', encoding="utf-8")
    return folder / name / "__init__.py"


def test_without_a_second_package_nothing_is_said(tmp_path):
    done = run("import analysis, instruments", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_instruments_is_named_but_analysis_works(tmp_path):
    found = make_package(tmp_path, "instruments")
    done = run("import analysis; print(analysis.__version__)", tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"`import instruments` finds {found}" in done.stderr
    assert "InstrumentKit" in done.stderr
    assert str(ROOT) in done.stderr


def test_a_folder_of_instruments_without_code_is_no_shadow(tmp_path):
    (tmp_path / "instruments").mkdir()
    done = run("import analysis, instruments; print(instruments.__file__)", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(ROOT) in done.stdout


def test_a_users_own_analysis_is_named_when_instruments_needs_ours(tmp_path):
    found = make_package(tmp_path, "analysis")
    done = run("import instruments", tmp_path)
    assert done.returncode == 1
    assert "ImportError" in done.stderr
    assert f"`import analysis` finds {found}" in done.stderr
    assert "Rename your own folder" in done.stderr


def test_a_users_own_analysis_script_is_named_too(tmp_path):
    (tmp_path / "analysis.py").write_text("x = 1\n", encoding="utf-8")
    done = run("import instruments", tmp_path)
    assert f"finds {tmp_path / 'analysis.py'}" in done.stderr


def test_the_launcher_names_what_would_be_imported_instead(tmp_path):
    found = make_package(tmp_path, "analysis")
    code = "import run, pathlib; run.warn_of_shadows(pathlib.Path.cwd())"
    done = run(code, tmp_path)
    assert f"Note: {found} hides metrospec's own `analysis`" in done.stdout, done.stderr
    assert "Rename it" in done.stdout
