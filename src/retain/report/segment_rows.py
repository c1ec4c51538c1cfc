"""Where the profit at risk lies: a segment a row, its point as large as it has customers.

May import: report.canvas, report.names, report.rows, report.words.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from retain.report.canvas import Chart, Labels
from retain.report.names import Tree
from retain.report.rows import Row, Scale, drawn
from retain.report.words import phrase

SHOWN = 20
"""Rows in the chart; the table has them all."""
LARGEST, SMALLEST = 10.5, 3.5
"""Points across, of the segment with most customers and of the least."""


def with_money(found: Sequence[Tree]) -> bool:
    """Whether profit at risk is known of segments."""
    return any(one["profit_at_risk"] is not None for one in found)


def weighed(found: Sequence[Tree]) -> list[tuple[Tree, dict[str, float]]]:
    """Segments with their profit at risk, or else their risk, and its interval; most first."""
    if with_money(found):
        told = [(one, dict(one["profit_at_risk"])) for one in found if one["profit_at_risk"]]
    else:
        told = [(one, _risk(one)) for one in found]
    return sorted(told, key=lambda pair: -pair[1]["value"])


def _risk(one: Tree) -> dict[str, float]:
    return {"value": one["risk"], "low": one["risk_low"], "high": one["risk_high"]}


def segments(tree: Tree, labels: Labels) -> Chart | None:
    """One row a segment, most at risk first; small ones hollow."""
    found = tree["segments"] or []
    told = weighed(found)[:SHOWN]
    if not told:
        return None
    most = max(int(one["customers"]) for one, _ in told)
    rows = [_row(one, weight, most, labels.language) for one, weight in told]
    money = with_money(found)
    axis = phrase("chart.segments.axis" if money else "chart.segments.risk")
    form, word = ("money", "tip.value") if money else ("percent", "tip.mean")
    return drawn("segments", rows, labels, Scale(axis, form, 0.0, word))


def _row(one: Tree, weight: Tree, most: int, language: str) -> Row:
    name = one["segment"] if one["label"] is None else one["label"][language]
    size = max(LARGEST * sqrt(one["customers"] / most), SMALLEST)
    return Row(
        name, weight["value"], weight["low"], weight["high"], strong=not one["small"], size=size
    )
