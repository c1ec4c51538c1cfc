"""Customers by risk and profit: counts in cells, the darker the more profit at risk."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from retain.record.campaign_document import RiskByProfit
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import COLOURS, Chart, Labels, Tooltip, add_axes, to_points, write
from retain.report.charts.ticks import set_ticks
from retain.report.text.numbers import money_form
from retain.report.text.words import interval, message

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_HEIGHT = 0.42
MARGINS = (1.1, 0.55, 0.25, 0.12)
"""Inches: left, bottom, right, top."""
DARKEST = 0.85
"""Opacity of the cell with the most profit at risk."""
LIGHT_TEXT_FROM = 0.45
"""Opacity from which the count in a cell is written in the colour of the paper."""


def risk_profit(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return the cells of risk and profit."""
    campaign = tree.planned_campaign
    if campaign is None or len(campaign.overview.risk_by_profit.profit_edges) < 2:
        return None
    cells = campaign.overview.risk_by_profit
    n_rows = len(cells.n_customers)
    height = n_rows * ROW_HEIGHT + MARGINS[1] + MARGINS[3]
    figure, axes = add_axes(height, MARGINS)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, n_rows)
    set_ticks(axes.xaxis, 0, 1, labels.language, "percent")
    _name_rows(axes, cells.profit_edges, labels)
    axes.set_xlabel(labels(message("chart.risk_profit.x")), labelpad=6)
    most = max(max(row) for row in cells.profit_at_risk) or 1.0
    spots = tuple(
        _draw_cell(axes, cells, (row, column), most)
        for row in range(n_rows)
        for column in range(len(cells.risk_edges) - 1)
        if cells.n_customers[row][column]
    )
    return Chart("risk_profit", figure, spots, labels, "xy")


def _name_rows(axes: Axes, edges: Sequence[float], labels: Labels) -> None:
    """Name each row by the bounds of its profit."""
    form = money_form(edges)
    axes.set_yticks([row + 0.5 for row in range(len(edges) - 1)])
    rows = (interval(low, high, form) for low, high in itertools.pairwise(edges))
    axes.set_yticklabels([labels(row) for row in rows])
    axes.set_ylabel(labels(message("chart.risk_profit.y")), labelpad=6)


def _draw_cell(axes: Axes, cells: RiskByProfit, at: tuple[int, int], most: float) -> Tooltip:
    """Draw a cell with its count; return its tooltip."""
    (row, column), edges = at, cells.risk_edges
    left, right = edges[column], edges[column + 1]
    count, at_risk = cells.n_customers[row][column], cells.profit_at_risk[row][column]
    opacity = DARKEST * at_risk / most
    how: dict[str, Any] = {"color": COLOURS["accent"], "alpha": opacity, "linewidth": 0}
    axes.barh(row + 0.5, right - left, 0.94, left=left, **how)
    colour = COLOURS["paper" if opacity >= LIGHT_TEXT_FROM else "ink"]
    centre = (left + right) / 2
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8.5, "color": colour}
    write(axes, centre, row + 0.5, str(count), **style)
    values = (
        ("chart.risk_profit.customers", count, "count"),
        ("chart.risk_profit.at_risk", at_risk, "money"),
    )
    return Tooltip(*to_points(axes, centre, row + 0.5), "", values)
