"""A changed number makes `verify` red, one that moved within its uncertainty is reported, and nothing is missed."""

import asyncio
import base64
import json
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from analysis import figures, verify
from analysis.figures import drawing
from analysis.uncertainty import Quantity
from analysis.verify import __main__ as command
from analysis.verify import numbers
from analysis.verify.compare import Verdict, compare_text
from analysis.verify.page import html
from analysis.verify.pictures import compare_pictures
from analysis.verify.running import Verified
from tests import notebooks

TALK = "found, u = 520.45, 0.14\nprint(f'{found:.2f} ± {u:.2f} cm-1, n = 3')"
TABLE = "print(f'area {3.14159 * 2.5**2:.4f} m2')\nprint('name   value    u\\nshift  518.77   0.36')"
CHECK = "for low, wanted in [(found, 520.5)]:\n    assert abs(low - wanted) < 1\nassert round(100 * u) == 14"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("verified") / "00_small.ipynb"
    cells = [new_code_cell(TALK), new_code_cell(TABLE), new_code_cell(CHECK, metadata={"tags": ["check"]})]
    nbformat.write(new_notebook(cells=cells), path)
    notebooks.refresh(path)
    return path


def changed(stored, folder, old, new):
    text = stored.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        for output in cell.outputs:
            output.text = output.text.replace(old, new)
    path = folder / "00_small.ipynb"
    nbformat.write(notebook, path)
    assert path.read_text(encoding="utf-8") != text
    return path


def test_an_untouched_notebook_is_reproduced_with_its_published_value_beside(stored, tmp_path, capsys):
    assert command.main([str(stored), "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "verify.json").read_text(encoding="utf-8"))
    assert found["verdict"] == "same"
    findings = found["notebooks"][0]["findings"]
    assert [f["stored"] for f in findings[:4]] == ["520.45 ± 0.14", "19.6349", "518.77", "0.36"]
    assert findings[0]["published"] == "520.5"
    assert [c["published"] for c in found["notebooks"][0]["checks"]] == [520.5, 14]
    assert "Reproduced: 6 same" in capsys.readouterr().out


def test_a_number_changed_by_5_or_1_percent_is_red_and_one_within_u_is_reported(stored, tmp_path, capsys):
    text = stored.read_text(encoding="utf-8")
    for share, number in ((0.05, 19.6349), (0.01, 19.6349), (0.01, 518.77)):
        path = changed(stored, tmp_path, f"{number}", f"{number * (1 + share):.4f}"[: len(f"{number}")])
        assert command.main([str(path), "--out", str(tmp_path)]) == 1
        assert "NOT reproduced: 5 same, 0 moved within their uncertainty, 1 changed" in capsys.readouterr().out
    path = changed(stored, tmp_path, "520.45 ± 0.14", "520.52 ± 0.14")

    async def from_a_loop():  # as in a notebook
        return verify.verify(path)

    with ThreadPoolExecutor() as pool:  # the browser tests leave a loop running in this thread
        one = pool.submit(lambda: asyncio.run(from_a_loop())).result()
    assert one.verdict is Verdict.MOVED
    assert [f.shift for f in one.findings if f.verdict is Verdict.MOVED] == [pytest.approx(-0.5)]
    assert stored.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os\nos._exit(1)", "the kernel died"),
        ("import time\ntime.sleep(60)", "not done after 2 s"),
    ],
)
def test_a_cell_that_kills_the_kernel_or_hangs_is_named(stored, tmp_path, source, said):
    notebook = nbformat.read(stored, as_version=4)
    notebook.cells[1].source = source
    path = tmp_path / "00_stopped.ipynb"
    nbformat.write(notebook, path)
    found = verify.verify(path, timeout=2)
    assert found.verdict is Verdict.CHANGED
    (finding,) = [each for each in found.findings if each.what == "run"]
    assert (finding.cell, finding.recomputed) == (1, said)
    assert said in html([found])


def test_an_exception_and_a_published_value_that_is_missed_are_red(stored, tmp_path):
    notebook = nbformat.read(stored, as_version=4)
    notebook.cells[1].source = "raise ValueError('no lamp')"
    notebook.cells[2].source = CHECK.replace("520.5)", "522.5)")
    path = tmp_path / "00_wrong.ipynb"
    nbformat.write(notebook, path)
    assert command.main([str(path), "--out", str(tmp_path)]) == 1
    found = json.loads((tmp_path / "verify.json").read_text(encoding="utf-8"))["notebooks"][0]
    changed = [each for each in found["findings"] if each["verdict"] == "changed"]
    assert "ValueError: no lamp" in changed[0]["recomputed"]
    assert next((c["published"], c["holds"]) for c in found["checks"]) == (522.5, False)


