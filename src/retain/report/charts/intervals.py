"""Charts of intervals: drivers, runs, segments, main effects."""

from __future__ import annotations

from math import sqrt

from retain.record.comparison_document import FactorLevel, MainEffect
from retain.record.estimates import Estimate
from retain.record.explanations_document import FeatureInfo
from retain.record.segments_document import SegmentInfo
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import Chart, Labels
from retain.report.charts.rows import IntervalRow, Scale, interval_plot
from retain.report.text.names import run_label
from retain.report.text.words import message
from retain.report.tree import (
    METRIC,
    excludes_zero,
    has_observed_profit,
    has_profit,
    present,
    segments_by_risk,
    top_features,
)
from retain.wording import format_value

MAX_DRIVERS = 25
"""Maximum number of features; the table has all of them."""
MARKERS = {"up": "^", "down": "v"}
"""Marker by the direction of higher values; a circle if there is none."""


def drivers(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return one row per feature, strongest first, weak ones hollow; None without importances."""
    features = top_features(tree.explanations, MAX_DRIVERS)
    if not features:
        return None
    rows = [_driver_row(feature, labels.language) for feature in features]
    return interval_plot(
        "drivers", rows, labels, Scale(message("chart.drivers.axis"), "score", 0.0)
    )


def _driver_row(feature: FeatureInfo, language: str) -> IntervalRow:
    strength = present(feature.mean_abs_shap)
    return IntervalRow(
        feature.label.text(language),
        strength.value,
        strength.low,
        strength.high,
        strong=not feature.is_weak,
        shape=MARKERS.get(feature.direction or "", "o"),
    )


MAX_RUNS = 20
"""Maximum number of runs; the leaderboard has all of them."""


def intervals(tree: VerdictDocument, labels: Labels) -> Chart:
    """Return one row per run, best first, those tied with the best in the accent colour."""
    board = tree.leaderboard[:MAX_RUNS]
    rows = [
        IntervalRow(
            run_label(run, tree.key_columns),
            run[METRIC],
            run[f"{METRIC}_low"],
            run[f"{METRIC}_high"],
            strong=bool(run["tied"]),
        )
        for run in board
    ]
    scale = Scale(message("chart.intervals.axis"), "score", board[0][METRIC])
    return interval_plot("intervals", rows, labels, scale)


MAX_SEGMENTS = 20
"""Maximum number of segments; the table has all of them."""
MAX_MARKER, MIN_MARKER = 10.5, 3.5
"""Marker diameters of the largest and the smallest segment, in points."""


def segments(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return one row per segment, most at risk first, small ones hollow."""
    profiles = tree.segments or ()
    ranked = segments_by_risk(profiles)[:MAX_SEGMENTS]
    if not ranked:
        return None
    most = max(int(one.n_customers) for one, _ in ranked)
    rows = [_segment_row(one, weight, most, labels.language) for one, weight in ranked]
    money = has_profit(profiles)
    key = "chart.segments.observed" if has_observed_profit(profiles) else "chart.segments.axis"
    axis = message(key if money else "chart.segments.risk")
    form, word = ("money", "tip.value") if money else ("percent", "tip.mean")
    return interval_plot("segments", rows, labels, Scale(axis, form, 0.0, word))


def _segment_row(one: SegmentInfo, weight: Estimate, most: int, language: str) -> IntervalRow:
    name = one.segment if one.label is None else one.label.text(language)
    size = max(MAX_MARKER * sqrt(one.n_customers / most), MIN_MARKER)
    return IntervalRow(
        name, weight.value, weight.low, weight.high, strong=not one.is_small, size=size
    )


MAX_LEVELS = 36
"""Maximum number of rows; the table has all of them."""


def effects(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return axes as headings and their levels as rows; None without a main effect."""
    rows: list[IntervalRow] = []
    for effect in tree.main_effects:
        levels = effect.levels
        if levels and len(rows) + len(levels) < MAX_LEVELS:
            rows += [_heading_row(effect), *(_level_row(level) for level in levels)]
    if not rows:
        return None
    return interval_plot(
        "effects", rows, labels, Scale(message("chart.effects.axis"), "change", 0.0)
    )


def _heading_row(effect: MainEffect) -> IntervalRow:
    against = message("chart.effects.against", level=format_value(effect.reference))
    return IntervalRow(str(effect.factor), aside=against)


def _level_row(level: FactorLevel) -> IntervalRow:
    found = level.difference
    return IntervalRow(
        format_value(level.level),
        found.value,
        found.low,
        found.high,
        strong=excludes_zero(found),
    )
