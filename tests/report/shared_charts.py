"""Charts that tests share: drawn again only where what they are drawn from is another.

A page has some twenty drawings, and a test that changes one part of a verdict changes few of them.
"""

from __future__ import annotations

import functools
from unittest import mock

from retain.record.verdict_document import VerdictDocument
from retain.report import render
from retain.report.charts.canvas import chart_style
from retain.report.text.amounts import amounts

from .trees import read_as

SINGLE = ("intervals", "effects", "_curve")


class Watched:
    """A verdict that notes which of its parts are read."""

    def __init__(self, verdict):
        self._verdict, self.read, self._parts = verdict, set(), {}

    def __getattr__(self, name):
        self.read.add(name)
        return getattr(self._verdict, name)

    def part(self, name):
        """What the part says, as text."""
        if name not in self._parts:
            self._parts[name] = repr(getattr(self._verdict, name))
        return self._parts[name]


def once(draw, drawn):
    """``draw``, which looks first whether it has drawn this before."""

    @functools.wraps(draw)
    def found(*arguments):
        *name, tree, labels = arguments
        before = drawn.setdefault((draw, *name, labels.language, amounts()), [])
        for texts, chart in before:
            if all(tree.part(key) == text for key, text in texts.items()):
                return chart
        tree.read.clear()
        chart = draw(*arguments)
        before.append(({key: tree.part(key) for key in tree.read}, chart))
        return chart

    return found


class SharedCharts:
    """Remembers each chart by what it was drawn from, and its markup."""

    def __init__(self):
        self._draw, self._drawn, self._inline = render.render_charts, {}, {}

    def __call__(self, verdict):
        """The drawings of a page, in the place of ``page.drawings``."""
        with self._shared(), mock.patch.object(render, "inline", self._marked):
            return self._draw(Watched(verdict))

    def charts(self, tree, language):
        """The charts of a verdict; not to be changed."""
        with self._shared(), chart_style():
            return render.charts(Watched(read_as(VerdictDocument, tree)), language)

    def _shared(self):
        parts = {name: once(getattr(render, name), self._drawn) for name in SINGLE}
        for name in ("CHARTS_WITH_NAMES", "MONEY_CHARTS"):
            parts[name] = tuple(once(draw, self._drawn) for draw in getattr(render, name))
        return mock.patch.multiple(render, **parts)

    def _marked(self, chart, language=None):
        """The chart as the page has it; it is kept, and so is its identity."""
        key = id(chart), language
        if key not in self._inline:
            self._inline[key] = chart, INLINE(chart, language)
        return self._inline[key][1]


INLINE = render.inline
