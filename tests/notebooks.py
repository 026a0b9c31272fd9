"""Notebooks: the canonical form they are kept in, and the rules they are held to.

`python -m tests.notebooks [NOTEBOOK...]` (that is `run.py refresh`) runs them and saves them with
their outputs. `python -m tests.notebooks --strip-widgets NOTEBOOK...` only drops widget state.
Not here: the comparison of a fresh run with what is kept (nbval and `tests/nbval_numbers.py`).
"""

import argparse
import ast
import re
import sys
import time
from pathlib import Path

import nbformat

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
MAX_BYTES = 500_000
MAX_SECONDS = 20
MAX_FUNCTION_LINES = 5
TAGS = {"setup", "parameters", "check", "nbval-ignore-output", "raises-exception"}

ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|Users|tmp|work|mnt|var|opt|usr)/|\b[A-Z]:\\\\?\w")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
NETWORK = re.compile(r"\b(?:requests|urllib|httpx|aiohttp|socket|pooch)\b|https?://[^\s)]*['\"]")
UNSEEDED = re.compile(r"default_rng\(\s*\)|np\.random\.(?!default_rng|Generator)|\bimport random\b")
CONTENTS = "\n\n**Contents**\n"
SECONDS = re.compile(r"runs in (?:about )?(\d+) s")


def tags(cell):
    return set(cell.metadata.get("tags", []))


def text_of(cell):
    """Return all the text that the outputs of a cell show, pictures aside."""
    parts = []
    for output in cell.get("outputs", []):
        parts.append(output.get("text", ""))
        parts += output.get("traceback", [])
        data = output.get("data", {})
        parts += [value for kind, value in data.items() if kind.startswith("text/")]
    return "\n".join(str(part) for part in parts)


def faults_of_whole(notebook, size):
    """Yield what is wrong with the notebook as a whole."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    title = notebook.cells[0] if notebook.cells else None
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernelspec is not python3"
    if "widgets" in notebook.metadata:
        yield "metadata.widgets is kept; drop it: python -m tests.notebooks --strip-widgets"
    if size > MAX_BYTES:
        yield f"{size} bytes, at most {MAX_BYTES}"
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "code cells are not counted 1 to n in order; run it: run.py refresh"
    if title is None or title.cell_type != "markdown" or not title.source.startswith("# "):
        yield "the first cell is not a title ('# …')"
    else:
        wanted = ("**You need**", "**You get**", "offline")
        yield from (f"the title cell lacks {word!r}" for word in wanted if word not in title.source)
        stated = SECONDS.search(title.source)
        if stated is None or int(stated[1]) > MAX_SECONDS:
            yield f"the title cell does not say 'runs in N s' with N <= {MAX_SECONDS}"
    yield from faults_of_parts(code)


def faults_of_parts(code):
    """Yield which of the cells that every notebook has are missing."""
    for tag in ("setup", "parameters", "check"):
        if not any(tag in tags(cell) for cell in code):
            yield f"no code cell is tagged {tag!r}"
    if code and "check" not in tags(code[-1]):
        yield "the last code cell is not tagged 'check'"
    if not any("verify.made_with(" in cell.source for cell in code):
        yield "no cell says what it was made with; before the check: print(verify.made_with({'name': data}, seed=...))"


def faults_of_source(cell):
    """Yield what is wrong with the source of a code cell."""
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        yield f"not plain Python: {error.msg}"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            lines = node.end_lineno - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{node.name} has {lines} lines, at most {MAX_FUNCTION_LINES}; give it a room"
    if "setup" in tags(cell) and not all(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body):
        yield "the setup cell holds more than imports"
    if "check" in tags(cell) and not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        yield "the check cell asserts nothing"
    if NETWORK.search(cell.source):
        yield "it reaches for the network"
    if UNSEEDED.search(cell.source):
        yield "random numbers without a seed"


def faults_of_outputs(cell):
    """Yield what is wrong with the outputs of a code cell."""
    text = text_of(cell)
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    ignored = "nbval-ignore-output" in tags(cell)
    if any(output.output_type == "error" for output in cell.outputs) and ("raises-exception" not in tags(cell)):
        yield "it ended in an error"
    if any(output.get("name") == "stderr" for output in cell.outputs):
        yield "it wrote to stderr (a warning?)"
    if any("widget" in kind for kind in kinds) and "HBox(children=" in text:
        yield "a widget shows its Python repr; give it a text/plain of its own"
    if kinds & {"image/png", "image/jpeg"} and not ignored:
        yield "it draws; tag it nbval-ignore-output and print the numbers in the cell before"
    if "image/svg+xml" in kinds:
        yield "SVG is compared exactly; use PNG"
    if ADDRESS.search(text) and not ignored:
        yield "its output shows a memory address"


def faults(path):
    """Return what breaks the rules in the notebook at `path`, as sentences."""
    notebook = nbformat.read(path, as_version=4)
    found = list(faults_of_whole(notebook, path.stat().st_size))
    before = None
    for number, cell in enumerate(notebook.cells):
        wrong = [f"unknown tag {tag!r}" for tag in sorted(tags(cell) - TAGS)]
        if ABSOLUTE_PATH.search(cell.source + text_of(cell)):
            wrong.append("an absolute path")
        if cell.cell_type == "code":
            wrong += [*faults_of_source(cell), *faults_of_outputs(cell)]
            expects_error = "raises-exception" in tags(cell)
            if expects_error and (before is None or before.cell_type != "markdown"):
                wrong.append("raises-exception without a text cell before it that says why")
        found += [f"cell {number}: {what}" for what in wrong]
        before = cell
    return [f"{path.name}: {what}" for what in found]


def merge_streams(outputs):
    """Return the outputs with neighbouring pieces of one stream joined."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def heading_id(title):
    """Return the place in the page that JupyterLab, nbconvert and GitHub give a heading."""
    return re.sub(r"[`*]", "", title).replace(" ", "-")


