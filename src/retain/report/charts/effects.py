"""The main effects chart: mean paired differences when one axis changes."""

from __future__ import annotations

from retain.report.charts.canvas import Chart, Labels
from retain.report.charts.rows import Row, Scale, interval_plot
from retain.report.text.names import Tree
from retain.report.text.words import message
from retain.report.tree import excludes_zero, measured_levels
from retain.wording import format_value

SHOWN = 36
"""Rows in the chart; the table under it has them all."""


def effects(tree: Tree, labels: Labels) -> Chart | None:
    """Axes as headings, their levels as rows; None where no axis was varied alone."""
    rows: list[Row] = []
    for effect in tree["main_effects"]:
        levels = measured_levels(effect)
        if levels and len(rows) + len(levels) < SHOWN:
            rows += [_heading(effect), *(_level(level) for level in levels)]
    if not rows:
        return None
    return interval_plot(
        "effects", rows, labels, Scale(message("chart.effects.axis"), "change", 0.0)
    )


def _heading(effect: Tree) -> Row:
    against = message("chart.effects.against", level=format_value(effect["reference"]))
    return Row(str(effect["factor"]), aside=against)


def _level(level: Tree) -> Row:
    found = level["difference"]
    return Row(
        format_value(level["level"]),
        found["value"],
        found["low"],
        found["high"],
        strong=excludes_zero(found),
    )
