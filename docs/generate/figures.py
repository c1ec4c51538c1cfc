"""Charts in the examples of ``docs/gallery``, and where these run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

GALLERY = Path(__file__).parents[1] / "gallery"


def save_figure(_: object, variables: dict[str, Any], gallery: dict[str, Any]) -> str:
    """Save the chart that a block of an example ends with, and return its markup."""
    figure = variables["example_globals"].get("___")
    if not hasattr(figure, "_repr_png_"):
        return ""
    path = next(variables["image_path_iterator"])
    Path(path).write_bytes(figure._repr_png_())
    del figure._repr_png_  # the name stays in place until another block ends with a value
    return str(figure_rst([path], gallery["src_dir"]))


def enter_gallery(*_: object) -> None:
    """Show results from the folder in which examples run, since their paths are relative."""
    os.chdir(GALLERY)
