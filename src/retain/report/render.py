"""The charts of a verdict, in the order of the page, as markup and as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from retain.record.verdict_document import VerdictDocument
from retain.report.charts.beeswarm import beeswarm
from retain.report.charts.canvas import COLOURS, Chart, Labels, chart_style
from retain.report.charts.curves import calibration, curve
from retain.report.charts.dependence import dependence
from retain.report.charts.distributions import distributions
from retain.report.charts.intervals import MAX_RUNS, drivers, effects, intervals, segments
from retain.report.charts.money_curves import budget_curve, profit_curve
from retain.report.charts.risk_profit import risk_profit
from retain.report.charts.svg import inline, key
from retain.report.charts.tornado import tornado
from retain.report.fishbone.fishbone import fishbone
from retain.report.text.amounts import naming_money
from retain.report.text.names import printable
from retain.report.text.words import LANGUAGES, message, words
from retain.storage.writing import atomic_write

CURVES = ("roc", "precision_recall", "calibration", "lift", "captured_profit")
EXPLANATION_CHARTS = (fishbone, drivers, beeswarm, dependence, distributions)
MONEY_CHARTS = (risk_profit, profit_curve, budget_curve)
CHARTS_WITH_NAMES = (*EXPLANATION_CHARTS, segments, tornado)
"""Charts that contain names of the data, which differ by language."""
CHART_NAMES = (
    "intervals",
    "effects",
    *CURVES,
    *(draw.__name__ for draw in (*CHARTS_WITH_NAMES, *MONEY_CHARTS)),
)
FORMATS = ("svg", "png")
HEAD_GAP = 0.1
"""Inches between a chart and the lines above it in a file."""
PNG_DPI = 200
"""Dots per inch of a PNG."""


def charts(tree: VerdictDocument, language: str) -> dict[str, Chart]:
    """Return every chart of the verdict by name; to be called within ``chart_style``."""
    return {**language_neutral_charts(tree, language), **localised_charts(tree, language)}


def language_neutral_charts(tree: VerdictDocument, language: str) -> dict[str, Chart]:
    """Return the charts that need one drawing for both languages."""
    neutral = [intervals(tree, Labels(language)), effects(tree, Labels(language))]
    neutral += [_curve(name, tree, Labels(language)) for name in CURVES]
    neutral += [draw(tree, Labels(language)) for draw in MONEY_CHARTS]
    return _by_name(neutral)


def localised_charts(tree: VerdictDocument, language: str) -> dict[str, Chart]:
    """Return the charts whose drawing differs by language, because names in them do."""
    return _by_name([draw(tree, Labels(language)) for draw in CHARTS_WITH_NAMES])


def _by_name(candidates: Sequence[Chart | None]) -> dict[str, Chart]:
    return {chart.name: chart for chart in candidates if chart is not None}


def chart_subset(tree: VerdictDocument) -> VerdictDocument:
    """Return the part of the tree that charts need, small for any number of runs."""
    return tree.model_copy(
        update={"leaderboard": tree.leaderboard[:MAX_RUNS], "fold_values": {}, "diffs": ()}
    )


def _curve(name: str, tree: VerdictDocument, labels: Labels) -> Chart | None:
    if tree.curves is None or not getattr(tree.curves, name):
        return None
    return calibration(tree, labels) if name == "calibration" else curve(name, tree, labels)


def pictures(
    tree: VerdictDocument,
    language: str,
    folder: Path,
    apart: Mapping[str, Path] = MappingProxyType({}),
) -> list[Path]:
    """Write every chart of a verdict as SVG and PNG, each file atomically.

    Older pictures of charts that this verdict does not have are removed.

    Parameters
    ----------
    tree
        The content of ``verdict.json``.
    language
        The language of the labels, ``en`` or ``ru``.
    folder
        The folder of the files.
    apart
        Folders of charts that go elsewhere, by the chart's name.

    Returns
    -------
    list of Path
        The files, in the order of the page.
    """
    written = []
    with chart_style(), naming_money(tree):
        rendered = charts(tree, language)
        for chart in rendered.values():
            _head(chart, tree, language)
        for name in CHART_NAMES:
            for form in FORMATS:
                path = apart.get(name, folder) / f"{name}.{form}"
                if name not in rendered:
                    path.unlink(missing_ok=True)
                    continue
                with atomic_write(path, durable=False) as temporary:
                    _save(rendered[name], temporary, form)
                written.append(path)
    return written


def _head(chart: Chart, tree: VerdictDocument, language: str) -> None:
    """Write above a chart what it shows, and of which study and winner: files leave their page."""
    title = words(language).plain(message(f"chart.{chart.name}.title"))
    source = printable(f"{tree.study} · {tree.winner.name} {tree.winner.id}")
    top = 1 + HEAD_GAP / chart.figure.get_figheight()
    how: dict[str, Any] = {"va": "bottom", "color": COLOURS["muted"], "fontsize": 9}
    chart.figure.text(0, top, f"{title}\n{source}", linespacing=1.4, **how)


def _save(chart: Chart, file: Path, form: str) -> None:
    dated = _without_date(form)
    chart.figure.savefig(file, format=form, dpi=PNG_DPI, metadata=dated, bbox_inches="tight")


def _without_date(form: str) -> dict[str, None]:
    """Return metadata without date and creator, so that the same verdict gives the same bytes."""
    return {"Date": None, "Creator": None} if form == "svg" else {"Software": None}


@dataclass
class Drawings:
    """Rendered charts: markup by chart name, and each chart by its key."""

    pictures: dict[str, Markup] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)

    def add(self, chart: Chart, language: str | None = None) -> None:
        """Add a chart; with a language, it is shown in that language alone."""
        markup = inline(chart, language)
        self.pictures[chart.name] = self.pictures.get(chart.name, Markup("")) + markup
        self.charts[key(chart.name, language)] = chart


def render_charts(verdict: VerdictDocument) -> Drawings:
    """Render every chart of a verdict in every language."""
    drawings = Drawings()
    with chart_style():
        for chart in language_neutral_charts(verdict, LANGUAGES[0]).values():
            drawings.add(chart)
        for language in LANGUAGES:
            for chart in localised_charts(verdict, language).values():
                drawings.add(chart, language)
    return drawings
