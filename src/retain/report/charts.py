"""Which charts a verdict has, in the order of the page; and the same as files.

May import: record; report.*.
"""

from __future__ import annotations

from pathlib import Path

from retain.record import replacing
from retain.report.calibration import calibration
from retain.report.canvas import Chart, Labels, hand
from retain.report.contents import whole
from retain.report.curves import curve
from retain.report.effects import effects
from retain.report.intervals import SHOWN, intervals
from retain.report.names import Tree

CURVES = ("roc", "precision_recall", "calibration", "lift", "captured_profit")
FORMATS = ("svg", "png")
DOTS = 200
"""Dots an inch in a PNG."""


def charts(tree: Tree, language: str) -> dict[str, Chart]:
    """Every chart the verdict has numbers for, by name; to be called within ``hand``."""
    found = [intervals(tree, Labels(language)), effects(tree, Labels(language))]
    found += [_curve(name, tree, Labels(language)) for name in CURVES]
    return {chart.name: chart for chart in found if chart is not None}


def drawable(tree: Tree) -> Tree:
    """As much of the tree as charts are drawn from: little, however many the runs."""
    return {**tree, "leaderboard": tree["leaderboard"][:SHOWN], "folds": {}, "diffs": []}


def _curve(name: str, tree: Tree, labels: Labels) -> Chart | None:
    if not (tree["curves"] or {}).get(name):
        return None
    return calibration(tree, labels) if name == "calibration" else curve(name, tree, labels)


def pictures(tree: Tree, language: str, folder: Path) -> list[Path]:
    """Write every chart of a verdict as SVG and PNG, each whole or not at all.

    Parameters
    ----------
    tree
        As ``verdict.json`` has it.
    language
        Of the labels, ``en`` or ``ru``.

    Returns
    -------
    list of Path
        The files, in the order of the page.
    """
    written = []
    with hand():
        for chart in charts(whole(tree), language).values():
            for form in FORMATS:
                path = folder / f"{chart.name}.{form}"
                with replacing(path, durable=False) as temporary:
                    chart.figure.savefig(temporary, format=form, dpi=DOTS, metadata=_undated(form))
                written.append(path)
    return written


def _undated(form: str) -> dict[str, None]:
    """No date and no maker in the file, so that the same verdict gives the same bytes."""
    return {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
