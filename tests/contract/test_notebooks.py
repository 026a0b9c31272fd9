"""The rules that notebooks are held to, and the proof that a wrong one is found."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests import notebooks

ROOT = Path(__file__).resolve().parents[2]
ALL = sorted(notebooks.FOLDER.glob("*.ipynb"))
TITLE = "# A question\n\n**You need** nothing.\n**You get** an area.\nruns in 1 s, offline"
TALK = "radius = 2.5\nprint(f'{3.141592653589793 * radius**2:.9f} m2')\nprint('520.45 ± 0.14, n = 3')"


def tagged(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)})


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    cells = [
        new_markdown_cell(TITLE),
        tagged("import math", "setup"),
        tagged("radius = 2.5", "parameters"),
        new_code_cell(TALK),
        tagged("assert math.isclose(math.pi, 355 / 113, rel_tol=1e-6)", "check"),
    ]
    path = tmp_path_factory.mktemp("notebook") / "00_good.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    notebooks.refresh(path)
    return path


def changed(good, folder, change):
    notebook = nbformat.read(good, as_version=4)
    change(notebook)
    path = folder / "00_changed.ipynb"
    nbformat.write(notebook, path)
    return path


def nbval(path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    command += ["--confcutdir", str(ROOT), "-p", "tests.nbval_numbers", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_there_are_notebooks():
    assert [path.name for path in ALL][:1] == ["00_start_here.ipynb"]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_rules(path):
    assert notebooks.faults(path) == []


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_notebook_is_in_canonical_form(path):
    kept = nbformat.read(path, as_version=4)
    assert notebooks.canonical(nbformat.read(path, as_version=4)) == kept, "run: run.py refresh"


def test_all_notebooks_together_run_in_five_minutes():
    stated = [notebooks.SECONDS.search(path.read_text(encoding="utf-8")) for path in ALL]
    assert sum(int(match[1]) for match in stated if match) <= 300


def test_a_good_notebook_has_no_faults_and_passes_nbval(good):
    assert notebooks.faults(good) == []
    done = nbval(good)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def replace_output(old, new):
    def change(notebook):
        notebook.cells[3].outputs[0].text = notebook.cells[3].outputs[0].text.replace(old, new)

    return change


@pytest.mark.parametrize(
    "change",
    [
        replace_output("19.634954085", "19.634954085000001"),
        replace_output("520.45 ± 0.14", "520.455 ± 0.143"),
    ],
    ids=["beyond the digits", "within 5 % of u"],
)
def test_nbval_stays_green_on_numbers_that_say_the_same(good, tmp_path, change):
    done = nbval(changed(good, tmp_path, change))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "change",
    [
        replace_output("19.634954085", "19.634964085"),
        replace_output("520.45 ± 0.14", "520.48 ± 0.14"),
        replace_output("n = 3", "n = 4"),
        replace_output(" m2", " m3"),
    ],
    ids=["a float", "a value with u", "a count", "a unit"],
)
def test_nbval_goes_red_on_a_wrong_notebook(good, tmp_path, change):
    done = nbval(changed(good, tmp_path, change))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 3 passed" in done.stdout


def add_widget_state(notebook):
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}


def set_source(cell, source):
    def change(notebook):
        notebook.cells[cell].source = source

    return change


def set_tags(cell, *tags):
    def change(notebook):
        notebook.cells[cell].metadata["tags"] = list(tags)

    return change


LONG = "def area(r):\n" + "    r = r + 0\n" * 5 + "    return r"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add_widget_state, "metadata.widgets is kept"),
        (lambda n: n.cells[3].update(execution_count=9), "not counted 1 to n"),
        (lambda n: n.metadata["kernelspec"].update(name="julia"), "kernelspec is not python3"),
        (set_source(0, "no title"), "not a title"),
        (set_source(0, "# T\n**You need** x **You get** y offline"), "runs in N s"),
        (set_source(1, "import math\nx = 1"), "more than imports"),
        (set_source(3, LONG), "7 lines, at most 5"),
        (set_source(3, "open('/home/me/x.txt')"), "absolute path"),
        (set_source(3, "rng = np.random.default_rng()"), "without a seed"),
        (set_source(3, "import urllib.request"), "network"),
        (set_source(4, "print(1)"), "asserts nothing"),
        (set_tags(4), "not tagged 'check'"),
        (set_tags(3, "chek"), "unknown tag 'chek'"),
        (lambda n: n.cells[3].outputs[0].update(name="stderr"), "stderr"),
        (lambda n: n.cells[3].outputs[0].update(text="<at 0x7f12ab34cd>"), "memory address"),
    ],
)
def test_each_rule_is_enforced(good, tmp_path, change, said):
    found = notebooks.faults(changed(good, tmp_path, change))
    assert any(said in fault for fault in found), found


def test_stripping_widget_state_keeps_the_outputs(good, tmp_path):
    path = changed(good, tmp_path, add_widget_state)
    assert notebooks.strip_widgets(path)
    assert not notebooks.strip_widgets(path)
    assert nbformat.read(path, as_version=4) == nbformat.read(good, as_version=4)
