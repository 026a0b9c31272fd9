"""Settings of the documentation; built by `sphinx-build -W docs docs/_build`."""

import importlib.metadata

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
