"""The charts as the page holds them: one drawing for both languages, or one for each.

May import: report.canvas, report.charts, report.svg, report.words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from retain.report.canvas import Chart, hand
from retain.report.charts import shared, translated
from retain.report.names import Tree
from retain.report.svg import inline, key
from retain.report.words import LANGUAGES


@dataclass
class Drawings:
    """What is drawn: markup by the name of a chart, and each drawing by its key."""

    pictures: dict[str, Markup] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)

    def add(self, chart: Chart, language: str | None = None) -> None:
        """One more drawing; with a language, shown in that language alone."""
        drawn = inline(chart, language)
        self.pictures[chart.name] = self.pictures.get(chart.name, Markup("")) + drawn
        self.charts[key(chart.name, language)] = chart


def drawings(verdict: Tree) -> Drawings:
    """Every chart of a verdict in every language."""
    found = Drawings()
    with hand():
        for chart in shared(verdict, LANGUAGES[0]).values():
            found.add(chart)
        for language in LANGUAGES:
            for chart in translated(verdict, language).values():
                found.add(chart, language)
    return found
