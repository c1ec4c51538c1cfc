"""The beeswarm chart: binned SHAP values, one row per feature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retain.record.explanations_document import FeatureInfo
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import (
    COLOURS,
    Chart,
    Labels,
    Tooltip,
    add_axes,
    line_segments,
    to_points,
    write,
)
from retain.report.charts.text_layout import wrap_text
from retain.report.charts.ticks import set_ticks
from retain.report.text.words import message
from retain.report.tree import BEESWARM_ROWS, present, top_features

if TYPE_CHECKING:
    from matplotlib.axes import Axes


NAME_HEIGHT, NAME_GAP, BAND_HEIGHT, FEATURE_GAP, KEY_HEIGHT = 0.19, 0.06, 0.28, 0.05, 0.34
"""Inches: a line of a name, the space under it, the bars, the space below, the key on top."""
MAX_NAME_WIDTH = 4.7
"""Maximum width of a name's line in inches."""
N_SHADES = 6
"""Shades from the lowest value of a feature to its highest."""
MIN_OPACITY = 0.2
BAR_WIDTH = 0.86
"""Share of a bin's width, which leaves a gap between bars."""

Box = tuple[float, float, float, float]


@dataclass
class Bars:
    """Bars by shade, one path per shade; categories have the shade None."""

    boxes: dict[int | None, list[Box]] = field(default_factory=lambda: defaultdict(list))

    def add(self, value: float | None, box: Box) -> None:
        """Add a bar between two corners; ``value`` from 0 (lowest) to 1."""
        shade = None if value is None else min(int(value * N_SHADES), N_SHADES - 1)
        self.boxes[shade].append(box)

    def draw(self, axes: Axes) -> None:
        """Draw all bars."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        for shade, boxes in sorted(self.boxes.items(), key=lambda one: (one[0] is None, one[0])):
            path = Path.make_compound_path(*(Path(_corners(box), closed=True) for box in boxes))
            colour = COLOURS["muted" if shade is None else "accent"]
            how = {"facecolor": colour, "edgecolor": "none", "alpha": opacity(shade)}
            axes.add_patch(PathPatch(path, clip_on=False, **how))


def opacity(shade: int | None) -> float:
    """Return the opacity of a shade's bars, stronger for higher values.

    >>> [round(opacity(shade), 2) for shade in (0, N_SHADES - 1, None)]
    [0.2, 1.0, 0.55]
    """
    if shade is None:
        return 0.55
    return MIN_OPACITY + (1 - MIN_OPACITY) * shade / (N_SHADES - 1)


def _corners(box: Box) -> list[tuple[float, float]]:
    x0, y0, x1, y1 = box
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]


def beeswarm(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return the chart of SHAP values by feature, in the order of ``drivers``."""
    features = [
        one for one in top_features(tree.explanations, BEESWARM_ROWS) if one.beeswarm is not None
    ]
    if not features:
        return None
    names = [wrap_text(one.label.text(labels.language), MAX_NAME_WIDTH, 2) for one in features]
    total = KEY_HEIGHT + sum(_height(lines) for lines in names)
    figure, axes = add_axes(total + 0.65, (0.12, 0.55, 0.12, 0.1))
    low, high = _set_limits(axes, features, total, labels)
    bars, spots, y = Bars(), [], KEY_HEIGHT
    for feature, lines in zip(features, names, strict=True):
        y += _height(lines)
        for back, line in enumerate(reversed(lines)):
            write(axes, low, y - FEATURE_GAP - BAND_HEIGHT - NAME_GAP - back * NAME_HEIGHT, line)
        spots.append(_draw_row(axes, feature, y, bars, labels.language))
    _draw_key(axes, bars, labels, (low, high))
    bars.draw(axes)
    return Chart("beeswarm", figure, tuple(spots), labels, "y")


def _height(lines: Sequence[str]) -> float:
    return NAME_HEIGHT * len(lines) + NAME_GAP + BAND_HEIGHT + FEATURE_GAP


def _set_limits(
    axes: Axes, features: Sequence[FeatureInfo], total: float, labels: Labels
) -> tuple[float, float]:
    """Set limits that contain every bin, draw axis and zero line, and return the limits."""
    swarms = [one.beeswarm for one in features if one.beeswarm is not None]
    ends = [end for swarm in swarms for end in (swarm.min, swarm.max)]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    room = 0.02 * (high - low) or 0.02
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(total, 0)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    set_ticks(axes.xaxis, low - room / 2, high + room / 2, labels.language, "change")
    axes.set_xlabel(labels(message("chart.beeswarm.axis")), labelpad=6)
    return low - room, high + room


def _draw_row(axes: Axes, feature: FeatureInfo, y: float, bars: Bars, language: str) -> Tooltip:
    """Add the bars of a row that ends at ``y``, as high as their counts; return the tooltip."""
    swarm, middle = present(feature.beeswarm), y - FEATURE_GAP - BAND_HEIGHT / 2
    line_segments(
        axes,
        [(0, y - FEATURE_GAP - BAND_HEIGHT, 0, y - FEATURE_GAP)],
        color=COLOURS["muted"],
        linewidth=0.8,
    )
    width = (swarm.max - swarm.min) / len(swarm.counts)
    fullest = max([*swarm.counts, 1])
    for at, (count, value) in enumerate(zip(swarm.counts, swarm.mean_ranks, strict=True)):
        if count:
            half = max(BAND_HEIGHT / 2 * count / fullest, 0.008)
            left = swarm.min + width * (at + (1 - BAR_WIDTH) / 2)
            bars.add(value, (left, middle - half, left + width * BAR_WIDTH, middle + half))
    values = (("tip.low", swarm.min, "change"), ("tip.high", swarm.max, "change"))
    return Tooltip(*to_points(axes, 0, middle), feature.label.text(language), values)


def _draw_key(axes: Axes, bars: Bars, labels: Labels, ends: tuple[float, float]) -> None:
    """Draw the key of shades, lowest values left."""
    inch = (ends[1] - ends[0]) / 4.76
    left, y = ends[0] + 1.9 * inch, 0.08
    for shade in range(N_SHADES):
        x = left + 0.16 * inch * shade
        bars.add(shade / N_SHADES, (x, y - 0.05, x + 0.14 * inch, y + 0.05))
    how = {"va": "center", "fontsize": 9, "color": COLOURS["muted"]}
    lowest, highest = (labels(message(f"chart.beeswarm.{end}")) for end in ("low", "high"))
    write(axes, left - 0.08 * inch, y, lowest, ha="right", **how)
    write(axes, left + (0.16 * N_SHADES + 0.06) * inch, y, highest, **how)
