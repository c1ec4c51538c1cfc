"""Curves of money: what contacting ever more customers brings, and what a budget buys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retain.report.charts.canvas import COLOURS, WIDTH, Chart, Labels, Tooltip, add_axes, to_points
from retain.report.charts.curves import HEIGHT, MARGINS, draw_reference
from retain.report.charts.ticks import money_ticks, set_ticks
from retain.report.text.names import Tree
from retain.report.text.words import message
from retain.report.tree import campaign_or_none

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Told = tuple[str, Sequence[float], str]
"""What each point of a curve tells: under which word, the numbers, and their form."""

AIR = 0.06
"""Of the range of money, above and below it."""
BESIDE = 0.42
"""Inches left of the ticks' texts: the axis's name, and room around it."""


def profit_curve(tree: Tree, labels: Labels) -> Chart | None:
    """Return expected profit by the share of customers contacted, the best share marked."""
    found = (campaign_or_none(tree) or {}).get("profit_curve")
    if not found:
        return None
    name, x, y = "profit_curve", found["share"], found["profit"]
    usual = found.get("profit_by_risk") or []
    figure, axes = _framed(name, [*y, *usual], labels)
    end = max(*x, 0.01)
    axes.set_xlim(0, end)
    set_ticks(axes.xaxis, 0, end, labels.language, "percent")
    if usual:
        draw_reference(axes, x, usual)
    axes.plot(x, y, color=COLOURS["accent"], linewidth=1.8)
    _marked(axes, found["best_share"], found["best_profit"])
    spots = _spots(axes, (f"{name}.x", x, "percent"), (f"{name}.y", y, "money"))
    return Chart(name, figure, spots, labels, "x")


def budget_curve(tree: Tree, labels: Labels) -> Chart | None:
    """Return expected net value by the budget, the plan's own marked."""
    import numpy as np

    campaign = campaign_or_none(tree) or {}
    found = sorted(campaign.get("budget_curve") or [], key=lambda one: float(one["budget"]))
    if not found:
        return None
    x, y = ([float(one[key]) for one in found] for key in ("budget", "expected_net"))
    name = "budget_curve"
    figure, axes = _framed(name, y, labels)
    low, high = min(0.0, *x), max(x) * (1 + AIR / 2) or 1.0
    axes.set_xlim(low, high)
    money_ticks(axes.xaxis, (low, high), labels, _across(axes))
    axes.plot(x, y, "o-", color=COLOURS["accent"], linewidth=1.4, markersize=3)
    plan = campaign["plan"]
    spent = plan["expected_cost"] if plan["budget"] is None else plan["budget"]
    at = float(np.clip(spent, min(x), max(x)))
    _marked(axes, at, float(np.interp(at, x, y)))
    chosen = [int(one["n_chosen"]) for one in found]
    sums = ((f"{name}.x", x, "money"), (f"{name}.y", y, "money"))
    spots = _spots(axes, *sums, (f"{name}.chosen", chosen, "count"))
    return Chart(name, figure, spots, labels, "x")


def _framed(name: str, y: Sequence[float], labels: Labels) -> tuple[Figure, Axes]:
    """Return a panel for money upwards, as far from the left as its ticks are wide."""
    figure, axes = add_axes(HEIGHT, MARGINS)
    low, high = min(0.0, *y), max(0.0, *y)
    room = AIR * (high - low) or 1.0
    limits = (low - room if low < 0 else low, high + room)
    axes.set_ylim(*limits)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    left = max(MARGINS[0], money_ticks(axes.yaxis, limits, labels) + BESIDE) / WIDTH
    box = axes.get_position()
    axes.set_position((left, box.y0, box.x1 - left, box.height))
    axes.set_xlabel(labels(message(f"chart.{name}.x")), labelpad=6)
    axes.set_ylabel(labels(message(f"chart.{name}.y")), labelpad=6)
    if low < 0:
        axes.axhline(0, color=COLOURS["muted"], linewidth=0.8)
    return figure, axes


def _across(axes: Axes) -> float:
    """Return the width of a panel, in inches."""
    return float(axes.get_position().width) * WIDTH


def _marked(axes: Axes, x: float, y: float) -> None:
    """Draw a point on the curve, and a dashed line down to the axis."""
    draw_reference(axes, [x, x], [axes.get_ylim()[0], y])
    axes.plot(x, y, "o", color=COLOURS["accent"], markersize=8, clip_on=False, zorder=3)


def _spots(axes: Axes, *told: Told) -> tuple[Tooltip, ...]:
    """Every point of a curve: its place by the first two, and all that it tells."""
    points = zip(*(values for _, values, _ in told), strict=True)
    keys = [(f"chart.{word}", form) for word, _, form in told]
    return tuple(
        Tooltip(
            *to_points(axes, point[0], point[1]),
            "",
            tuple((word, value, form) for (word, form), value in zip(keys, point, strict=True)),
        )
        for point in points
    )
