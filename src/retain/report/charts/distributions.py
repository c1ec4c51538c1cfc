"""The chart of feature distributions in both classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from retain.record.explanations_document import (
    FeatureInfo,
    Level,
    LevelDistribution,
    NumberDistribution,
)
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
from retain.report.charts.text_layout import inches, wrap_text
from retain.report.text.numbers import format_number
from retain.report.text.words import message
from retain.report.tree import compared_features, frequent_levels, present

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_FEATURES, MAX_LEVELS = 25, 8
"""Maximum numbers of features and of a category's levels; the table has all of them."""
PANEL_WIDTH = 4.76
"""Width of the panel in inches."""
MAX_NAME_WIDTH, SIDE_MARGIN, END_GAP = 2.95, 0.62, 0.08
"""Inches: maximum width of a name, minimum margin beside the boxes for the ends of their scale,
gap between an end and the boxes."""
LEVEL_NAME, RATE = 2.3, 0.5
"""Maximum widths in inches of a level's name before its mark and its rate after it."""
KEY_HEIGHT, NAME_HEIGHT, NAME_GAP, CLASS_HEIGHT, LEVEL_HEIGHT, FEATURE_GAP = (
    0.32,
    0.19,
    0.03,
    0.15,
    0.21,
    0.1,
)
"""Inches: the key on top, then for a feature the line of its name, the space under it, one class,
one level, the space below."""
MUTED_SIZE = 8.5
"""Font size of muted texts in points."""
CLASS_COLOURS = {"declined": "accent", "stayed": "muted"}
"""The colour of each class."""


@dataclass(frozen=True)
class Part:
    """One feature on the chart, its name truncated to the available width."""

    feature: FeatureInfo
    language: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines of its name."""
        return wrap_text(self.feature.label.text(self.language), MAX_NAME_WIDTH, 2)

    @property
    def levels(self) -> list[Level]:
        """The most frequent levels of a category, in the verdict's order."""
        distribution = self.feature.distribution
        if not isinstance(distribution, LevelDistribution):
            return []
        return frequent_levels(distribution.levels, MAX_LEVELS)

    @property
    def spreads(self) -> list[tuple[str, list[float]]]:
        """The percentiles of a number in each class that has any."""
        distribution = self.feature.distribution
        if not isinstance(distribution, NumberDistribution):
            return []
        sides = (("declined", distribution.declined), ("stayed", distribution.stayed))
        every = ((name, (side.p5, side.p25, side.p50, side.p75, side.p95)) for name, side in sides)
        return [(name, list(map(present, five))) for name, five in every if None not in five]

    @property
    def height(self) -> float:
        """The height in inches."""
        number = self.feature.kind == "number"
        below = len(CLASS_COLOURS) * CLASS_HEIGHT if number else LEVEL_HEIGHT * len(self.levels)
        return NAME_HEIGHT * len(self.lines) + NAME_GAP + below + FEATURE_GAP


@dataclass
class Strokes:
    """Lines by style, one path per style."""

    thin: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    thick: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def draw(self, axes: Axes) -> None:
        """Draw all of them, points on top."""
        for name, lines in sorted(self.thin.items(), key=lambda one: one[0] != "line"):
            line_segments(axes, lines, color=COLOURS[name], linewidth=1.1)
        for name, lines in self.thick.items():
            line_segments(axes, lines, color=COLOURS[name], linewidth=4)
        for name, places in self.points.items():
            x, y = zip(*places, strict=True)
            how: dict[str, Any] = {"color": COLOURS[name], "markerfacecolor": COLOURS["paper"]}
            axes.plot(x, y, "o", markersize=5, clip_on=False, **how)


