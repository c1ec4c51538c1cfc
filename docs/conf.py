"""The site of the documentation; `make docs` builds it into ``docs/_build/html``.

The root of the project is the source, so that a link between pages is the same on the site and on
a repository's page: README, docs/ and experiments/ refer to each other by relative paths.
"""

from __future__ import annotations

import re
from importlib.metadata import version as installed
from pathlib import PurePosixPath

from sphinx.application import Sphinx

project = "retain"
author = copyright = "The retain developers"  # noqa: A001 - Sphinx's name
version = release = installed("retain")
language = "en"
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "experiments/**"]
exclude_patterns = [".*", "README*.md", "conf", "dist", "outputs", "src", "tests", "docs/_build"]
exclude_patterns += ["docs/gallery", "docs/site", "docs/examples/*.ipynb"]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]

INDEXES = ("experiments/README", "docs/explanation/leak-checks")
"""Pages that are an index, beside those of that name."""

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True

numpydoc_show_class_members = False
autodoc_typehints = "none"
sphinx_gallery_conf = {
    "examples_dirs": "docs/gallery",
    "gallery_dirs": "docs/examples",
    "show_signature": False,
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_extra_path = ["site"]
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
}


def add_toctree(_: Sphinx, page: str, source: list[str]) -> None:
    """Give an index the navigation of the pages that it links to; it needs no second list."""
    if page not in INDEXES and PurePosixPath(page).name != "index":
        return
    linked = re.findall(r"\]\(([\w./-]+)\.(?:md|ipynb|rst)\)", source[0])
    source[0] += "\n".join(["\n```{toctree}", ":hidden:", "", *linked, "```", ""])


def setup(app: Sphinx) -> None:
    """Connect what is done to each page."""
    app.connect("source-read", add_toctree)
