"""Curves of money: profit by customers contacted, and net value by budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import COLOURS, WIDTH, Chart, Labels, Tooltip, add_axes, to_points
from retain.report.charts.curves import HEIGHT, MARGINS, draw_reference
from retain.report.charts.ticks import money_ticks, set_ticks
from retain.report.text.words import message

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TooltipColumn = tuple[str, Sequence[float], str]
"""A number in the tooltips of a curve: text key, values, format."""

MARGIN = 0.06
"""Margin above and below, as a share of the range."""
AXIS_TITLE_GAP = 0.42
"""Inches left of the tick labels for the axis title."""


def profit_curve(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return expected profit by share of customers contacted, the best share marked."""
    campaign = tree.planned_campaign
    curve = None if campaign is None else campaign.profit_curve
    if curve is None:
        return None
    name, x, y = "profit_curve", curve.share, curve.profit
    usual = curve.profit_by_risk
    figure, axes = _money_axes(name, [*y, *usual], labels)
    end = max(*x, 0.01)
    axes.set_xlim(0, end)
    set_ticks(axes.xaxis, 0, end, labels.language, "percent")
    if usual:
        draw_reference(axes, x, usual)
    axes.plot(x, y, color=COLOURS["accent"], linewidth=1.8)
    _mark_point(axes, curve.best_share, curve.best_profit)
    spots = _tooltips(axes, (f"{name}.x", x, "percent"), (f"{name}.y", y, "money"))
    return Chart(name, figure, spots, labels, "x")


def budget_curve(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return expected net value by budget, the plan's own marked."""
    campaign = tree.planned_campaign
    if campaign is None or not campaign.budget_curve:
        return None
    budgets = sorted(campaign.budget_curve, key=lambda one: one.budget)
    x, y = [one.budget for one in budgets], [one.expected_net for one in budgets]
    name = "budget_curve"
    figure, axes = _money_axes(name, y, labels)
    low, high = min(0.0, *x), max(x) * (1 + MARGIN / 2) or 1.0
    axes.set_xlim(low, high)
    money_ticks(axes.xaxis, (low, high), labels, _panel_width(axes))
    axes.plot(x, y, "o-", color=COLOURS["accent"], linewidth=1.4, markersize=3)
    plan = campaign.plan
    _mark_point(axes, plan.expected_cost, plan.expected_net.value)
    chosen = [one.n_chosen for one in budgets]
    sums = ((f"{name}.x", x, "money"), (f"{name}.y", y, "money"))
    spots = _tooltips(axes, *sums, (f"{name}.chosen", chosen, "count"))
    return Chart(name, figure, spots, labels, "x")


def _money_axes(name: str, y: Sequence[float], labels: Labels) -> tuple[Figure, Axes]:
    """Return a panel with money on the y axis, its left margin as wide as the ticks."""
    figure, axes = add_axes(HEIGHT, MARGINS)
    low, high = min(0.0, *y), max(0.0, *y)
    room = MARGIN * (high - low) or 1.0
    limits = (low - room if low < 0 else low, high + room)
    axes.set_ylim(*limits)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    left = max(MARGINS[0], money_ticks(axes.yaxis, limits, labels) + AXIS_TITLE_GAP) / WIDTH
    box = axes.get_position()
    axes.set_position((left, box.y0, box.x1 - left, box.height))
    axes.set_xlabel(labels(message(f"chart.{name}.x")), labelpad=6)
    axes.set_ylabel(labels(message(f"chart.{name}.y")), labelpad=6)
    if low < 0:
        axes.axhline(0, color=COLOURS["muted"], linewidth=0.8)
    return figure, axes


def _panel_width(axes: Axes) -> float:
    """Return the width of a panel, in inches."""
    return float(axes.get_position().width) * WIDTH


def _mark_point(axes: Axes, x: float, y: float) -> None:
    """Draw a point on the curve and a dashed line down to the axis."""
    draw_reference(axes, [x, x], [axes.get_ylim()[0], y])
    axes.plot(x, y, "o", color=COLOURS["accent"], markersize=8, clip_on=False, zorder=3)


def _tooltips(axes: Axes, *columns: TooltipColumn) -> tuple[Tooltip, ...]:
    """Return a tooltip for every point of a curve; the first two columns are x and y."""
    points = zip(*(values for _, values, _ in columns), strict=True)
    keys = [(f"chart.{word}", form) for word, _, form in columns]
    return tuple(
        Tooltip(
            *to_points(axes, point[0], point[1]),
            "",
            tuple((word, value, form) for (word, form), value in zip(keys, point, strict=True)),
        )
        for point in points
    )
