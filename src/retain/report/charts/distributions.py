"""The distributions of each feature in both classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

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
from retain.report.text.names import Tree
from retain.report.text.numbers import format_number
from retain.report.text.words import message
from retain.report.tree import compared_features, frequent_levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN, LEVELS = 25, 8
"""Features, and levels of a category, in the chart; the table under it has them all."""
WIDE = 4.76
"""Inches from edge to edge of the panel."""
NAME, SIDE, AIR = 2.95, 0.62, 0.08
"""Inches a name may take beside its effect; left and right of the boxes for the ends of their
scale, where those need no more; between an end and the boxes."""
LEVEL_NAME, RATE = 2.3, 0.5
"""Inches a level's name may take before its mark, and its rate after it."""
HEAD, LINE, DROP, BOX, LEVEL, GAP = 0.32, 0.19, 0.03, 0.15, 0.21, 0.1
"""Inches: the key above all; of a feature its name's line, the room under it, one class, one
level, the room below."""
SMALL = 8.5
"""Points of the quiet texts."""
CLASSES = {"declined": "accent", "stayed": "muted"}
"""The colour of each class."""


@dataclass(frozen=True)
class Part:
    """One feature on the chart, its name cut to the room it has."""

    feature: Tree
    language: str

    @cached_property
    def lines(self) -> list[str]:
        """Its name."""
        return wrap_text(self.feature["label"][self.language], NAME, 2)

    @property
    def levels(self) -> list[Tree]:
        """The levels shown of a category: the most frequent, in the verdict's order."""
        return frequent_levels(self.feature["distribution"]["levels"], LEVELS)

    @property
    def height(self) -> float:
        """Inches it takes."""
        number = self.feature["kind"] == "number"
        below = len(CLASSES) * BOX if number else LEVEL * len(self.levels)
        return LINE * len(self.lines) + DROP + below + GAP


@dataclass
class Strokes:
    """Lines by how they are drawn, each kind one path however many its lines."""

    thin: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    thick: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def draw(self, axes: Axes) -> None:
        """All of them, points on top."""
        for name, lines in sorted(self.thin.items(), key=lambda one: one[0] != "line"):
            line_segments(axes, lines, color=COLOURS[name], linewidth=1.1)
        for name, lines in self.thick.items():
            line_segments(axes, lines, color=COLOURS[name], linewidth=4)
        for name, places in self.points.items():
            x, y = zip(*places, strict=True)
            how: dict[str, Any] = {"color": COLOURS[name], "markerfacecolor": COLOURS["paper"]}
            axes.plot(x, y, "o", markersize=5, clip_on=False, **how)


def distributions(tree: Tree, labels: Labels) -> Chart | None:
    """Numbers as two boxes on their own scale, categories as rates of their levels."""
    parts = [Part(one, labels.language) for one in compared_features(tree["explanations"], SHOWN)]
    if not parts:
        return None
    total = HEAD + sum(part.height for part in parts)
    figure, axes = add_axes(total + 0.2, (0.12, 0.1, 0.12, 0.1))
    axes.set_xlim(0, 1)
    axes.set_ylim(total, 0)
    axes.set_axis_off()
    drawn, spots, y = Strokes(), [], HEAD
    _key(axes, drawn, labels)
    for part in parts:
        spots.append(_headed(axes, part, y))
        below = y + LINE * len(part.lines) + DROP
        kind = _boxes if part.feature["kind"] == "number" else _rates
        kind(axes, part, below, drawn)
        y += part.height
    drawn.draw(axes)
    return Chart("distributions", figure, tuple(spots), labels, "y")


