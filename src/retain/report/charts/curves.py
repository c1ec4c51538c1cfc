"""Curves of the winner, out of fold: ROC, precision and recall, lift, captured profit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retain.record.comparison_document import CalibrationBin, MeanCurve
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import COLOURS, Chart, Labels, Tooltip, add_axes, to_points
from retain.report.charts.ticks import set_ticks
from retain.report.text.words import message
from retain.report.tree import out_of_fold, present

if TYPE_CHECKING:
    from matplotlib.axes import Axes


HEIGHT, MARGINS = 4.3, (0.78, 0.62, 0.3, 0.1)
"""Inches; left, bottom, right, top."""
SHARES = ("lift", "captured_profit")
"""Curves over the share of customers, written in percent."""


def curve(name: str, tree: VerdictDocument, labels: Labels) -> Chart:
    """Return a curve with its range over repeats as a band and the chance level dashed."""
    points: MeanCurve = getattr(present(tree.curves), name)
    figure, axes = add_axes(HEIGHT, MARGINS)
    top = 1.0 if name != "lift" else max(points.y_max) * 1.06
    frame(axes, name, labels, top=top)
    _draw_chance(axes, name, tree)
    axes.fill_between(
        points.x,
        points.y_min,
        points.y_max,
        color=COLOURS["accent"],
        alpha=0.16,
        linewidth=0,
    )
    axes.plot(points.x, points.y, color=COLOURS["accent"], linewidth=1.8)
    spots = tuple(_tooltip(axes, name, points, at) for at in range(len(points.x)))
    return Chart(name, figure, spots, labels, "x")


def frame(axes: Axes, name: str, labels: Labels, *, top: float = 1.0) -> None:
    """Set limits, grid, ticks and the names of both axes."""
    axes.set_xlim(0, 1)
    axes.set_ylim(0, top * 1.02)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    set_ticks(axes.xaxis, 0, 1, labels.language, "percent" if name in SHARES else "")
    set_ticks(axes.yaxis, 0, top, labels.language, "percent" if name == "captured_profit" else "")
    axes.set_xlabel(labels(message(f"chart.{name}.x")), labelpad=6)
    axes.set_ylabel(labels(message(f"chart.{name}.y")), labelpad=6)


def draw_reference(axes: Axes, x: Sequence[float], y: Sequence[float]) -> None:
    """Draw a reference as a thin dashed line."""
    axes.plot(x, y, color=COLOURS["muted"], linewidth=0.8, dashes=(4, 3))


def _draw_chance(axes: Axes, name: str, tree: VerdictDocument) -> None:
    declined, rows = out_of_fold(tree.data, tree.split)
    level = {"lift": 1.0, "precision_recall": declined / rows}
    flat = level.get(name)
    draw_reference(axes, [0, 1], [0, 1] if flat is None else [flat, flat])


def _tooltip(axes: Axes, name: str, points: MeanCurve, at: int) -> Tooltip:
    x_form = "percent" if name in SHARES else "score"
    y_form = "percent" if name == "captured_profit" else "score"
    values = (
        (f"chart.{name}.x", points.x[at], x_form),
        (f"chart.{name}.y", points.y[at], y_form),
        ("tip.low", points.y_min[at], y_form),
        ("tip.high", points.y_max[at], y_form),
    )
    return Tooltip(*to_points(axes, points.x[at], points.y[at]), "", values)


def calibration(tree: VerdictDocument, labels: Labels) -> Chart:
    """Return the calibration chart: points of observed shares, and the map of scores to risks."""
    bins = present(tree.curves).calibration
    figure, axes = add_axes(HEIGHT, MARGINS)
    frame(axes, "calibration", labels)
    draw_reference(axes, [0, 1], [0, 1])
    _draw_map(axes, tree)
    colour = COLOURS["accent"]
    for one in bins:
        at = [one.predicted] * 2
        axes.plot(
            at,
            [one.observed.low, one.observed.high],
            color=colour,
            linewidth=1.2,
            alpha=0.55,
        )
    predicted = [one.predicted for one in bins]
    observed = [one.observed.value for one in bins]
    axes.plot(predicted, observed, "o", color=colour, markersize=5.5)
    return Chart(
        "calibration", figure, tuple(_calibration_tooltip(axes, one) for one in bins), labels, "xy"
    )


def _draw_map(axes: Axes, tree: VerdictDocument) -> None:
    """Draw the calibration that risks and money use, with its band."""
    if tree.recalibration is None:
        return
    curve = tree.recalibration.curve
    colour = COLOURS["accent"]
    axes.fill_between(curve.score, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(curve.score, curve.risk, color=colour, linewidth=1.4)


def _calibration_tooltip(axes: Axes, one: CalibrationBin) -> Tooltip:
    values = (
        ("chart.calibration.x", one.predicted, "score"),
        ("chart.calibration.y", one.observed.value, "score"),
        ("tip.low", one.observed.low, "score"),
        ("tip.high", one.observed.high, "score"),
        ("tip.customers", one.n_customers, "count"),
    )
    return Tooltip(*to_points(axes, one.predicted, one.observed.value), "", values)
