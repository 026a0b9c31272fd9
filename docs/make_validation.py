"""Write `validation.md` from the tests in `tests/published`: what is checked, against what, how well.

Each of those files holds a literal `VALIDATION`, a list of {"what", "against", "agreement"}.
Run:  python docs/make_validation.py
"""

import ast
from pathlib import Path

DOCS = Path(__file__).resolve().parent
TESTS = DOCS.parent / "tests" / "published"
KEYS = ["what", "against", "agreement"]
HEAD = """# Validation

What this software is checked against, and how closely it agrees.
Each line is a test that runs with every change; this page is made from those tests by
`python docs/make_validation.py`.

| What | Against | Agreement | Test file | Tests |
|---|---|---|---|---|
"""


def read(path: Path) -> tuple[list[dict[str, str]], int]:
    """Return the entries and the number of test functions of a published test."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VALIDATION":
            entries = ast.literal_eval(node.value)
            if not entries or any(sorted(entry) != sorted(KEYS) for entry in entries):
                message = f"{path.name}: each entry of VALIDATION needs {KEYS}, got {entries}"
                raise ValueError(message)
            return entries, len(tests)
    message = f"{path.name} has no VALIDATION = [{{'what': …, 'against': …, 'agreement': …}}]"
    raise ValueError(message)


def page() -> str:
    """Return the text of the page."""
    lines = []
    for path in sorted(TESTS.glob("test_*.py")):
        entries, count = read(path)
        for entry in entries:
            cells = [entry[key].replace("|", "\\|") for key in KEYS]
            lines.append(f"| {' | '.join(cells)} | `{path.name}` | {count} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    (DOCS / "validation.md").write_text(page(), encoding="utf-8")
