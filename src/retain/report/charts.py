"""Which charts a verdict has, in the order of the page; and the same as files.

May import: record; report.*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from retain.report.beeswarm import beeswarm
from retain.report.calibration import calibration
from retain.report.canvas import Chart, Labels, hand
from retain.report.contents import whole
from retain.report.curves import curve
from retain.report.dependence import dependence
from retain.report.distributions import distributions
from retain.report.drivers import drivers
from retain.report.effects import effects
from retain.report.fishbone import fishbone
from retain.report.intervals import SHOWN, intervals
from retain.report.money_curves import budget_curve, profit_curve
from retain.report.names import Tree
from retain.report.segment_rows import segments
from retain.report.tornado import tornado
from retain.storage.writing import replacing

CURVES = ("roc", "precision_recall", "calibration", "lift", "captured_profit")
REASONS = (fishbone, drivers, beeswarm, dependence, distributions)
MONEY = (profit_curve, budget_curve)
NAMED = (*REASONS, segments, tornado)
"""Charts with names that differ by language."""
NAMES = ("intervals", "effects", *CURVES, *(draw.__name__ for draw in (*NAMED, *MONEY)))
FORMATS = ("svg", "png")
DOTS = 200
"""Dots an inch in a PNG."""


def charts(tree: Tree, language: str) -> dict[str, Chart]:
    """Every chart the verdict has numbers for, by name; to be called within ``hand``."""
    return {**shared(tree, language), **translated(tree, language)}


def shared(tree: Tree, language: str) -> dict[str, Chart]:
    """The charts whose every label is known in both languages, so that one drawing serves both."""
    found = [intervals(tree, Labels(language)), effects(tree, Labels(language))]
    found += [_curve(name, tree, Labels(language)) for name in CURVES]
    found += [draw(tree, Labels(language)) for draw in MONEY]
    return _by_name(found)


def translated(tree: Tree, language: str) -> dict[str, Chart]:
    """The charts with names that differ by language, and with them the drawing."""
    return _by_name([draw(tree, Labels(language)) for draw in NAMED])


def _by_name(found: Sequence[Chart | None]) -> dict[str, Chart]:
    return {chart.name: chart for chart in found if chart is not None}


def drawable(tree: Tree) -> Tree:
    """As much of the tree as charts are drawn from: little, however many the runs."""
    return {**tree, "leaderboard": tree["leaderboard"][:SHOWN], "folds": {}, "diffs": []}


def _curve(name: str, tree: Tree, labels: Labels) -> Chart | None:
    if not (tree["curves"] or {}).get(name):
        return None
    return calibration(tree, labels) if name == "calibration" else curve(name, tree, labels)


def pictures(
    tree: Tree, language: str, folder: Path, apart: Mapping[str, Path] = MappingProxyType({})
) -> list[Path]:
    """Write every chart of a verdict as SVG and PNG, each whole or not at all.

    Of a chart that this verdict does not have, no older picture is left.

    Parameters
    ----------
    tree
        As ``verdict.json`` has it.
    language
        Of the labels, ``en`` or ``ru``.
    folder
        Where they go.
    apart
        Charts that go to a folder of their own instead, by name.

    Returns
    -------
    list of Path
        The files, in the order of the page.
    """
    written = []
    with hand():
        drawn = charts(whole(tree), language)
        for name in NAMES:
            for form in FORMATS:
                path = apart.get(name, folder) / f"{name}.{form}"
                if name not in drawn:
                    path.unlink(missing_ok=True)
                    continue
                with replacing(path, durable=False) as temporary:
                    figure, dated = drawn[name].figure, _undated(form)
                    figure.savefig(temporary, format=form, dpi=DOTS, metadata=dated)
                written.append(path)
    return written


def _undated(form: str) -> dict[str, None]:
    """No date and no maker in the file, so that the same verdict gives the same bytes."""
    return {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