def test_another_version_is_reported_and_does_not_fail(stored, tmp_path, capsys):
    notebook = nbformat.read(stored, as_version=4)
    talk = "from analysis import verify\nprint(verify.made_with({'found': 1.5}))"
    notebook.cells[0].source = TALK + "\n" + talk
    path = tmp_path / "00_versions.ipynb"
    nbformat.write(notebook, path)
    notebooks.refresh(path)
    text = path.read_text(encoding="utf-8").replace(f"numpy {np.__version__}", "numpy 1.99.0")
    path.write_text(text.replace("520.45 ± 0.14", "520.50 ± 0.14"), encoding="utf-8")
    assert command.main([str(path), "--out", str(tmp_path)]) == 0
    assert "1 moved within their uncertainty, 0 changed" in capsys.readouterr().out
    page = (tmp_path / "verify.html").read_text(encoding="utf-8")
    assert "1.99.0" in page
    assert np.__version__ in page


def test_the_page_escapes_what_notebooks_print():
    found = compare_text("a <script>alert(1)</script> 1.5", "a <script>alert(1)</script> 1.6", cell=0)
    one = Verified(name="<b>.ipynb", findings=tuple(found), checks=(), recorded={}, present={}, seconds=0.0)
    page = html([one])
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;.ipynb" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("1.00 ± 0.10 V", "1.09 ± 0.10 V", "moved"),
        ("1.00 ± 0.10 V", "1.11 ± 0.10 V", "changed"),
        ("1.000000 ± 0.1000000", "1.000001 ± 0.1000001", "same"),
        ("1.000000 ± 0.1000000", "1.000100 ± 0.1000000", "moved"),
        ("1.000000 ± 0.1000000", "1.200000 ± 0.1000000", "changed"),
        ("1.00 ± 0.10 V", "1.00 ± 0.20 V", "changed"),
        ("1.00(10) V", "1.05(10) V", "moved"),
        ("1.00 ± 0.10 V", "1.00 ± 0.10 mV", "changed"),
        ("n = 3", "n = 4", "changed"),
        ("a\nb 1.5", "a\nc\nb 1.5", "changed"),
        ("name  u (nm)\nrest  0.18", "name  u (nm)\nrest  0.19", "moved"),
        ("name  u (nm)\nrest  0.18", "name  u (nm)\nrest  0.21", "changed"),
        ("name  value  u\nrest  2.50  0.18", "name  value  u\nrest  2.60  0.18", "moved"),
    ],
)
def test_the_verdict_on_a_text(old, new, verdict):
    assert max((f.verdict for f in compare_text(old, new, cell=0)), key=list(Verdict).index) == verdict


def test_results_with_many_digits_are_regression_values():
    assert numbers.same("result a: 1.000000 ± 0.1000000", "result a: 1.0000009 ± 0.1000000")
    assert not numbers.same("result a: 1.000000 ± 0.1000000", "result a: 1.000010 ± 0.1000000")
    assert numbers.same("result a: 1.000 ± 0.100", "result a: 1.001 ± 0.100")
    said = str(verify.made_with({}, results={"a": Quantity(value=1.5, u=0.25, units="V")}))
    assert said.endswith("result a: 1.500000 ± 0.2500000")


@pytest.mark.parametrize(("factor", "verdict"), [(1, "same"), (1.00001, "moved"), (1.01, "changed"), (1.05, "changed")])
def test_pictures_are_compared_by_the_data_they_draw(factor, verdict):
    def drawn(scale):
        figure, (axes,) = drawing.blank()
        axes.plot(np.arange(50.0), scale * np.linspace(1, 2, 50))
        axes.set_ylim(0, 3)
        return base64.b64encode(figures.png(figure)).decode()

    assert compare_pictures(drawn(1), drawn(factor), cell=0).verdict == verdict


def test_a_picture_that_does_not_say_what_it_draws_is_not_compared():
    old, new = (base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20) + bytes([k])).decode() for k in (1, 2))
    assert compare_pictures(old, new, cell=0).verdict == "not compared"
    assert compare_pictures(old, old, cell=0).verdict == "same"


def test_what_it_was_made_with_names_versions_data_and_seed():
    said = str(verify.made_with({"x": np.arange(3.0)}, seed=7))
    assert f"numpy {np.__version__}" in said
    assert said.endswith("seed: 7")
    assert said.splitlines()[1] == str(verify.made_with({"x": np.arange(3.0)})).splitlines()[1]
    assert said.splitlines()[1] != str(verify.made_with({"x": np.arange(4.0)})).splitlines()[1]
