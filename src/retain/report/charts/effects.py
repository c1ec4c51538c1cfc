"""The main effects chart: mean paired differences when one axis changes."""

from __future__ import annotations

from retain.report.charts.canvas import Chart, Labels
from retain.report.charts.rows import Row, Scale, interval_plot
from retain.report.text.names import Tree
from retain.report.text.words import message
from retain.report.tree import excludes_zero, measured_levels
from retain.wording import format_value

SHOWN = 36
"""Maximum number of rows; the table has all of them."""


def effects(tree: Tree, labels: Labels) -> Chart | None:
    """Return axes as headings and their levels as rows; None without a main effect."""
    rows: list[Row] = []
    for effect in tree["main_effects"]:
        levels = measured_levels(effect)
        if levels and len(rows) + len(levels) < SHOWN:
            rows += [_heading_row(effect), *(_level_row(level) for level in levels)]
    if not rows:
        return None
    return interval_plot(
        "effects", rows, labels, Scale(message("chart.effects.axis"), "change", 0.0)
    )


def _heading_row(effect: Tree) -> Row:
    against = message("chart.effects.against", level=format_value(effect["reference"]))
    return Row(str(effect["factor"]), aside=against)


def _level_row(level: Tree) -> Row:
    found = level["difference"]
    return Row(
        format_value(level["level"]),
        found["value"],
        found["low"],
        found["high"],
        strong=excludes_zero(found),
    )
