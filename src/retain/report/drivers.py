"""How strongly each feature moves the winner's answers: mean |SHAP| with its interval.

May import: report.canvas, report.features, report.names, report.rows, report.words.
"""

from __future__ import annotations

from retain.report.canvas import Chart, Labels
from retain.report.features import strong
from retain.report.names import Tree
from retain.report.rows import Row, Scale, drawn
from retain.report.words import phrase

SHOWN = 25
"""Rows in the chart; the table under it has them all."""
SHAPES = {"up": "^", "down": "v"}
"""Of the point, by the direction in which higher values go; a circle where there is none."""


def drivers(tree: Tree, labels: Labels) -> Chart | None:
    """One row a feature, strongest first; weak ones hollow; None where no strength is known."""
    found = strong(tree["reasons"], SHOWN)
    if not found:
        return None
    rows = [_row(feature, labels.language) for feature in found]
    return drawn("drivers", rows, labels, Scale(phrase("chart.drivers.axis"), "score", 0.0))


def _row(feature: Tree, language: str) -> Row:
    strength = feature["strength"]
    return Row(
        feature["label"][language],
        strength["mean"],
        strength["low"],
        strength["high"],
        strong=not feature["weak"],
        shape=SHAPES.get(feature["direction"], "o"),
    )
