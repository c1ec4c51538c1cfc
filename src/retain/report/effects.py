"""What each choice moves: the mean paired difference when one axis alone changes.

May import: report.canvas, report.rows, report.names, report.words.
"""

from __future__ import annotations

from retain.report.canvas import Chart, Labels
from retain.report.names import Tree, value_text
from retain.report.rows import Row, Scale, drawn
from retain.report.words import phrase

SHOWN = 36
"""Rows in the chart; the table under it has them all."""


def clear(level: Tree) -> bool:
    """Whether the interval of an effect leaves zero out."""
    return level["low"] is not None and (level["low"] > 0 or level["high"] < 0)


def measured(effect: Tree) -> list[Tree]:
    """The levels of an axis for which some pair of runs was found."""
    return [level for level in effect["levels"] if level["mean"] is not None]


def effects(tree: Tree, labels: Labels) -> Chart | None:
    """Axes as headings, their levels as rows; None where no axis was varied alone."""
    rows: list[Row] = []
    for effect in tree["effects"]:
        levels = measured(effect)
        if levels and len(rows) + len(levels) < SHOWN:
            rows += [_heading(effect), *(_level(level) for level in levels)]
    if not rows:
        return None
    return drawn("effects", rows, labels, Scale(phrase("chart.effects.axis"), "change", 0.0))


def _heading(effect: Tree) -> Row:
    against = phrase("chart.effects.against", level=value_text(effect["reference"]))
    return Row(str(effect["axis"]), aside=against)


def _level(level: Tree) -> Row:
    return Row(
        value_text(level["level"]), level["mean"], level["low"], level["high"], strong=clear(level)
    )
