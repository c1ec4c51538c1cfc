"""Charts of rows: a name on its own line, and under it a point with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

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
from retain.report.charts.text_layout import wrap_text
from retain.report.charts.ticks import money_ticks, set_ticks
from retain.report.text.numbers import format_number
from retain.report.text.words import Message

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LINE_HEIGHT, MARK_HEIGHT, HEADING_GAP = 0.19, 0.26, 0.2
"""Inches: a line of text, the space for its mark, the space above a heading."""
MARGIN = 0.12
"""Margin left and right of the rows in inches."""
MAX_NAME_WIDTH = 4.15
"""Maximum width of a name's line in inches; the mean is next to the last one."""


@dataclass(frozen=True)
class IntervalRow:
    """A name, its point and interval; ``strong`` rows have the accent colour; headings no mean.

    ``shape`` is Matplotlib's marker, ``size`` its diameter in points.
    """

    name: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    strong: bool = False
    aside: Message | None = None
    shape: str = "o"
    size: float = 5.5

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the name."""
        return wrap_text(self.name, MAX_NAME_WIDTH)

    @property
    def height(self) -> float:
        """The height in inches."""
        return LINE_HEIGHT * len(self.lines) + (HEADING_GAP if self.mean is None else MARK_HEIGHT)


@dataclass(frozen=True)
class Scale:
    """The scale of rows: name, number format, reference.

    ``at`` is marked by a short stroke in each row; ``word`` is the tooltip's label of a point.
    """

    axis: Message
    form: str
    at: float
    word: str = "tip.mean"


def interval_plot(name: str, rows: Sequence[IntervalRow], labels: Labels, scale: Scale) -> Chart:
    """Return the chart of rows."""
    total = sum(row.height for row in rows)
    figure, axes = add_axes(total + 0.65, (MARGIN, 0.55, MARGIN, 0.1))
    axes.set_xlim(*_set_limits(rows, scale.at))
    axes.set_ylim(total, 0)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    low, high = _set_limits(rows, scale.at, air=-0.02)
    ends = min(low, scale.at), max(high, scale.at)
    if scale.form == "money":
        money_ticks(axes.xaxis, ends, labels, WIDTH - 2 * MARGIN)
    else:
        set_ticks(axes.xaxis, *ends, labels.language, scale.form)
    axes.set_xlabel(labels(scale.axis), labelpad=6)
    spots, y = [], 0.0
    for row in rows:
        y += row.height
        _write_name(axes, row, y, labels)
        if row.mean is not None:
            spots.append(_draw_mark(axes, row, y, scale, labels))
    return Chart(name, figure, tuple(spots), labels, "y")


def _set_limits(
    rows: Sequence[IntervalRow], at: float, *, air: float = 0.04
) -> tuple[float, float]:
    """Return limits that contain every interval and the stroke, with a margin ``air``."""
    ends = [end for row in rows for end in (row.low, row.mean, row.high) if end is not None]
    low, high = min([*ends, at]), max([*ends, at])
    room = air * (high - low) or abs(air)
    return low - room, high + room


def _write_name(axes: Axes, row: IntervalRow, y: float, labels: Labels) -> None:
    """Write the name of a row, and for a heading the reference of its rows."""
    heading = row.mean is None
    lowest = y - (0.05 if heading else MARK_HEIGHT)
    weight = "bold" if heading else "normal"
    for back, line in enumerate(reversed(row.lines)):
        _write_margin(axes, 0, lowest - back * LINE_HEIGHT, line, fontweight=weight)
    if row.aside is not None:
        message = labels(row.aside)
        _write_margin(axes, 1, lowest, message, ha="right", color=COLOURS["muted"], fontsize=9)


def _draw_mark(axes: Axes, row: IntervalRow, y: float, scale: Scale, labels: Labels) -> Tooltip:
    """Draw the point and interval of a row that ends at ``y``; return the tooltip."""
    mean = cast("float", row.mean)
    colour = COLOURS["accent" if row.strong else "muted"]
    at = y - MARK_HEIGHT + 0.13
    held_to, stroke = [scale.at] * 2, [y - MARK_HEIGHT + 0.03, y - 0.05]
    axes.plot(held_to, stroke, color=COLOURS["muted"], linewidth=0.8)
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [at, at], color=colour, linewidth=1.6)
    filled = colour if row.strong else COLOURS["paper"]
    axes.plot(mean, at, row.shape, markersize=row.size, color=colour, markerfacecolor=filled)
    _write_margin(
        axes, 1, y - MARK_HEIGHT, format_number(mean, scale.form, labels.language), ha="right"
    )
    values = ((scale.word, mean), ("tip.low", row.low), ("tip.high", row.high))
    message = tuple((word, value, scale.form) for word, value in values)
    return Tooltip(*to_points(axes, mean, at), row.name, message)


def _write_margin(axes: Axes, side: int, y: float, text: str, **how: Any) -> None:
    """Write a text at the left or right edge of the panel."""
    from matplotlib.transforms import blended_transform_factory

    where = blended_transform_factory(axes.transAxes, axes.transData)
    write(axes, side, y, text, transform=where, **how)
