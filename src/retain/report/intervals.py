"""The best runs with the interval of their mean ROC-AUC.

May import: report.canvas, report.rows, report.names, report.contents, report.words.
"""

from __future__ import annotations

from retain.report.canvas import Chart, Labels
from retain.report.contents import METRIC
from retain.report.names import Tree, run_label
from retain.report.rows import Row, Scale, drawn
from retain.report.words import phrase

SHOWN = 20
"""Runs in the chart; the leaderboard has them all."""


def intervals(tree: Tree, labels: Labels) -> Chart:
    """One row a run, best first; those tied with the best in the accent."""
    board = tree["leaderboard"][:SHOWN]
    rows = [
        Row(
            run_label(run, tree["keys"]),
            run[METRIC],
            run[f"{METRIC}_low"],
            run[f"{METRIC}_high"],
            strong=bool(run["tied"]),
        )
        for run in board
    ]
    scale = Scale(phrase("chart.intervals.axis"), "score", board[0][METRIC])
    return drawn("intervals", rows, labels, scale)
