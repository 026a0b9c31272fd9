"""A wheel built from this tree installs into an empty environment and works there."""

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests import public_api

ROOT = Path(__file__).resolve().parents[2]
SMOKE = """
import pathlib, sys, warnings
warnings.simplefilter("error")
import importlib.metadata, importlib.resources
import analysis, instruments
from analysis import io
home = pathlib.Path(sys.prefix).resolve()
for package in (analysis, instruments):
    assert home in pathlib.Path(package.__file__).resolve().parents, package.__file__
    assert importlib.resources.files(package).joinpath("py.typed").is_file()
assert importlib.metadata.version("metrospec") == analysis.__version__
for room in {rooms}:
    __import__(room)
spectrum = io.sample({sample!r})
assert spectrum["signal"].sizes["channel"] > 100
print("smoke test passed")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_both_packages_their_types_and_the_samples(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    kept = [n.relative_to(ROOT / "sample_data") for n in (ROOT / "sample_data").rglob("*.nc")]
    assert kept
    assert {f"analysis/_sample_data/{name.as_posix()}" for name in kept} <= set(names)
    assert {"analysis/py.typed", "instruments/py.typed"} <= set(names)
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"analysis", "instruments"}
    assert not [name for name in names if "/make/" in name or name.endswith((".md", ".pyc"))]


def test_the_wheel_passes_a_smoke_test_in_an_empty_environment(wheel, tmp_path):
    home = tmp_path / "an empty environment"
    venv.EnvBuilder(with_pip=False, symlinks=sys.platform != "win32").create(home)
    scripts = home / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / ("python.exe" if sys.platform == "win32" else "python")
    if importlib.util.find_spec("pip"):
        install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index"]
    else:  # run.py made this environment with uv, which then is there
        install = [shutil.which("uv"), "pip", "install", "--python", str(python), "--offline"]
    done = subprocess.run([*install, "--no-deps", str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    # the packages that ours needs come from this environment: no network is asked
    where = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(where) / "needed.pth").write_text("\n".join(ours), encoding="utf-8")
    rooms = [room for room in public_api.rooms() if room != "analysis.figures"]
    sample = next((ROOT / "sample_data").rglob("*.nc")).stem
    done = subprocess.run(
        [python, "-c", SMOKE.format(rooms=rooms, sample=sample)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "smoke test passed" in done.stdout
