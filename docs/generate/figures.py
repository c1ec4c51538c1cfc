"""Charts in the examples of ``docs/gallery``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst


def save_figure(_: object, variables: dict[str, Any], gallery: dict[str, Any]) -> str:
    """Save the chart that a block of an example ends with, and return its markup."""
    figure = variables["example_globals"].get("___")
    if not hasattr(figure, "_repr_png_"):
        return ""
    path = next(variables["image_path_iterator"])
    Path(path).write_bytes(figure._repr_png_())
    return str(figure_rst([path], gallery["src_dir"]))
