"""The charts of a verdict, in the order of the page, as markup and as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from markupsafe import Markup

from retain.report.charts.beeswarm import beeswarm
from retain.report.charts.canvas import Chart, Labels, chart_style
from retain.report.charts.curves import calibration, curve
from retain.report.charts.dependence import dependence
from retain.report.charts.distributions import distributions
from retain.report.charts.effects import effects
from retain.report.charts.intervals import SHOWN, drivers, intervals, segments
from retain.report.charts.money_curves import budget_curve, profit_curve
from retain.report.charts.svg import inline, key
from retain.report.charts.tornado import tornado
from retain.report.fishbone import fishbone
from retain.report.text.names import Tree
from retain.report.text.words import LANGUAGES
from retain.report.tree import fill_defaults
from retain.storage.writing import atomic_write

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
    """Every chart the verdict has numbers for, by name; to be called within ``chart_style``."""
    return {**language_neutral_charts(tree, language), **localised_charts(tree, language)}


def language_neutral_charts(tree: Tree, language: str) -> dict[str, Chart]:
    """Return the charts with labels in both languages, which one drawing serves."""
    found = [intervals(tree, Labels(language)), effects(tree, Labels(language))]
    found += [_curve(name, tree, Labels(language)) for name in CURVES]
    found += [draw(tree, Labels(language)) for draw in MONEY]
    return _by_name(found)


def localised_charts(tree: Tree, language: str) -> dict[str, Chart]:
    """Return the charts with names that differ by language, and with them the drawing."""
    return _by_name([draw(tree, Labels(language)) for draw in NAMED])


def _by_name(found: Sequence[Chart | None]) -> dict[str, Chart]:
    return {chart.name: chart for chart in found if chart is not None}


def chart_subset(tree: Tree) -> Tree:
    """As much of the tree as charts are drawn from: little, however many the runs."""
    return {**tree, "leaderboard": tree["leaderboard"][:SHOWN], "fold_values": {}, "diffs": []}


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
    with chart_style():
        drawn = charts(fill_defaults(tree), language)
        for name in NAMES:
            for form in FORMATS:
                path = apart.get(name, folder) / f"{name}.{form}"
                if name not in drawn:
                    path.unlink(missing_ok=True)
                    continue
                with atomic_write(path, durable=False) as temporary:
                    figure, dated = drawn[name].figure, _undated(form)
                    figure.savefig(temporary, format=form, dpi=DOTS, metadata=dated)
                written.append(path)
    return written


def _undated(form: str) -> dict[str, None]:
    """No date and no maker in the file, so that the same verdict gives the same bytes."""
    return {"Date": None, "Creator": None} if form == "svg" else {"Software": None}


@dataclass
class Drawings:
    """Drawn charts: markup by the name of a chart, and each drawing by its key."""

    pictures: dict[str, Markup] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)

    def add(self, chart: Chart, language: str | None = None) -> None:
        """One more drawing; with a language, shown in that language alone."""
        drawn = inline(chart, language)
        self.pictures[chart.name] = self.pictures.get(chart.name, Markup("")) + drawn
        self.charts[key(chart.name, language)] = chart


def render_charts(verdict: Tree) -> Drawings:
    """Every chart of a verdict in every language."""
    found = Drawings()
    with chart_style():
        for chart in language_neutral_charts(verdict, LANGUAGES[0]).values():
            found.add(chart)
        for language in LANGUAGES:
            for chart in localised_charts(verdict, language).values():
                found.add(chart, language)
    return found
