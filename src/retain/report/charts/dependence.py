"""The dependence chart: mean SHAP value along the values of the top features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retain.record.explanations_document import DependencePoint, FeatureInfo
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import (
    COLOURS,
    Chart,
    Labels,
    Tooltip,
    line_segments,
    new_figure,
    single_axes,
    to_points,
    write,
)
from retain.report.charts.text_layout import wrap_text
from retain.report.charts.ticks import set_ticks, space_ticks
from retain.report.text.words import message
from retain.report.tree import frequent_levels, present, top_features

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_PANELS, N_COLUMNS = 6, 2
MAX_LEVELS = 6
"""Maximum number of levels in a panel, the most frequent; the table has all of them."""
LEFT_MARGIN, PANEL_GAP, PANEL_SIZE = 0.55, 0.32, (1.97, 1.5)
"""Inches: left of the panels, between two in a row, a panel's width and height."""
TITLE_HEIGHT, TICKS_HEIGHT, AXIS_TITLE_HEIGHT = 0.55, 0.32, 0.3
"""Inches: a panel's name above, its ticks below, and the common axis title."""

TITLE_SIZE, LEVEL_SIZE = 9.5, 8.5
"""Font sizes of a panel's name and of a level's, in points."""

Limits = tuple[float, float]


def dependence(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return one panel per feature on a common scale of SHAP values; None without points."""
    features = [one for one in top_features(tree.explanations, MAX_PANELS) if one.dependence]
    if not features:
        return None
    down = -(-len(features) // N_COLUMNS)
    figure = new_figure(down * (TITLE_HEIGHT + PANEL_SIZE[1] + TICKS_HEIGHT) + AXIS_TITLE_HEIGHT)
    limits, spots = _limits(features), []
    for at, feature in enumerate(features):
        row, column = divmod(at, N_COLUMNS)
        left = LEFT_MARGIN + column * (PANEL_SIZE[0] + PANEL_GAP)
        bottom = (
            AXIS_TITLE_HEIGHT
            + (down - 1 - row) * (TITLE_HEIGHT + PANEL_SIZE[1] + TICKS_HEIGHT)
            + TICKS_HEIGHT
        )
        axes = single_axes(figure, (left, bottom), PANEL_SIZE)
        _write_title(axes, feature.label.text(labels.language))
        kind = _plot_levels if feature.kind == "category" else _plot_number
        spots += kind(axes, feature, limits, labels.language)
        if column and kind is _plot_number:
            axes.tick_params(labelleft=False)
    figure.text(
        0.5, 0.06 / figure.get_figheight(), labels(message("chart.dependence.axis")),
        ha="center", va="bottom", color=COLOURS["muted"],
    )  # fmt: skip
    return Chart("dependence", figure, tuple(spots), labels, "xy")


def _limits(features: Sequence[FeatureInfo]) -> Limits:
    """Return limits that contain every band and zero, with a margin."""
    ends = [
        end
        for feature in features
        for one in feature.dependence or ()
        for end in (one.p10, one.p90)
    ]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room


def _write_title(axes: Axes, name: str) -> None:
    """Write the name of a panel in two lines above it."""
    for back, line in enumerate(reversed(wrap_text(name, PANEL_SIZE[0] + 0.1, 2, TITLE_SIZE))):
        y = 1 + (0.1 + 0.17 * back) / PANEL_SIZE[1]
        write(axes, 0, y, line, transform=axes.transAxes, fontsize=TITLE_SIZE)


def _plot_number(axes: Axes, feature: FeatureInfo, limits: Limits, language: str) -> list[Tooltip]:
    """Plot mean and band along a number."""
    points = feature.dependence or ()
    at = [present(one.x) for one in points]
    low, high = min(at), max(at)
    room = 0.03 * (high - low) or 0.5
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(*limits)
    space_ticks(axes.xaxis, (low - room, high + room), PANEL_SIZE[0], language, "")
    set_ticks(axes.yaxis, *limits, language, "change")
    axes.grid(visible=True, axis="y")
    _style_axes(axes)
    line_segments(axes, [(low - room, 0, high + room, 0)], color=COLOURS["muted"], linewidth=0.8)
    colour = COLOURS["accent"]
    lowest, highest = [one.p10 for one in points], [one.p90 for one in points]
    axes.fill_between(at, lowest, highest, color=colour, alpha=0.16, linewidth=0)
    axes.plot(at, [one.mean for one in points], color=colour, linewidth=1.8)
    name = feature.label.text(language)
    return [_tooltip(axes, name, one, (present(one.x), one.mean)) for one in points]


def _plot_levels(axes: Axes, feature: FeatureInfo, limits: Limits, language: str) -> list[Tooltip]:
    """Plot mean and bar of each level under its name."""
    points = frequent_levels(feature.dependence or (), MAX_LEVELS)
    axes.set_xlim(*limits)
    axes.set_ylim(len(points), 0)
    axes.set_yticks([])
    space_ticks(axes.xaxis, limits, PANEL_SIZE[0], language, "change")
    _style_axes(axes)
    axes.spines["left"].set_visible(False)
    zero = [(0, y + 0.63, 0, y + 0.93) for y in range(len(points))]
    line_segments(axes, zero, color=COLOURS["muted"], linewidth=0.8)
    lines = [(one.p10, y + 0.78, one.p90, y + 0.78) for y, one in enumerate(points)]
    line_segments(axes, lines, color=COLOURS["accent"], linewidth=1.6, alpha=0.55)
    spots = []
    for y, one in enumerate(points):
        axes.plot(one.mean, y + 0.78, "o", markersize=4.5, color=COLOURS["accent"])
        name = present(one.label).text(language)
        write(
            axes,
            limits[0],
            y + 0.55,
            wrap_text(name, PANEL_SIZE[0], 1, LEVEL_SIZE)[0],
            fontsize=LEVEL_SIZE,
        )
        message = f"{feature.label.text(language)}: {name}"
        spots.append(_tooltip(axes, message, one, (one.mean, y + 0.78)))
    return spots


def _style_axes(axes: Axes) -> None:
    """Set small ticks, and put the grid in the background."""
    axes.tick_params(labelsize=9, pad=4)
    axes.set_axisbelow(True)


def _tooltip(axes: Axes, title: str, one: DependencePoint, at: tuple[float, float]) -> Tooltip:
    values = (
        ("tip.value", one.x, "value"),
        ("tip.mean", one.mean, "change"),
        ("tip.low", one.p10, "change"),
        ("tip.high", one.p90, "change"),
        ("tip.customers", one.n_customers, "count"),
    )
    return Tooltip(*to_points(axes, *at), title, values)
