"""The notebooks in a real JupyterLab: opened, run from top to bottom, looked at."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

SCREENSHOTS = Path(__file__).parent / "screenshots"
RUN_SECONDS = 120
NOTEBOOKS = sorted(path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
KERNEL_IS_IDLE = """() => {
    const context = window.jupyterapp.shell.currentWidget?.context;
    return context?.sessionContext?.session?.kernel?.status === 'idle';
}"""
CELLS = """() => {
    const cells = [...window.jupyterapp.shell.currentWidget.content.widgets];
    return cells.filter(cell => cell.model.type === 'code').map(cell => ({
        count: cell.model.executionCount,
        outputs: cell.model.outputs.toJSON(),
    }));
}"""


def open_and_run(page, url, name):
    """Open a notebook, forget its kept outputs, run it all; return its code cells as they end."""
    page.goto(f"{url}/lab/tree/{name}?reset")
    ready = "window.jupyterapp && window.jupyterapp.commands.hasCommand('notebook:run-all-cells')"
    page.wait_for_function(ready)
    return run_all(page)


def run_all(page):
    """Forget the kept outputs of the open notebook, run it all; return its code cells as they end."""
    page.wait_for_function(KERNEL_IS_IDLE, timeout=60_000)
    page.evaluate("window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.wait_for_function(f"({CELLS})().every(cell => cell.outputs.length === 0)")
    page.evaluate(
        "window.metrospecDone = false;"
        "window.jupyterapp.commands.execute('notebook:run-all-cells')"
        ".then(() => { window.metrospecDone = true; }) && undefined"
    )
    page.wait_for_function("window.metrospecDone === true", timeout=RUN_SECONDS * 1000)
    page.wait_for_function(KERNEL_IS_IDLE)
    return page.evaluate(CELLS)


def errors_in(cells):
    outputs = [output for cell in cells for output in cell["outputs"]]
    return [o["evalue"] for o in outputs if o["output_type"] == "error"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_in_jupyterlab_without_an_error(page, lab, name):
    url, folder = lab
    cells = open_and_run(page, url, f"notebooks/{name}.ipynb")
    kept = nbformat.read(folder / "notebooks" / f"{name}.ipynb", as_version=4)
    assert errors_in(cells) == []
    assert len(cells) == len([cell for cell in kept.cells if cell.cell_type == "code"])
    assert all(cell["count"] for cell in cells)
    assert any(cell["outputs"] for cell in cells)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    assert page.errors == []


def test_a_failing_cell_would_be_seen(page, lab):
    url, folder = lab
    cells = [new_code_cell("print('before')"), new_code_cell("1 / 0"), new_code_cell("print('x')")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / "failing.ipynb")
    assert errors_in(open_and_run(page, url, "failing.ipynb")) == ["division by zero"]


def test_a_console_error_would_be_seen(page, lab):
    url, _ = lab
    page.goto(f"{url}/lab")
    page.evaluate("console.error('seen by the test')")
    assert any("seen by the test" in error for error in page.errors)
