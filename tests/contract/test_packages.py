"""Package lists, the lock and version numbers agree with each other."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENT = re.compile(r"^([\w.-]+)(\[[\w,-]+\])?\s*((?:[<>=!~]=?|===).+)?$")
PEERS = "peers"
ON_CONDA = {"dask[array]": "dask-core", "xxhash": "python-xxhash"}


def parse(requirement):
    """Return (name, bounds) in the form of conda-forge, without extras."""
    match = REQUIREMENT.match(requirement)
    assert match, requirement
    whole = match[1] + (match[2] or "")
    return ON_CONDA.get(whole, match[1]).lower(), match[3] or ""


def direct(*, peers=False):
    """Return {name: bounds} of every package that pyproject.toml asks for, without the peers of the benchmarks."""
    chosen = [extra for name, extra in EXTRAS.items() if peers or name != PEERS]
    everything = [*PROJECT["dependencies"], *(r for extra in chosen for r in extra)]
    return dict(parse(r) for r in everything if not r.startswith("metrospec["))


def test_the_conda_environment_names_the_same_packages_and_bounds():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    listed += [entry for part in environment["dependencies"] if isinstance(part, dict) for entry in part["pip"]]
    found = dict(parse(entry) for entry in listed)
    assert found.pop("python") == PROJECT["requires-python"]
    assert found.pop("pip") == ""
    assert found == direct()
    assert environment["channels"] == ["conda-forge"]


def test_all_holds_every_other_extra_but_the_peers():
    named = re.findall(r"[\w-]+", EXTRAS["all"][0].partition("[")[2])
    assert sorted(named) == sorted(set(EXTRAS) - {"all", PEERS})


def test_every_requirement_says_what_for_and_why_no_older_version():
    body = TEXT.partition("\ndependencies = [")[2].partition("\n[tool.")[0]
    lines = [line for line in body.splitlines() if re.match(r'\s+"(?!metrospec)', line)]
    assert len(lines) == len(direct(peers=True))
    for line in lines:
        assert re.search(r'"[\w.\[\]-]+[>=]=[\d.*]+",\s+# \S.* - \S', line), line


def test_the_lock_holds_every_direct_package_with_hashes_and_no_address():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {m.lower() for m in re.findall(r"^([\w.-]+)==", lock, flags=re.MULTILINE)}
    names = {name.removesuffix("-core").removeprefix("python-") for name in direct()}
    assert names <= pinned
    assert "://" not in lock
    assert "--index" not in lock
    blocks = re.split(r"\n(?=\w)", lock.partition("\n\n")[2] or lock)
    assert all("--hash=sha256:" in block for block in blocks if re.match(r"[\w.-]+==", block))


@pytest.mark.parametrize("folder", ["analysis", "instruments"])
def test_our_packages_are_typed_and_carry_our_import_names(folder):
    assert (ROOT / folder / "py.typed").exists()
    wheel = tomllib.loads(TEXT)["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert folder in wheel["only-include"]


def test_the_version_is_one():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\d+\.\d+\.\d+)", changelog, flags=re.MULTILINE)
    assert citation["version"] == PROJECT["version"]
    assert newest
    assert newest[1] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"] == "BSD-3-Clause"
