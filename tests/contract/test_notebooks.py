"""The rules that notebooks are held to, and the proof that a wrong one is found."""

import re
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
        tagged("import math\n\nfrom analysis import verify", "setup"),
        tagged("radius = 2.5\nprint(verify.made_with({'radius': radius}))", "parameters"),
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


def nbval(*paths):
    """Run nbval on notebooks; return its text and the names of those that went red."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", "--rootdir", str(paths[0].parent), "-c", str(ROOT / "pyproject.toml")]
    command += ["-p", "tests.nbval_numbers", *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout, set(re.findall(r"^FAILED .*?(\w+)\.ipynb", done.stdout, re.MULTILINE))


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


def replace_output(old, new, cell=3):
    def change(notebook):
        stream = notebook.cells[cell].outputs[0]
        assert old in stream.text
        stream.text = stream.text.replace(old, new)

    return change


STAYS_GREEN = {
    "as_it_is": replace_output("n = 3", "n = 3"),
    "beyond_the_digits": replace_output("19.634954085", "19.634954085000001"),
    "another_version": replace_output("made with: python", "made with: gizmo 1.0, python", cell=2),
    "within_a_share_of_u": replace_output("520.45 ± 0.14", "520.455 ± 0.143"),
}
GOES_RED = {
    "a_float": replace_output("19.634954085", "19.634964085"),
    "a_value_with_u": replace_output("520.45 ± 0.14", "520.48 ± 0.14"),
    "an_uncertainty": replace_output("520.45 ± 0.14", "520.45 ± 0.17"),
    "a_count": replace_output("n = 3", "n = 4"),
    "other_data": replace_output("seed: none", "seed: 7", cell=2),
    "a_unit": replace_output(" m2", " m3"),
}


def test_nbval_goes_red_on_wrong_notebooks_and_only_on_those(good, tmp_path):
    paths = []
    for name, change in (STAYS_GREEN | GOES_RED).items():
        paths.append(changed(good, tmp_path, change).rename(tmp_path / f"{name}.ipynb"))
    text, red = nbval(*paths)
    assert red == set(GOES_RED), text
    cells = 4 * len(paths)
    assert f"{len(red)} failed, {cells - len(red)} passed" in text


def test_a_good_notebook_has_no_faults(good):
    assert notebooks.faults(good) == []


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
        (set_source(2, "radius = 2.5"), "no cell says what it was made with"),
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


def test_the_title_cell_lists_the_headings():
    cells = [
        new_markdown_cell("text\n\n## 1 Why `u`, and how?"),
        new_code_cell("## no heading"),
        new_markdown_cell("## Check"),
    ]
    source = notebooks.with_contents("# T\noffline", cells)
    listed = "- [1 Why `u`, and how?](<#1-Why-u,-and-how?>)\n- [Check](<#Check>)"
    assert source == f"# T\noffline\n\n**Contents**\n\n{listed}"
    assert notebooks.with_contents(source, cells) == source
    assert notebooks.with_contents(source, cells[1:2]) == "# T\noffline"


def test_stripping_widget_state_keeps_the_outputs(good, tmp_path):
    path = changed(good, tmp_path, add_widget_state)
    assert notebooks.strip_widgets(path)
    assert not notebooks.strip_widgets(path)
    assert nbformat.read(path, as_version=4) == nbformat.read(good, as_version=4)