def _headed(axes: Axes, part: Part, y: float) -> Tooltip:
    """Return the name of a feature, its effect at the right; where it is pointed at."""
    effect = part.feature["effect_size"] or dict.fromkeys(("value", "low", "high"))
    for at, line in enumerate(part.lines, 1):
        write(axes, 0, y + at * LINE - 0.05, line)
    ends = [
        format_number(effect[name], "times", part.language) for name in ("value", "low", "high")
    ]
    if effect["value"] is not None:
        sign = "δ" if effect["measure"] == "cliffs_delta" else "V"
        message = "{} {} ({} … {})".format(sign, *ends)
        lowest = y + len(part.lines) * LINE - 0.05
        write(axes, 1, lowest, message, ha="right", fontsize=9, color=COLOURS["muted"])
    forms = {"tip.effect": "value", "tip.low": "low", "tip.high": "high"}
    told_by = tuple((word, effect[name], "times") for word, name in forms.items())
    return Tooltip(
        *to_points(axes, 0.5, y + part.height / 2), part.feature["label"][part.language], told_by
    )


def _boxes(axes: Axes, part: Part, y: float, drawn: Strokes) -> None:
    """Two thin boxes: nine in ten of a class along the line, half of it along the box."""
    held = part.feature["distribution"]
    sides = [(name, held[name]) for name in CLASSES if held[name]["p50"] is not None]
    if not sides:
        return
    ends = [side[end] for _, side in sides for end in ("p5", "p95")]
    low, high = min(ends), max(ends)
    texts = [format_number(end, "value", part.language) for end in (low, high)]
    room = max(SIDE, *(1.1 * inches(text, SMALL) + AIR for text in texts))
    _aside(axes, (room - AIR) / WIDE, y + BOX, texts[0], ha="right", va="center")
    _aside(axes, 1 - (room - AIR) / WIDE, y + BOX, texts[1], va="center")
    for at, (name, side) in enumerate(sides):
        middle, colour = y + (at + 0.5) * BOX, CLASSES[name]
        shares = [_share(side[end], low, high) for end in ("p5", "p25", "p50", "p75", "p95")]
        x = [(room + (WIDE - 2 * room) * share) / WIDE for share in shares]
        drawn.thin.setdefault(colour, []).append((x[0], middle, x[4], middle))
        drawn.thick.setdefault(colour, []).append((x[1], middle, x[3], middle))
        drawn.points.setdefault(colour, []).append((x[2], middle))


def _share(value: float, low: float, high: float) -> float:
    """Return the position of a value between the ends of its scale, 0 to 1."""
    return (value - low) / (high - low) if high > low else 0.5


def _rates(axes: Axes, part: Part, y: float, drawn: Strokes) -> None:
    """Draw the share of each level that declined, from 0 to 1."""
    for at, level in enumerate(part.levels):
        name = wrap_text(level["label"][part.language], LEVEL_NAME, 1, SMALL)[0]
        middle = y + (at + 0.5) * LEVEL
        _aside(axes, 0.12 / WIDE, middle, name, va="center")
        rate = format_number(level["decline_rate"]["value"], "share", part.language)
        _aside(axes, 1, middle, rate, ha="right", va="center")
        low, mean, high = (_along(level["decline_rate"][end]) for end in ("low", "value", "high"))
        drawn.thin.setdefault("line", []).append((_along(0), middle, _along(1), middle))
        drawn.thin.setdefault("accent", []).append((low, middle, high, middle))
        drawn.points.setdefault("accent", []).append((mean, middle))


def _along(rate: float) -> float:
    """Return the position of a rate as a share of the panel."""
    start, end = LEVEL_NAME + 0.22, WIDE - RATE
    return (start + (end - start) * rate) / WIDE


def _aside(axes: Axes, x: float, y: float, text: str, **how: Any) -> None:
    """Small quiet text."""
    write(axes, x, y, text, fontsize=SMALL, color=COLOURS["muted"], **how)


def _key(axes: Axes, drawn: Strokes, labels: Labels) -> None:
    """Draw the key of classes."""
    for at, (name, colour) in enumerate(CLASSES.items()):
        left = at * 0.4
        drawn.thick.setdefault(colour, []).append((left, 0.09, left + 0.05, 0.09))
        told = labels(message(f"chart.distributions.{name}"))
        write(axes, left + 0.065, 0.09, told, va="center", fontsize=9, color=COLOURS["muted"])
