"""Settings of the documentation; built by `sphinx-build -W docs docs/_build`."""

import importlib.metadata
import re

from sphinx.application import Sphinx

project = "metrospec"
author = "metrospec developers"
copyright = "2026, metrospec developers"  # noqa: A001 - the name Sphinx asks for
release = importlib.metadata.version("metrospec")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"metrospec {release}"

myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_member_order = "alphabetical"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
# `name` in a docstring is a piece of code, as it is in Markdown
default_role = "code"

CODE = re.compile(r"(`[^`]*`)")
MARKUP = re.compile(r"([|]|\*(?=\S)|(?<=\w)_(?!\w))")


def escape(*event: list[str]) -> None:
    """Keep `*`, `|` and a final `_` outside of code as they are; the lines come last in the event."""
    lines = event[-1]
    for number, line in enumerate(lines):
        parts = CODE.split(line)
        lines[number] = "".join(p if p.startswith("`") else MARKUP.sub(r"\\\1", p) for p in parts)


def setup(app: Sphinx) -> None:
    """Escape docstrings before napoleon, at its usual priority 500, reads them."""
    app.connect("autodoc-process-docstring", escape, priority=400)