def with_contents(source, cells):
    """Return the text of the title cell with a list of the headings below it."""
    headings = [
        line[3:].strip()
        for cell in cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("## ")
    ]
    listed = [f"- [{title}](<#{heading_id(title)}>)" for title in headings]
    head = source.split(CONTENTS)[0].rstrip()
    return head + CONTENTS + "\n" + "\n".join(listed) if listed else head


def canonical(notebook):
    """Bring an executed notebook to the form it is kept in; changes and returns it."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    count = 0
    if notebook.cells and notebook.cells[0].cell_type == "markdown":
        notebook.cells[0].source = with_contents(notebook.cells[0].source, notebook.cells[1:])
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        kept = sorted(tags(cell))
        cell.metadata = nbformat.from_dict({"tags": kept} if kept else {})
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = merge_streams(cell.outputs)
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
    return notebook


def refresh(path):
    """Run the notebook at `path` and save it in canonical form; return the seconds it took."""
    from nbclient import NotebookClient  # noqa: PLC0415 - dropping widget state needs no kernel

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
    )
    start = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - start
    nbformat.write(canonical(notebook), path)
    return seconds


def strip_widgets(path):
    """Drop the widget state from the notebook at `path`; leave all else, the file too if none."""
    notebook = nbformat.read(path, as_version=4)
    if notebook.metadata.pop("widgets", None) is not None:
        nbformat.write(notebook, path)
        return True
    return False


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--strip-widgets", action="store_true")
    options = parser.parse_args(arguments)
    wrong = []
    for path in options.notebooks or sorted(FOLDER.glob("*.ipynb")):
        if options.strip_widgets:
            wrong += [f"{path}: dropped the widget state"] if strip_widgets(path) else []
            continue
        seconds = refresh(path)
        sys.stdout.write(f"{path.name}: {seconds:.1f} s, {path.stat().st_size / 1000:.0f} kB\n")
        if seconds > MAX_SECONDS:
            wrong.append(f"{path.name}: took {seconds:.0f} s, at most {MAX_SECONDS}")
        wrong += faults(path)
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
