"""The site of the documentation; `make docs` builds it into ``docs/_build/html``.

The root of the project is the source, so that a link between pages is the same on the site and on
a repository's page: docs/, experiments/ and the files beside them refer to each other.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as installed
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))  # for generate.figures

project = "retain"
author = copyright = "The retain developers"  # noqa: A001 - Sphinx's name
version = release = installed("retain")
language = "en"
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "experiments/**"]
exclude_patterns = [".*", "README*.md", "conf", "dist", "outputs", "src", "tests", "docs/_build"]
exclude_patterns += ["docs/gallery", "docs/static", "docs/templates", "docs/examples/*.ipynb"]
extensions = [
    "myst_nb",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]

INDEXES = ("experiments/README", "docs/explanation/leak-checks")
"""Pages that are an index, beside those of that name."""

myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 120
nb_execution_raise_on_error = True

numpydoc_show_class_members = False
autodoc_typehints = "none"
sphinx_gallery_conf = {
    "examples_dirs": "docs/gallery",
    "gallery_dirs": "docs/examples",
    "filename_pattern": ".",
    "image_scrapers": ("matplotlib", "generate.figures.save_figure"),
    "reset_modules": ("matplotlib", "generate.figures.enter_gallery"),
    "ignore_repr_types": r"matplotlib\.figure",
    "show_signature": False,
    "write_computation_times": False,
}

html_title = "retain"
html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}
html_copy_source = False
html_extra_path = ["static/index.html"]
html_static_path = ["static/site.css"]
html_css_files = ["site.css"]
html_sidebars = {page: [] for page in ("docs/glossary", "CHANGELOG", "CONTRIBUTING", "SECURITY")}
templates_path = ["docs/templates"]  # autosummary looks from the source
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
}


def prepare_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Lead to the built gallery, and give an index the navigation of the pages that it links to."""
    if app.env.doc2path(page).suffix != ".md":
        return
    source[0] = re.sub(r"\]\(((?:\.\./)*)gallery\)", r"](\1examples/index.rst)", source[0])
    if page in INDEXES or PurePosixPath(page).name == "index":
        linked = re.findall(r"\]\(([\w./-]+)\.(?:md|ipynb|rst)\)", source[0])
        source[0] += "\n".join(["\n```{toctree}", ":hidden:", "", *linked, "```", ""])


def setup(app: Sphinx) -> None:
    """Connect what is done to each page before it is read."""
    app.connect("source-read", prepare_page)
