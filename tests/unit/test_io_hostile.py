"""Every reader against 500 broken files: an error of ours or data, in bounded time and memory; the table of formats."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from analysis import io
from analysis.core import FormatError
from analysis.io import registry
from tests import hostile
from tests.unit.test_io_makers import procspec, spa

SEEDS, FOLDER = hostile.seeds(), os.environ.get("METROSPEC_REAL_FILES", "")


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_broken_files_are_read_or_refused_with_a_reason(name):
    rng = np.random.default_rng(7)
    path = Path("file.dat")
    assert hostile.survive(name, SEEDS[name], path) == "data"
    results = [hostile.survive(name, hostile.mutated(SEEDS[name], rng), path) for _ in range(500)]
    assert results.count("refused") > 25


@pytest.mark.skipif(not FOLDER, reason="METROSPEC_REAL_FILES names no folder of real instrument files")
@pytest.mark.filterwarnings("ignore")  # the packages of the extras warn of what they then refuse
@pytest.mark.parametrize("name", sorted(hostile.REAL))
def test_wounded_real_files_are_read_or_refused_with_a_reason(name):
    rng, seed, path = np.random.default_rng(8), hostile.real(FOLDER)[name], Path(hostile.REAL[name])
    assert hostile.survive(name, seed, path) == "data"
    for _ in range(500):
        hostile.survive(name, hostile.mutated(seed, rng), path)


@pytest.mark.parametrize(("name", "seed"), [("thermo", spa()), ("procspec", procspec())])
def test_wounded_files_of_makers_are_read_or_refused_with_a_reason(name, seed):
    rng, path = np.random.default_rng(9), Path("file.dat")
    assert hostile.survive(name, seed, path) == "data"
    for _ in range(500):
        hostile.survive(name, hostile.mutated(seed, rng), path)


def test_each_reader_is_fuzzed():
    known = {reader.name for reader in (*registry.MAKERS, *registry.BUILT_IN, *registry.LAST)}
    assert {*SEEDS, *hostile.REAL, "thermo", "procspec"} >= known


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1 2\nnan 3\n4 5\n", "has a blank or infinite value"),
        (b"1 2\ninf 3\n", "has a blank or infinite value"),
        (b"1 nan\n2 nan\n", "2 values are all blank or infinite"),
        (
            b"##TITLE= x\n##NPOINTS= 99999999999\n##FIRSTX= 1\n##LASTX= 2\n##XYDATA= (X++(Y..Y))\n1 2 3\n##END=\n",
            "holds 2 points",
        ),
        (b"##TITLE= x\n##END=\n" * 20_000, "with 20000 blocks"),
        ("1 2\n3 4\n".encode("utf-16")[:-1], "begins like utf-16 text but does not decode"),
    ],
)
def test_hostile_files_are_refused_by_what_was_seen(content, message, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        io.read(tmp_path / "a.txt")


def test_line_ends_may_be_mixed(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"1 2\r\n3 4\r5 6\n")
    assert io.read(tmp_path / "a.txt")["signal"].values.tolist() == [2, 4, 6]


def test_the_table_of_formats_is_the_one_that_the_command_makes():
    docs = Path(__file__).parent.parent.parent / "docs"
    spec = importlib.util.spec_from_file_location("make_formats", docs / "make_formats.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "run: python docs/make_formats.py"
