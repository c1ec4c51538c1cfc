"""The tornado chart: net value with each assumption at either end of its range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from retain.record.campaign_document import CampaignDocument
from retain.record.plan_scenarios import SensitivityRow
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import (
    COLOURS,
    WIDTH,
    Chart,
    Labels,
    Tooltip,
    add_axes,
    to_points,
    write,
)
from retain.report.charts.rows import LINE_HEIGHT, MARK_HEIGHT
from retain.report.charts.text_layout import inches, wrap_text
from retain.report.charts.ticks import money_ticks
from retain.report.text.numbers import Number
from retain.report.text.words import message
from retain.report.tree import present

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KEY_HEIGHT, MARGIN, HALF_BAR = 0.36, 0.12, 0.075
"""Inches: the key on top, the margin left and right, half a bar's height."""
SAMPLE_WIDTH = 0.12
"""Width of a square of the key in inches."""
END_STYLES = {"low": ("muted", 0.6), "high": ("accent", 1.0)}
"""Colour and opacity for the low and the high end of an assumption."""


def swings(campaign: CampaignDocument) -> list[SensitivityRow]:
    """Return the assumptions, largest swing of the net value first."""
    found = campaign.sensitivity
    rows = () if found is None else found.rows
    return sorted(rows, key=lambda row: -swing(row, present(found).expected_net))


def swing(row: SensitivityRow, net: float) -> float:
    """Return the highest minus the lowest net value over an assumption's range."""
    ends = (row.expected_net_low, net, row.expected_net_high)
    return float(max(ends) - min(ends))


def tornado(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return bars from the plan's net value to that at either end, the widest on top."""
    campaign = tree.planned_campaign
    rows = swings(campaign) if campaign else []
    if campaign is None or not rows:
        return None
    net = present(campaign.sensitivity).expected_net
    total = KEY_HEIGHT + len(rows) * (LINE_HEIGHT + MARK_HEIGHT)
    figure, axes = add_axes(total + 0.65, (MARGIN, 0.55, MARGIN, 0.1))
    _set_limits(axes, rows, net, total, labels)
    _draw_key(axes, labels)
    spots = []
    for at, row in enumerate(rows, 1):
        spots.append(
            _draw_row(axes, row, net, KEY_HEIGHT + at * (LINE_HEIGHT + MARK_HEIGHT), labels)
        )
    return Chart("tornado", figure, tuple(spots), labels, "y")


def _set_limits(
    axes: Axes, rows: Sequence[SensitivityRow], net: float, total: float, labels: Labels
) -> None:
    """Set limits that contain every bar, and the axis of money."""
    ends = [net, *(end for row in rows for end in _nets(row).values())]
    low, high = min(ends), max(ends)
    room = 0.03 * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(total, 0)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    money_ticks(axes.xaxis, (low - room, high + room), labels, WIDTH - 2 * MARGIN)
    axes.set_xlabel(labels(message("chart.tornado.axis")), labelpad=6)


def _draw_key(axes: Axes, labels: Labels) -> None:
    """Draw the key of the two ends."""
    inch, x = 1 / (WIDTH - 2 * MARGIN), 0.0
    for end in END_STYLES:
        text = labels(message(f"chart.tornado.{end}"))
        _draw_bar(axes, (x, x + SAMPLE_WIDTH * inch), 0.1, end, across=True)
        x += (SAMPLE_WIDTH + 0.07) * inch
        how: dict[str, Any] = {"va": "center", "fontsize": 9, "color": COLOURS["muted"]}
        write(axes, x, 0.1, text, transform=axes.get_yaxis_transform(), **how)
        x += (inches(text, 9) + 0.25) * inch


def _draw_row(axes: Axes, row: SensitivityRow, net: float, y: float, labels: Labels) -> Tooltip:
    """Draw an assumption's name, range and bars, which end at ``y``; return the tooltip."""
    name = labels(message(f"assumption.{row.name}"))
    nets = _nets(row)
    ends = labels(
        message("chart.tornado.ends", low=Number(row.low, "value"), high=Number(row.high, "value"))
    )
    room = WIDTH - 2 * MARGIN - inches(ends, 9) - 0.15
    margin = {"transform": axes.get_yaxis_transform()}
    write(axes, 0, y - MARK_HEIGHT, wrap_text(name, room, 1)[0], **margin)
    write(axes, 1, y - MARK_HEIGHT, ends, ha="right", color=COLOURS["muted"], fontsize=9, **margin)
    # The longer bar first, so that a shorter one on the same side stays visible.
    for end in sorted(END_STYLES, key=lambda one: -abs(nets[one] - net)):
        _draw_bar(axes, (net, nets[end]), y - MARK_HEIGHT + 0.13, end)
    stroke = [y - MARK_HEIGHT + 0.02, y - 0.02]
    axes.plot([net, net], stroke, color=COLOURS["ink"], linewidth=1.2, solid_capstyle="butt")
    values = tuple((f"chart.tornado.{end}", nets[end], "money") for end in END_STYLES)
    return Tooltip(*to_points(axes, net, y - MARK_HEIGHT + 0.13), name, values)


def _nets(row: SensitivityRow) -> dict[str, float]:
    """Return the net value at both ends of the range."""
    return {"low": row.expected_net_low, "high": row.expected_net_high}


def _draw_bar(
    axes: Axes, ends: tuple[float, float], y: float, end: str, *, across: bool = False
) -> None:
    """Draw a bar around ``y`` in the colour of an end; ``across`` scales to the panel."""
    colour, opacity = END_STYLES[end]
    left, right = sorted(ends)
    where: dict[str, Any] = {"transform": axes.get_yaxis_transform()} if across else {}
    how: dict[str, Any] = {"color": COLOURS[colour], "alpha": opacity, "linewidth": 0}
    axes.barh(y, right - left, 2 * HALF_BAR, left=left, **how, **where)
