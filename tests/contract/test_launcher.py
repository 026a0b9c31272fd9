"""`run.py` says what to do when the set-up cannot go on, and never harms what it did not make."""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def launcher(tmp_path, monkeypatch):
    """The launcher of a project in an empty folder with a space in its name."""
    root = tmp_path / "a project"
    (root / "analysis" / "peaks").mkdir(parents=True)
    (root / "run.py").write_bytes((ROOT / "run.py").read_bytes())
    (root / "requirements.lock").write_text("numpy==2.0\n", encoding="utf-8")
    (root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("launcher", root / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    done = []

    def step(command, **_):
        done.append([str(word) for word in command])
        if "venv" in command:
            module.PYTHON.parent.mkdir(parents=True, exist_ok=True)
            module.PYTHON.touch()

    monkeypatch.setattr(module, "step", step)
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    module.done = done
    return module


def test_it_imports_the_standard_library_only():
    tree = ast.parse((ROOT / "run.py").read_text(encoding="utf-8"))
    imported = [n.names[0].name for n in ast.walk(tree) if isinstance(n, ast.Import)]
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_an_old_python_can_parse_it_and_is_told_what_to_do(launcher, monkeypatch):
    source = (ROOT / "run.py").read_text(encoding="ascii")
    tree = ast.parse(source, feature_version=(3, 4))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr)]
    lists = [n for n in ast.walk(tree) if isinstance(n, ast.List | ast.Tuple)]
    assert not [n for n in lists if any(isinstance(e, ast.Starred) for e in n.elts)]
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.returns]
    monkeypatch.setattr(sys, "version_info", (3, 8, 1))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; this is Python"):
        launcher.refuse_old_python()


def test_the_first_call_installs_by_hash_and_the_second_does_nothing(launcher):
    launcher.set_up()
    words = [word for command in launcher.done for word in command]
    assert "--require-hashes" in words
    assert "-e" in words
    assert not launcher.UNFINISHED.exists()
    launcher.done.clear()
    launcher.set_up()
    assert launcher.done == []


def test_a_changed_lock_installs_again_into_the_same_environment(launcher):
    launcher.set_up()
    launcher.done.clear()
    launcher.LOCK.write_text("numpy==2.1\n", encoding="utf-8")
    launcher.set_up()
    words = [word for command in launcher.done for word in command]
    assert "--require-hashes" in words
    assert "venv" not in words


def test_a_folder_that_was_moved_is_set_up_afresh(launcher):
    launcher.set_up()
    stamp = json.loads(launcher.STAMP.read_text(encoding="utf-8"))
    launcher.STAMP.write_text(json.dumps({**stamp, "root": "elsewhere"}), encoding="utf-8")
    launcher.done.clear()
    launcher.set_up()
    assert "venv" in launcher.done[0]


def test_an_interrupted_set_up_starts_afresh(launcher, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(launcher, "step", interrupt)
        with pytest.raises(KeyboardInterrupt):
            launcher.set_up()
    assert launcher.UNFINISHED.exists()
    launcher.UNFINISHED.write_text("99999999", encoding="utf-8")  # that process is gone
    (launcher.ENV / "half").touch()
    launcher.set_up()
    assert "interrupted" in capsys.readouterr().out
    assert not (launcher.ENV / "half").exists()
    assert launcher.STAMP.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot be asked whether a process runs")
def test_a_second_set_up_at_the_same_time_is_refused(launcher):
    launcher.ENV.mkdir()
    launcher.UNFINISHED.write_text(str(os.getppid()), encoding="utf-8")
    with pytest.raises(SystemExit, match="under way"):
        launcher.set_up()


def test_an_environment_made_by_someone_else_is_left_alone(launcher):
    launcher.ENV.mkdir()
    (launcher.ENV / "pyvenv.cfg").touch()
    with pytest.raises(SystemExit, match=r"not made by run\.py, and is left alone"):
        launcher.set_up()
    assert (launcher.ENV / "pyvenv.cfg").exists()


def test_debian_without_venv_is_told_the_package(launcher, monkeypatch):
    monkeypatch.setattr(launcher.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="sudo apt install python3-venv"):
        launcher.set_up()
    assert not launcher.ENV.exists()


def test_a_full_disk_is_seen_before_anything_is_made(launcher, monkeypatch):
    usage = launcher.shutil.disk_usage(".")._replace(free=10**8)
    monkeypatch.setattr(launcher.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SystemExit, match="disk is full"):
        launcher.set_up()
    assert not launcher.ENV.exists()


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("Temporary failure in name resolution", "Check the connection"),
        ("error: Failed to fetch: dns error", "Check the connection"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the one"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "folder of your own"),
        ("ERROR: No matching distribution found for numba==0.68.1", "conda env create"),
        ("something unheard of", "Read the lines above"),
    ],
)
def test_a_failed_step_ends_in_advice(launcher, line, advice):
    with pytest.raises(SystemExit, match=advice):
        launcher.fail(["Collecting numpy", line])


def test_an_unknown_command_lists_the_known_ones():
    done = subprocess.run([sys.executable, str(ROOT / "run.py"), "tset"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No command 'tset'; there are: lab, test, analyse" in done.stderr


SET_UP_ALREADY = (
    "import importlib.util, sys\n"
    "spec = importlib.util.spec_from_file_location('launcher', sys.argv[1])\n"
    "launcher = importlib.util.module_from_spec(spec)\n"
    "spec.loader.exec_module(launcher)\n"
    "launcher.set_up, launcher.PYTHON = lambda: None, sys.executable\n"
    "sys.argv = sys.argv[1:]\n"
    "launcher.main()\n"
)


def test_verify_gives_its_verdict_as_exit_code_page_and_file(tmp_path):
    notebook = ROOT / "notebooks" / "03_uvvis_quantitation.ipynb"
    wrong = tmp_path / "03_wrong.ipynb"
    wrong.write_text(notebook.read_text(encoding="utf-8").replace("13 degrees of", "14 degrees of"), encoding="utf-8")
    for path, code, said in ((notebook, 0, "Reproduced:"), (wrong, 1, "NOT reproduced:")):
        out = tmp_path / str(code)
        command = [sys.executable, "-c", SET_UP_ALREADY, str(ROOT / "run.py"), "verify", str(path), "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert said in done.stdout
        assert (out / "verify.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
        verdict = json.loads((out / "verify.json").read_text(encoding="utf-8"))["verdict"]
        assert verdict == ("same", "changed")[code]
