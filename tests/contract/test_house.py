"""Rules of the house that no other tool holds: sizes, headers, maps, optional packages, leaks."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import public_api

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for package in ("analysis", "instruments") for path in (ROOT / package).rglob("*.py"))
ROOMS = [room for room in public_api.rooms() if room.startswith("analysis.")]
OPTIONAL = ["ipywidgets", "matplotlib", "dask", "distributed", "zarr", "h5netcdf"]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_header_names_only_what_exists(path):
    header = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert header, "no header"
    for name in re.findall(r"`((?:analysis|instruments)(?:\.\w+)*)`", header):
        module, _, member = name.rpartition(".")
        if importlib.util.find_spec(name.partition(".")[0]) and _is_module(name):
            continue
        assert _is_module(module), f"{name} does not exist"
        assert hasattr(importlib.import_module(module), member), f"{name} does not exist"


def _is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("room", [r for r in public_api.rooms() if "." in r])
def test_a_room_is_on_the_map(room):
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package, _, name = room.partition(".")
    assert re.search(rf"^\| `{package}/{name}(/|\.py)` \|", text, flags=re.MULTILINE)


def test_the_map_shows_no_room_that_is_not_there():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `((?:analysis|instruments)/[\w/.]+)` \|", text, flags=re.MULTILINE)
    assert listed
    assert [name for name in listed if not (ROOT / name).exists()] == []


def test_rooms_only_hand_names_on():
    for room in ROOMS:
        path = ROOT / room.replace(".", "/") / "__init__.py"
        if not path.exists():
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            kinds = ast.Import | ast.ImportFrom | ast.Expr | ast.Assign | ast.AnnAssign
            assert isinstance(node, kinds), f"{room}: {ast.unparse(node)[:60]}"
            if isinstance(node, ast.Assign):
                assert ast.unparse(node.targets[0]) == "__all__", room


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_without_optional_packages(room):
    code = f"""
import sys
class Hide:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {OPTIONAL}:
            return self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Hide(finder) for finder in sys.meta_path]
import {room}
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode and room in {"analysis.figures", "analysis.widgets"}:
        assert "pip install 'metrospec[" in done.stderr
    else:
        assert done.returncode == 0, done.stderr


def tracked():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return [p.relative_to(ROOT).as_posix() for p in (*MODULES, *(ROOT / "docs").rglob("*.md"))]
    done = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_folder_of_somebodys_machine():
    home = re.compile(rb"(?<![\w.:<*])/(?:home|root|Users|work)/[\w.]+")
    found = []
    for name in tracked():
        if name.startswith((".ci/", "tests/contract/")) or name.endswith((".nc", ".lock")):
            continue
        data = (ROOT / name).read_bytes()
        found += [f"{name}: {match[0].decode()}" for match in home.finditer(data)]
    assert found == []


def test_only_the_continuous_check_knows_of_folders_outside():
    outside = "../" + "shared"
    names = [n for n in tracked() if not n.startswith(".ci/") and not n.endswith(".nc")]
    assert [n for n in names if outside.encode() in (ROOT / n).read_bytes()] == []


def test_no_tracked_file_is_large():
    assert [n for n in tracked() if (ROOT / n).stat().st_size > 3_000_000] == []