def distributions(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return the chart: numbers as two boxes on their own scale, categories as rates by level."""
    parts = [
        Part(one, labels.language) for one in compared_features(tree.explanations, MAX_FEATURES)
    ]
    if not parts:
        return None
    total = KEY_HEIGHT + sum(part.height for part in parts)
    figure, axes = add_axes(total + 0.2, (0.12, 0.1, 0.12, 0.1))
    axes.set_xlim(0, 1)
    axes.set_ylim(total, 0)
    axes.set_axis_off()
    strokes, spots, y = Strokes(), [], KEY_HEIGHT
    _draw_key(axes, strokes, labels)
    for part in parts:
        spots.append(_draw_heading(axes, part, y))
        below = y + NAME_HEIGHT * len(part.lines) + NAME_GAP
        draw = _draw_boxes if part.feature.kind == "number" else _draw_rates
        draw(axes, part, below, strokes)
        y += part.height
    strokes.draw(axes)
    return Chart("distributions", figure, tuple(spots), labels, "y")


def _draw_heading(axes: Axes, part: Part, y: float) -> Tooltip:
    """Write the name of a feature and its effect; return the tooltip."""
    effect = part.feature.effect_size
    numbers = (None,) * 3 if effect is None else (effect.value, effect.low, effect.high)
    for at, line in enumerate(part.lines, 1):
        write(axes, 0, y + at * NAME_HEIGHT - 0.05, line)
    if effect is not None:
        ends = [format_number(number, "times", part.language) for number in numbers]
        sign = "δ" if effect.measure == "cliffs_delta" else "V"
        message = "{} {} ({} … {})".format(sign, *ends)
        lowest = y + len(part.lines) * NAME_HEIGHT - 0.05
        write(axes, 1, lowest, message, ha="right", fontsize=9, color=COLOURS["muted"])
    keys = ("tip.effect", "tip.low", "tip.high")
    values = tuple((key, number, "times") for key, number in zip(keys, numbers, strict=True))
    name = part.feature.label.text(part.language)
    return Tooltip(*to_points(axes, 0.5, y + part.height / 2), name, values)


def _draw_boxes(axes: Axes, part: Part, y: float, strokes: Strokes) -> None:
    """Add two thin boxes: 90 % of a class along the line, 50 % along the box."""
    sides = part.spreads
    if not sides:
        return
    ends = [end for _, five in sides for end in (five[0], five[-1])]
    low, high = min(ends), max(ends)
    texts = [format_number(end, "value", part.language) for end in (low, high)]
    room = max(SIDE_MARGIN, *(1.1 * inches(text, MUTED_SIZE) + END_GAP for text in texts))
    _write_small(
        axes, (room - END_GAP) / PANEL_WIDTH, y + CLASS_HEIGHT, texts[0], ha="right", va="center"
    )
    _write_small(axes, 1 - (room - END_GAP) / PANEL_WIDTH, y + CLASS_HEIGHT, texts[1], va="center")
    for at, (name, five) in enumerate(sides):
        middle, colour = y + (at + 0.5) * CLASS_HEIGHT, CLASS_COLOURS[name]
        shares = [_scale_position(percentile, low, high) for percentile in five]
        x = [(room + (PANEL_WIDTH - 2 * room) * share) / PANEL_WIDTH for share in shares]
        strokes.thin.setdefault(colour, []).append((x[0], middle, x[4], middle))
        strokes.thick.setdefault(colour, []).append((x[1], middle, x[3], middle))
        strokes.points.setdefault(colour, []).append((x[2], middle))


def _scale_position(value: float, low: float, high: float) -> float:
    """Return the position of a value between the ends of its scale, 0 to 1."""
    return (value - low) / (high - low) if high > low else 0.5


def _draw_rates(axes: Axes, part: Part, y: float, strokes: Strokes) -> None:
    """Draw the decline rate of each level, from 0 to 1."""
    for at, level in enumerate(part.levels):
        name = wrap_text(level.label.text(part.language), LEVEL_NAME, 1, MUTED_SIZE)[0]
        middle = y + (at + 0.5) * LEVEL_HEIGHT
        _write_small(axes, 0.12 / PANEL_WIDTH, middle, name, va="center")
        rate = format_number(level.decline_rate.value, "share", part.language)
        _write_small(axes, 1, middle, rate, ha="right", va="center")
        rates = (level.decline_rate.low, level.decline_rate.value, level.decline_rate.high)
        low, mean, high = map(_rate_position, rates)
        strokes.thin.setdefault("line", []).append(
            (_rate_position(0), middle, _rate_position(1), middle)
        )
        strokes.thin.setdefault("accent", []).append((low, middle, high, middle))
        strokes.points.setdefault("accent", []).append((mean, middle))


def _rate_position(rate: float) -> float:
    """Return the position of a rate as a share of the panel."""
    start, end = LEVEL_NAME + 0.22, PANEL_WIDTH - RATE
    return (start + (end - start) * rate) / PANEL_WIDTH


def _write_small(axes: Axes, x: float, y: float, text: str, **how: Any) -> None:
    """Write a small muted text."""
    write(axes, x, y, text, fontsize=MUTED_SIZE, color=COLOURS["muted"], **how)


def _draw_key(axes: Axes, strokes: Strokes, labels: Labels) -> None:
    """Draw the key of the classes."""
    for at, (name, colour) in enumerate(CLASS_COLOURS.items()):
        left = at * 0.4
        strokes.thick.setdefault(colour, []).append((left, 0.09, left + 0.05, 0.09))
        text = labels(message(f"chart.distributions.{name}"))
        write(axes, left + 0.065, 0.09, text, va="center", fontsize=9, color=COLOURS["muted"])
